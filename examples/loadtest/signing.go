package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strconv"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwt"

	"github.com/planrooms/planrooms/auth/jwtauth"
)

// signedTokens returns a token for each of so many users, signed with a new key, and the verifier
// of that key.
func signedTokens(algorithm string, users int) (tokens []string, _ *jwtauth.Verifier, err error) {
	var (
		private any
		public  jwtauth.Key
	)
	switch algorithm {
	case "RS256":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, nil, err
		}
		private, public = key, jwtauth.RSA("", &key.PublicKey)
	case "EdDSA":
		pub, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		private, public = key, jwtauth.Ed25519("", pub)
	default:
		return nil, nil, fmt.Errorf("-sign %q is neither RS256 nor EdDSA", algorithm)
	}
	expires := time.Now().Add(24 * time.Hour)
	for i := range users {
		t, err := jwt.NewBuilder().Subject("user" + strconv.Itoa(i)).Expiration(expires).Build()
		if err != nil {
			return nil, nil, err
		}
		signed, err := jwt.Sign(t, jwt.WithKey(jwa.SignatureAlgorithm(algorithm), private))
		if err != nil {
			return nil, nil, err
		}
		tokens = append(tokens, string(signed))
	}
	verifier, err := jwtauth.New(&jwtauth.Options{Keys: []jwtauth.Key{public}})
	return tokens, verifier, err
}
