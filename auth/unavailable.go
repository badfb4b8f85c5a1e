package auth

import "time"

// UnavailableError is returned, as a pointer, by a [Verifier] that cannot decide at present whether
// a token is valid. The client should present the same token again after RetryAfter.
//
// [FirstOf] continues with the next verifier after an UnavailableError.
type UnavailableError struct {
	// RetryAfter is the time after which the verifier expects to be able to decide. Zero means that
	// the verifier does not know; the caller then chooses a time.
	RetryAfter time.Duration

	// Err is the cause, or nil. It must not contain any part of the token, and must not wrap
	// [ErrNoToken], [ErrInvalidToken] or an [ExpiredError], which decide about a token.
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
