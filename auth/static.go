package auth

import (
	"context"
	"maps"
	"time"
)

// Static returns a verifier that accepts only the given tokens, for tests and demonstrations. For
// an identity whose ExpiresAt has passed, it returns an [ExpiredError]. It copies the map.
//
// Do not use it in production: the time that a map lookup takes depends on the token, which helps
// an attacker to guess one. Static panics if a token or the UserID of an identity is empty.
func Static(identities map[string]Identity) Verifier {
	for token, id := range identities {
		// The messages do not contain the token: it may be a secret.
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
