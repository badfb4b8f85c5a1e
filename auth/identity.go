package auth

import "time"

// Identity is a user, as a verified token describes them.
//
// Copies of an Identity share Claims, so Claims must not be modified.
type Identity struct {
	// UserID is the host's identifier of the user. A [Verifier] never returns an empty one.
	// Connections with the same UserID belong to the same participant.
	UserID string

	// Name is the name that the other participants of a plan see. Package room uses the first 64
	// code points of it.
	Name string

	// Email is the user's address, or empty. The server does not send it to clients.
	Email string

	// SessionID identifies the login that the token belongs to, or is empty. It is the same for all
	// tokens of one login, also after a renewal, so that the host can disconnect one device of a
	// user when it logs out. A connection keeps the SessionID that it began with: it does not
	// accept a later token with another one, or with none where it had one, or with one where it
	// had none. The server does not send it to clients.
	SessionID string

	// ExpiresAt is the first moment at which the identity is no longer valid. The zero time means
	// that it does not expire.
	ExpiresAt time.Time

	// Claims holds everything else that the token says, for decisions of the host. It may be nil.
	Claims map[string]any
}
