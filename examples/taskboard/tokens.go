package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

const (
	tokenIssuer   = "taskboard"
	tokenAudience = "taskboard"
	claimSession  = "sid" // the session of the token: auth.Identity.SessionID
)

// tokens signs access tokens and verifies them. A token is valid for the REST routes and for a
// WebSocket, until it expires or its session ends. It is safe for concurrent use, and fixed at
// creation.
type tokens struct {
	key      jwk.Key // private
	ttl      time.Duration
	verifier *jwtauth.Verifier
}

// newTokens uses the keys of the database, so that tokens stay valid after a restart.
func newTokens(ctx context.Context, db *store.Store, ttl time.Duration) (*tokens, error) {
	kept, err := db.SigningKeys(ctx, generateKey)
	if err != nil {
		return nil, fmt.Errorf("signing keys: %w", err)
	}
	t := &tokens{ttl: ttl}
	var public []jwtauth.Key
	for i, k := range kept {
		private, err := parseKey(k.PrivateKey)
		if err != nil {
			return nil, fmt.Errorf("signing key %s: %w", k.ID, err)
		}
		public = append(public, jwtauth.Ed25519(k.ID, private.Public().(ed25519.PublicKey)))
		if i > 0 {
			continue // an older key only verifies
		}
		if t.key, err = jwk.FromRaw(private); err != nil {
			return nil, err
		}
		if err := t.key.Set(jwk.KeyIDKey, k.ID); err != nil {
			return nil, err
		}
	}
	t.verifier, err = jwtauth.New(&jwtauth.Options{
		Keys:       public,
		Algorithms: []jwtauth.Algorithm{jwtauth.EdDSA},
		Issuer:     tokenIssuer,
		Audience:   tokenAudience,
		Identify:   inSession(db),
	})
	return t, err
}

func generateKey() (store.SigningKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return store.SigningKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	return store.SigningKey{ID: rand.Text(), PrivateKey: der}, err
}

func parseKey(der []byte) (ed25519.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("not an Ed25519 key")
	}
	return private, nil
}

// inSession refuses tokens whose session has ended: after a logout on all devices, no token
// works. It costs one query per request, and returns the current name of the user. A service that
// can wait until its tokens expire does not need it.
func inSession(db *store.Store) func(ctx context.Context, id auth.Identity) (auth.Identity, error) {
	return func(ctx context.Context, id auth.Identity) (auth.Identity, error) {
		session, err := db.Session(ctx, id.SessionID)
		switch {
		case errors.Is(err, store.ErrNotFound) || err == nil && session.User.ID != id.UserID:
			return id, fmt.Errorf("%w: the session has ended", auth.ErrInvalidToken)
		case err != nil:
			return id, err // an outage
		}
		id.Name, id.Email = session.User.Name, session.User.Email
		return id, nil
	}
}

// sign returns a token for a session and its expiry. JWTs use whole seconds.
func (t *tokens) sign(session store.Session) (token string, expires time.Time, err error) {
	now := time.Now().UTC()
	expires = now.Add(t.ttl).Round(time.Second)
	if session.ExpiresAt.Before(expires) {
		expires = session.ExpiresAt.Truncate(time.Second)
	}
	claims, err := jwt.NewBuilder().
		Issuer(tokenIssuer).
		Audience([]string{tokenAudience}).
		Subject(session.User.ID).
		IssuedAt(now).
		Expiration(expires).
		Claim(claimSession, session.ID).
		Build()
	if err != nil {
		return "", time.Time{}, err
	}
	signed, err := jwt.Sign(claims, jwt.WithKey(jwa.EdDSA, t.key))
	return string(signed), expires, err
}
