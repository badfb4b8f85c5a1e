package auth

import (
	"errors"
	"time"
)

var (
	// ErrNoToken is returned by the Verify methods of this module for an empty token.
	ErrNoToken = errors.New("auth: no token")

	// ErrInvalidToken is returned, wrapped with the reason, by the Verify methods of
	// this module for a token that they do not accept. The reason is a fixed text.
	// It is meant for the host's log; a client has no business with it.
	ErrInvalidToken = errors.New("auth: invalid token")
)

// ExpiredError is returned, as a pointer, by the Verify methods of this module for
// a token that would have been accepted before At. It does not match
// [ErrInvalidToken]:
//
//	var expired *auth.ExpiredError
//	if errors.As(err, &expired) {
//		// valid until expired.At
//	}
type ExpiredError struct {
	// At is the first moment at which the token no longer held.
	At time.Time
}

// Error says when the token expired.
func (e *ExpiredError) Error() string {
	return "auth: token expired at " + e.At.UTC().Format(time.RFC3339)
}
