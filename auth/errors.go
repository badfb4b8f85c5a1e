package auth

import (
	"errors"
	"time"
)

var (
	// ErrNoToken is returned by the Verify methods of this module for an empty token.
	ErrNoToken = errors.New("auth: no token")

	// ErrInvalidToken is returned, wrapped with a reason, by the Verify methods of this module for
	// a token that they do not accept. The reason is a fixed text for the host's log. Do not send
	// it to the client.
	ErrInvalidToken = errors.New("auth: invalid token")
)

// ExpiredError is returned, as a pointer, by the Verify methods of this module for a token that
// they would have accepted before At. It does not match [ErrInvalidToken].
//
//	var expired *auth.ExpiredError
//	if errors.As(err, &expired) {
//		// valid until expired.At
//	}
type ExpiredError struct {
	// At is the first moment at which the token was no longer valid.
	At time.Time
}

// Error returns a text with the time of expiry, in UTC.
func (e *ExpiredError) Error() string {
	return "auth: token expired at " + e.At.UTC().Format(time.RFC3339)
}
