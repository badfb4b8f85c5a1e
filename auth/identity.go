package auth

import "time"

// Identity is a person a token speaks for.
//
// It is a value; only Claims is shared between copies, and nobody may modify it.
type Identity struct {
	// UserID is the host's own name for the user. It is never empty in what a
	// [Verifier] returns, and two connections with the same UserID belong to one
	// participant.
	UserID string

	// Name is what others in a plan get to read.
	Name string

	// Email is the user's address, or empty. It is not sent to anybody.
	Email string

	// ExpiresAt is the first moment at which the identity no longer holds.
	// Zero means never.
	ExpiresAt time.Time

	// Claims is whatever else the token said, for the host's own decisions.
	// It may be nil.
	Claims map[string]any
}
