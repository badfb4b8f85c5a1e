package jwtauth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
)

func TestVerifyAlgorithms(t *testing.T) {
	v := newVerifier(t, goodOptions())
	tests := []struct {
		alg string
		kid string
		key any
	}{
		{"HS256", "h1", secret64()}, {"HS384", "h1", secret64()}, {"HS512", "h1", secret64()},
		{"RS256", "r1", rsaKey1()}, {"RS384", "r1", rsaKey1()}, {"RS512", "r2", rsaKey2()},
		{"PS256", "r1", rsaKey1()}, {"PS384", "r2", rsaKey2()}, {"PS512", "r1", rsaKey1()},
		{"ES256", "e256", p256Key()}, {"ES384", "e384", p384Key()}, {"ES512", "e521", p521Key()},
		{"EdDSA", "d1", edKey()},
		{"ES256", "", p256Key()}, {"EdDSA", "", edKey()}, {"HS256", "", secret64()},
	}
	for _, test := range tests {
		t.Run(test.alg+" "+test.kid, func(t *testing.T) {
			text := token(test.alg, test.key, header(test.alg, test.kid), goodClaims())
			id, err := v.Verify(t.Context(), text)
			if err != nil || id.UserID != "ann" {
				t.Errorf("Verify = %q, %v, want ann", id.UserID, err)
			}
		})
	}
}

// TestVerifyForeignSigner verifies a token that another implementation signed.
func TestVerifyForeignSigner(t *testing.T) {
	built := must(jwt.NewBuilder().Subject("ann").Issuer(issuer).Audience([]string{"x", audience}).
		IssuedAt(time.Now()).NotBefore(time.Now()).Expiration(time.Now().Add(time.Hour)).Claim("email", "ann@example.com").Build())
	key := must(jwk.FromRaw(rsaKey1()))
	if err := key.Set(jwk.KeyIDKey, "r1"); err != nil {
		t.Fatal(err)
	}
	id, err := newVerifier(t, goodOptions()).Verify(t.Context(), string(must(jwt.Sign(built, jwt.WithKey(jwa.PS256, key)))))
	if err != nil || id.Name != "ann" || id.Email != "ann@example.com" {
		t.Errorf("Verify = %+v, %v, want ann", id, err)
	}
}

