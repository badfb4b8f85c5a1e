package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

const (
	keyBits  = 2048
	issuer   = "planrooms-quickstart"
	audience = "plans"
)

// signer issues tokens and publishes the key that verifies them, as the identity provider of a real
// service does. It is safe for concurrent use.
type signer struct {
	key jwk.Key // private; fixed at creation
	set []byte  // the public half as a JWK set; fixed at creation
}

// newSigner reads the key from a PEM file, or generates one if file is empty.
func newSigner(file string) (*signer, error) {
	raw, err := signingKey(file)
	if err != nil {
		return nil, err
	}
	key, err := jwk.FromRaw(raw)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		jwk.AssignKeyID(key), // its thumbprint, which does not change with a restart
		key.Set(jwk.AlgorithmKey, jwa.RS256),
		key.Set(jwk.KeyUsageKey, jwk.ForSignature),
	)
	if err != nil {
		return nil, err
	}
	public, err := jwk.PublicKeyOf(key)
	if err != nil {
		return nil, err
	}
	set, err := json.Marshal(map[string]any{"keys": []jwk.Key{public}})
	return &signer{key: key, set: set}, err
}

func signingKey(file string) (*rsa.PrivateKey, error) {
	if file == "" {
		return rsa.GenerateKey(rand.Reader, keyBits)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("signing key: %s is not a PEM file of type PRIVATE KEY (PKCS #8)", file)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok || key.N.BitLen() < keyBits {
		return nil, fmt.Errorf("signing key: %s is not an RSA key of at least %d bits", file, keyBits)
	}
	return key, nil
}

// sign returns a token of p and when it expires. JWTs count in whole seconds: sign rounds the ttl
// up, and starts it at the nearest second.
func (s *signer) sign(p person, ttl time.Duration) (token string, expires time.Time, err error) {
	issued := time.Now().UTC().Round(time.Second)
	expires = issued.Add((ttl + time.Second - 1).Truncate(time.Second))
	t, err := jwt.NewBuilder().
		Issuer(issuer).
		Audience([]string{audience}).
		Subject(p.id).
		IssuedAt(issued).
		Expiration(expires).
		Claim("name", p.name).
		Claim("email", p.id+"@example.com").
		Build()
	if err != nil {
		return "", time.Time{}, err
	}
	signed, err := jwt.Sign(t, jwt.WithKey(jwa.RS256, s.key))
	return string(signed), expires, err
}

// publish answers with the JWK set.
func (s *signer) publish(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=60")
	_, _ = w.Write(s.set) // fails if the client has gone
}
