package auth

import (
	"context"
	"maps"
	"time"
)

// Static returns a verifier that knows the given tokens and no others, for tests
// and demonstrations. An identity past its ExpiresAt is answered with an
// [ExpiredError]. The map is copied.
//
// It compares tokens by looking them up, which takes a time that depends on the
// token: it is not for guarding anything. Static panics for an empty token and
// for an identity without a UserID.
func Static(identities map[string]Identity) Verifier {
	for token, id := range identities {
		// The messages do not say which one: the token may be a secret.
		if token == "" {
			panic("auth: Static: a token is empty")
		}
		if id.UserID == "" {
			panic("auth: Static: an Identity has no UserID")
		}
	}
	return static(maps.Clone(identities))
}

type static map[string]Identity

func (s static) Verify(_ context.Context, token string) (Identity, error) {
	if token == "" {
		return Identity{}, ErrNoToken
	}
	id, ok := s[token]
	if !ok {
		return Identity{}, ErrInvalidToken
	}
	if !id.ExpiresAt.IsZero() && !time.Now().Before(id.ExpiresAt) {
		return Identity{}, &ExpiredError{At: id.ExpiresAt}
	}
	return id, nil
}