func TestVerifyIdentity(t *testing.T) {
	long := strings.Repeat("x", 257)
	tests := []struct {
		name   string
		claims object
		want   auth.Identity
	}{
		{"all", object{"name": "Ann Lee", "email": "al@example.com"}, auth.Identity{UserID: "ann", Name: "Ann Lee", Email: "al@example.com"}},
		{"no name", object{"email": "a@l@example.com"}, auth.Identity{UserID: "ann", Name: "a@l", Email: "a@l@example.com"}},
		{"no name, address without @", object{"email": "al"}, auth.Identity{UserID: "ann", Name: "ann", Email: "al"}},
		{"no name, address begins with @", object{"email": "@x"}, auth.Identity{UserID: "ann", Name: "ann", Email: "@x"}},
		{"neither", object{}, auth.Identity{UserID: "ann", Name: "ann"}},
		{"not strings", object{"name": 7, "email": true}, auth.Identity{UserID: "ann", Name: "ann"}},
		{"blank name", object{"name": "  "}, auth.Identity{UserID: "ann", Name: "ann"}},
		{"control characters", object{"name": "A\x1b[1m", "email": "a\n@b"}, auth.Identity{UserID: "ann", Name: "ann"}},
		{"too long", object{"name": long, "email": long}, auth.Identity{UserID: "ann", Name: "ann"}},
	}
	v := newVerifier(t, goodOptions())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			claims := goodClaims()
			for name, value := range test.claims {
				claims[name] = value
			}
			got, err := v.Verify(t.Context(), token("EdDSA", edKey(), header("EdDSA", "d1"), claims))
			if err != nil {
				t.Fatalf("Verify: %v", err)
			}
			if got.Claims["sub"] != "ann" || got.Claims["iss"] != issuer || got.ExpiresAt.Unix() != claims["exp"] {
				t.Errorf("Verify = %+v, want all claims and ExpiresAt", got)
			}
			got.Claims, got.ExpiresAt = nil, time.Time{}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Verify (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVerifyIdentify(t *testing.T) {
	errDatabase := errors.New("database is down")
	var soon, late = time.Now().Add(time.Minute), time.Now().Add(1000 * time.Hour)
	tests := []struct {
		name    string
		change  func(*auth.Identity) error
		wantErr error
		refused bool
		want    func(*testing.T, auth.Identity)
	}{
		{name: "maps", change: func(id *auth.Identity) error {
			id.UserID = "tenant7/" + id.UserID
			return nil
		}, want: func(t *testing.T, id auth.Identity) {
			if id.UserID != "tenant7/ann" {
				t.Errorf("UserID = %q", id.UserID)
			}
		}},
		{name: "shortens the validity", change: func(id *auth.Identity) error {
			id.ExpiresAt = soon
			return nil
		}, want: func(t *testing.T, id auth.Identity) {
			if !id.ExpiresAt.Equal(soon) {
				t.Errorf("ExpiresAt = %v, want %v", id.ExpiresAt, soon)
			}
		}},
		{name: "cannot extend the validity", change: func(id *auth.Identity) error {
			id.ExpiresAt = late
			return nil
		}, want: func(t *testing.T, id auth.Identity) {
			if !id.ExpiresAt.Before(late) {
				t.Errorf("ExpiresAt = %v", id.ExpiresAt)
			}
		}},
		{name: "cannot remove the expiry", change: func(id *auth.Identity) error {
			id.ExpiresAt = time.Time{}
			return nil
		}, want: func(t *testing.T, id auth.Identity) {
			if id.ExpiresAt.IsZero() {
				t.Error("ExpiresAt is zero")
			}
		}},
		{name: "refuses", change: func(*auth.Identity) error { return auth.ErrInvalidToken }, wantErr: auth.ErrInvalidToken, refused: true},
		{name: "outage", change: func(*auth.Identity) error { return errDatabase }, wantErr: errDatabase},
		{name: "returns no user", change: func(id *auth.Identity) error { id.UserID = ""; return nil }},
		{name: "returns a user with a control character", change: func(id *auth.Identity) error { id.UserID = "a\nb"; return nil }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := goodOptions()
			o.Identify = func(_ context.Context, id auth.Identity) (auth.Identity, error) {
				err := test.change(&id)
				return id, err
			}
			id, err := newVerifier(t, o).Verify(t.Context(), token("EdDSA", edKey(), header("EdDSA", "d1"), goodClaims()))
			if test.want != nil {
				if err != nil {
					t.Fatalf("Verify: %v", err)
				}
				test.want(t, id)
				return
			}
			if err == nil || test.wantErr != nil && !errors.Is(err, test.wantErr) {
				t.Errorf("Verify error = %v, want %v", err, test.wantErr)
			}
			if errors.Is(err, auth.ErrInvalidToken) != test.refused {
				t.Errorf("Verify error = %v, refused %v", err, test.refused)
			}
			if diff := cmp.Diff(auth.Identity{}, id); diff != "" {
				t.Errorf("Verify identity (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVerifyTimes has tokens just before and after each limit, in virtual time.
func TestVerifyTimes(t *testing.T) {
	const skew = 30
	tests := []struct {
		name    string
		claim   string
		offset  float64 // seconds from now
		ok      bool
		expired bool
	}{
		{name: "expires in a second", claim: "exp", offset: 1, ok: true},
		{name: "expires in half a second", claim: "exp", offset: 0.5, ok: true},
		{name: "expires now", claim: "exp", offset: 0, expired: true},
		{name: "expired a second ago, no skew", claim: "exp", offset: -1, expired: true},
		{name: "expired long ago", claim: "exp", offset: -900000000, expired: true},
		{name: "valid from now", claim: "nbf", offset: 0, ok: true},
		{name: "valid within the skew", claim: "nbf", offset: skew, ok: true},
		{name: "valid beyond the skew", claim: "nbf", offset: skew + 1},
		{name: "issued within the skew", claim: "iat", offset: skew, ok: true},
		{name: "issued beyond the skew", claim: "iat", offset: skew + 1},
		{name: "issued just beyond the skew", claim: "iat", offset: skew + 0.5},
	}
	rsaKey1()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at := float64(time.Now().Unix()) + test.offset
				claims := changeable(goodClaims()).with(test.claim, at)
				_, err := newVerifier(t, goodOptions()).Verify(t.Context(), token("ES256", p256Key(), header("ES256", "e256"), claims))
				if (err == nil) != test.ok {
					t.Fatalf("Verify = %v, want accepted %v", err, test.ok)
				}
				var expired *auth.ExpiredError
				if errors.As(err, &expired) != test.expired || errors.Is(err, auth.ErrInvalidToken) != (!test.ok && !test.expired) {
					t.Fatalf("Verify = %v, want expired %v", err, test.expired)
				}
				if test.expired && expired.At.Unix() != int64(at) {
					t.Errorf("At = %v, want %v", expired.At, time.Unix(int64(at), 0))
				}
			})
		})
	}
}

func TestVerifyWithoutIssuerAndAudience(t *testing.T) {
	v := newVerifier(t, &jwtauth.Options{Keys: []jwtauth.Key{jwtauth.HMAC("", secret32())}})
	claims := object{"sub": "ann", "exp": time.Now().Unix() + 60}
	for _, kid := range []string{"", "any"} {
		if _, err := v.Verify(t.Context(), token("HS256", secret32(), header("HS256", kid), claims)); err != nil {
			t.Errorf("Verify with kid %q = %v", kid, err)
		}
	}
	if err := v.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if _, err := v.Verify(t.Context(), token("HS256", secret32(), header("HS256", ""), claims)); err != nil {
		t.Errorf("Verify after Close = %v, want nil without a JWKSURL", err)
	}
}

func TestVerifyNarrowedAlgorithms(t *testing.T) {
	o := &jwtauth.Options{
		Keys:       []jwtauth.Key{jwtauth.RSA("r1", &rsaKey1().PublicKey)},
		Algorithms: []jwtauth.Algorithm{jwtauth.PS256},
	}
	v := newVerifier(t, o)
	o.Algorithms[0] = jwtauth.RS256
	for alg, ok := range map[string]bool{"PS256": true, "RS256": false} {
		_, err := v.Verify(t.Context(), token(alg, rsaKey1(), header(alg, "r1"), goodClaims()))
		if (err == nil) != ok {
			t.Errorf("Verify of %s = %v, want accepted %v", alg, err, ok)
		}
	}
}
