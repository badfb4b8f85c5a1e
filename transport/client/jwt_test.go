package client_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth/jwtauth"
	"github.com/planrooms/planrooms/transport/client"
)

// issuer signs tokens.
type issuer struct {
	key      []byte
	verifier *jwtauth.Verifier
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{key: make([]byte, 32)}
	_, _ = rand.Read(i.key) // never fails
	v, err := jwtauth.New(&jwtauth.Options{Keys: []jwtauth.Key{jwtauth.HMAC("", i.key)}, Algorithms: []jwtauth.Algorithm{jwtauth.HS256}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	i.verifier = v
	return i
}

func (i *issuer) token(t *testing.T, user string, end time.Time) client.Token {
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	signed := part(map[string]any{"alg": "HS256"}) + "." + part(map[string]any{"sub": user, "name": user, "exp": end.Unix()})
	h := hmac.New(sha256.New, i.key)
	h.Write([]byte(signed))
	return client.Token{Value: signed + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil)), ExpiresAt: time.Unix(end.Unix(), 0)}
}

// On a real server: a token that expires soon is renewed on the open connection.
func TestRenewsAJWTInBand(t *testing.T) {
	t.Parallel() // it takes as long as the token lives
	i := newIssuer(t)
	s := newServer(t, config{verifier: i.verifier})
	reasons := make(chan client.TokenReason, 10)
	end := time.Now().Add(2 * time.Second)
	c := s.dialWith(client.Options{Token: func(_ context.Context, reason client.TokenReason) (client.Token, error) {
		reasons <- reason
		if reason == client.TokenConnect {
			return i.token(t, "ann", end), nil
		}
		return i.token(t, "ann", time.Now().Add(time.Hour)), nil
	}})
	p := join(t, c, "demo")
	want(t, p, "reload joined")
	for _, want := range []client.TokenReason{client.TokenConnect, client.TokenRenew} {
		if got := receive(t, reasons); got != want {
			t.Errorf("Options.Token was called to %s, want %s", got, want)
		}
	}
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	if e, err := p.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before the end of the first token: %s, %v, want nothing", describe(e), err)
	}
	s.broadcast("demo", 1, 1)
	want(t, p, "task 1")
	if n := s.proxy.accepted(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// On a real server: after the expiry of its token the client reconnects with another one.
func TestReconnectsWithANewJWT(t *testing.T) {
	t.Parallel() // it takes as long as the token lives
	i := newIssuer(t)
	s := newServer(t, config{verifier: i.verifier})
	reasons := make(chan client.TokenReason, 10)
	c := s.dialWith(client.Options{Token: func(_ context.Context, reason client.TokenReason) (client.Token, error) {
		reasons <- reason
		if reason == client.TokenRejected {
			return i.token(t, "ann", time.Now().Add(time.Hour)), nil
		}
		soon := i.token(t, "ann", time.Now().Add(1500*time.Millisecond))
		soon.ExpiresAt = time.Time{} // the program does not know it
		return soon, nil
	}})
	p := join(t, c, "demo")
	want(t, p, "reload joined", "join-plan   1")
	s.broadcast("demo", 1, 1)
	want(t, p, "task 1")
	for _, want := range []client.TokenReason{client.TokenConnect, client.TokenRejected} {
		if got := receive(t, reasons); got != want {
			t.Errorf("Options.Token was called to %s, want %s", got, want)
		}
	}
}
