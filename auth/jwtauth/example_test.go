package jwtauth_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
)

// issue signs claims, as the login service of a host does.
func issue(key *rsa.PrivateKey, kid string, claims map[string]any) string {
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			log.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	signed := part(map[string]any{"alg": "RS256", "kid": kid}) + "." + part(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		log.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// A verifier with a public key that the host has.
func ExampleNew() {
	login, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := jwtauth.New(&jwtauth.Options{
		Keys:       []jwtauth.Key{jwtauth.RSA("2026-01", &login.PublicKey)},
		Algorithms: []jwtauth.Algorithm{jwtauth.RS256},
		Issuer:     "https://login.example.com/",
		Audience:   "plans",
	})
	if err != nil {
		log.Fatal(err)
	}

	claims := map[string]any{
		"sub": "u-17", "name": "Ann Lee", "email": "ann@example.com",
		"iss": "https://login.example.com/", "aud": "plans", "exp": time.Now().Add(time.Hour).Unix(),
	}
	id, err := verifier.Verify(context.Background(), issue(login, "2026-01", claims))
	fmt.Println(id.UserID, id.Name, id.Email, err)

	claims["aud"] = "billing"
	_, err = verifier.Verify(context.Background(), issue(login, "2026-01", claims))
	fmt.Println(err)

	claims["aud"], claims["exp"] = "plans", 1767225600
	_, err = verifier.Verify(context.Background(), issue(login, "2026-01", claims))
	var expired *auth.ExpiredError
	fmt.Println(errors.As(err, &expired), errors.Is(err, auth.ErrInvalidToken))
	// Output:
	// u-17 Ann Lee ann@example.com <nil>
	// auth: invalid token: claim aud does not contain the expected audience
	// true false
}

// A host that issues JSON Web Tokens for plans, while older features still use the tokens of its
// session store.
func ExampleVerifier_firstOf() {
	login, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	plans, err := jwtauth.New(&jwtauth.Options{Keys: []jwtauth.Key{jwtauth.RSA("", &login.PublicKey)}})
	if err != nil {
		log.Fatal(err)
	}
	store := map[string]string{"s-81f3a0c2": "bob"}
	sessions := auth.VerifierFunc(func(ctx context.Context, token string) (auth.Identity, error) {
		user, ok := store[token]
		if !ok {
			return auth.Identity{}, fmt.Errorf("%w: no such session", auth.ErrInvalidToken)
		}
		return auth.Identity{UserID: user, Name: user}, nil
	})
	verifier := auth.FirstOf(plans, sessions)

	fresh := issue(login, "", map[string]any{"sub": "ann", "exp": time.Now().Add(time.Hour).Unix()})
	stale := issue(login, "", map[string]any{"sub": "ann", "exp": 1767225600})
	for _, token := range []string{fresh, "s-81f3a0c2", stale, "s-00000000"} {
		id, err := verifier.Verify(context.Background(), token)
		fmt.Printf("%q %v\n", id.UserID, err)
	}
	// Output:
	// "ann" <nil>
	// "bob" <nil>
	// "" auth: token expired at 2026-01-01T00:00:00Z
	// "" auth: invalid token: not a signed token in compact form; auth: invalid token: no such session
}

// A verifier that fetches its keys from the login service. The tokens identify users by the claim
// account, which may be a number. The claim tenant, also a number, becomes a part of the user ID.
func ExampleOptions() {
	verifier, err := jwtauth.New(&jwtauth.Options{
		JWKSURL:        "https://login.example.com/.well-known/jwks.json",
		Issuer:         "https://login.example.com/",
		Audience:       "plans",
		UserIDClaim:    "account",
		RequiredClaims: map[string]any{"token_use": "access"},
		Identify: func(ctx context.Context, id auth.Identity) (auth.Identity, error) {
			tenant, ok := id.Claims["tenant"].(json.Number)
			if !ok {
				return auth.Identity{}, fmt.Errorf("%w: no tenant", auth.ErrInvalidToken)
			}
			id.UserID = tenant.String() + "/" + id.UserID
			return id, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()
}
