package auth

import "time"

// UnavailableError is returned, as a pointer, by a [Verifier] that cannot tell at present whether
// a token is valid: it says nothing about the token. It matches neither [ErrInvalidToken] nor
// [ErrNoToken]. The client should present the same token again after RetryAfter.
type UnavailableError struct {
	// RetryAfter is the time after which the verifier expects to be able to tell. Zero means that
	// it does not know; the caller then chooses.
	RetryAfter time.Duration

	// Err is the cause, or nil. It contains no part of the token.
	Err error
}

// Error returns the text of the cause after a fixed prefix.
func (e *UnavailableError) Error() string {
	if e.Err == nil {
		return "auth: verifier unavailable"
	}
	return "auth: verifier unavailable: " + e.Err.Error()
}

// Unwrap returns Err.
func (e *UnavailableError) Unwrap() error { return e.Err }
