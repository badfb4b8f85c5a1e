package jwtauth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// The accepted sizes of keys. The upper bound for RSA prevents a hostile key set from making each
// verification slow.
const (
	minSecretBytes = 32
	minRSABits     = 2048
	maxRSABits     = 8192
)

// Key is a key that verifies signatures. Its type determines the algorithms that it serves. Create
// one with [HMAC], [RSA], [ECDSA], [Ed25519], [PEM] or [ParseSet]; [New] reports errors in their
// arguments.
//
// A Key does not reveal its content, so it is safe to print. A public key that was passed to a
// constructor must not be modified afterwards.
type Key struct {
	id         string
	algorithms []Algorithm // never modified; empty if and only if err is set

	// verify is a closure over the key, so that package fmt cannot print the key.
	verify func(a Algorithm, signed, signature []byte) error
	err    error
}

// HMAC returns the key for a shared secret of at least 32 bytes. It serves HS256, from 48 bytes
// also HS384, and from 64 bytes also HS512 (RFC 7518, section 3.2).
//
// The secret must be random bytes, not a password. HMAC copies it. It refuses a public key or a
// certificate, which is not secret.
//
// A key with an id serves tokens with that kid, and tokens without kid. A key with an empty id
// serves tokens without kid, and tokens with a kid that is not the ID of another key. This applies
// to the functions below too.
func HMAC(id string, secret []byte) Key {
	switch {
	case len(secret) < minSecretBytes:
		return Key{err: fmt.Errorf("secret has %d bytes, fewer than %d", len(secret), minSecretBytes)}
	case isPublic(secret):
		return Key{err: errors.New("secret is a key or certificate in PEM, DER, JWK or SSH form")}
	}
	algorithms := []Algorithm{HS256}
	if len(secret) >= 48 {
		algorithms = append(algorithms, HS384)
	}
	if len(secret) >= 64 {
		algorithms = append(algorithms, HS512)
	}
	return newKey(id, bytes.Clone(secret), algorithms...)
}

// RSA returns the key for RS256, RS384, RS512, PS256, PS384 and PS512. It must have 2,048 to 8,192
// bits.
func RSA(id string, key *rsa.PublicKey) Key {
	switch {
	case key == nil || key.N == nil:
		return Key{err: errors.New("RSA key is nil")}
	case key.N.BitLen() < minRSABits:
		return Key{err: fmt.Errorf("RSA key has %d bits, fewer than %d", key.N.BitLen(), minRSABits)}
	case key.N.BitLen() > maxRSABits:
		return Key{err: fmt.Errorf("RSA key has %d bits, more than %d", key.N.BitLen(), maxRSABits)}
	case key.N.Bit(0) == 0 || key.E < 3 || key.E > 1<<31-1 || key.E%2 == 0:
		return Key{err: errors.New("RSA key is malformed")}
	}
	return newKey(id, key, rsaAlgorithms()...)
}

// ECDSA returns the key for ES256 if its curve is P-256, for ES384 if it is P-384, and for ES512 if
// it is P-521. Other curves are refused.
func ECDSA(id string, key *ecdsa.PublicKey) Key {
	if key == nil || key.Curve == nil || key.X == nil || key.Y == nil {
		return Key{err: errors.New("ECDSA key is nil")}
	}
	var a Algorithm
	switch key.Curve {
	case elliptic.P256():
		a = ES256
	case elliptic.P384():
		a = ES384
	case elliptic.P521():
		a = ES512
	default:
		return Key{err: errors.New("ECDSA key is on an unsupported curve")}
	}
	// The conversion checks that the point is on the curve.
	if _, err := key.ECDH(); err != nil {
		return Key{err: errors.New("ECDSA key is not a point of its curve")}
	}
	return newKey(id, key, a)
}

// Ed25519 returns the key for EdDSA.
func Ed25519(id string, key ed25519.PublicKey) Key {
	if len(key) != ed25519.PublicKeySize {
		return Key{err: fmt.Errorf("Ed25519 key has %d bytes, not %d", len(key), ed25519.PublicKeySize)}
	}
	return newKey(id, slices.Clone(key), EdDSA)
}

// PEM returns the key in a PEM block of the type PUBLIC KEY or RSA PUBLIC KEY, as written by
// `openssl pkey -pubout`. The text must contain exactly one block.
func PEM(id string, text []byte) Key {
	block, rest := pem.Decode(text)
	if block == nil {
		return Key{err: errors.New("no PEM block found")}
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return Key{err: errors.New("more than one PEM block")}
	}
	var public any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return Key{err: errors.New("PEM block does not hold a public key")}
	}
	if err != nil {
		return Key{err: errors.New("PEM block holds a malformed public key")}
	}
	return publicKey(id, public)
}

// publicKey returns the Key for a parsed public key.
func publicKey(id string, public any) Key {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return RSA(id, public)
	case *ecdsa.PublicKey:
		return ECDSA(id, public)
	case ed25519.PublicKey:
		return Ed25519(id, public)
	}
	return Key{err: errors.New("unsupported type of public key")}
}

// newKey returns a Key that verifies signatures with material. Package jws must accept the type of
// material for each of algorithms.
func newKey[M []byte | ed25519.PublicKey | *rsa.PublicKey | *ecdsa.PublicKey](id string, material M, algorithms ...Algorithm) Key {
	return Key{id: id, algorithms: algorithms, verify: func(a Algorithm, signed, signature []byte) error {
		verifier, err := jws.NewVerifier(jwa.SignatureAlgorithm(a))
		if err != nil {
			return err
		}
		return verifier.Verify(signed, signature, material)
	}}
}

// isPublic reports whether secret is a public key or a certificate, in one of the common formats. A
// host that configured its public key as an HMAC secret would accept tokens that anyone can make.
func isPublic(secret []byte) bool {
	// This comes before the spaces are trimmed: the last byte of DER may look like one.
	if isDER(secret) {
		return true
	}
	secret = bytes.TrimSpace(secret)
	if bytes.Contains(secret, []byte("-----BEGIN ")) || bytes.HasPrefix(secret, []byte("ssh-")) ||
		bytes.HasPrefix(secret, []byte("ecdsa-sha2-")) || bytes.HasPrefix(secret, []byte("{")) && bytes.Contains(secret, []byte(`"kty"`)) {
		return true
	}
	if isDER(secret) {
		return true
	}
	der, err := base64.StdEncoding.DecodeString(string(secret))
	return err == nil && isDER(der)
}

func isDER(b []byte) bool {
	if _, err := x509.ParsePKIXPublicKey(b); err == nil {
		return true
	}
	if _, err := x509.ParsePKCS1PublicKey(b); err == nil {
		return true
	}
	_, err := x509.ParseCertificate(b)
	return err == nil
}
