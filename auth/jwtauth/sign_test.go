package jwtauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth/jwtauth"
)

// The tests sign tokens with the standard library only, not with the library that verifies them, so
// that the same mistake cannot be in both.

type object = map[string]any

const (
	issuer   = "https://login.example.com/"
	audience = "plans"
)

// null is a JSON null, where a nil would remove the value.
var null = json.RawMessage("null")

// All tests share the keys, because generating an RSA key takes long.
var (
	rsaKey1  = sync.OnceValue(func() *rsa.PrivateKey { return newRSAKey(2048) })
	rsaKey2  = sync.OnceValue(func() *rsa.PrivateKey { return newRSAKey(2048) })
	rsaKey3  = sync.OnceValue(func() *rsa.PrivateKey { return newRSAKey(2048) })
	weakKey  = sync.OnceValue(func() *rsa.PrivateKey { return newRSAKey(1024) })
	p256Key  = sync.OnceValue(func() *ecdsa.PrivateKey { return newECKey(elliptic.P256()) })
	p384Key  = sync.OnceValue(func() *ecdsa.PrivateKey { return newECKey(elliptic.P384()) })
	p521Key  = sync.OnceValue(func() *ecdsa.PrivateKey { return newECKey(elliptic.P521()) })
	edKey    = sync.OnceValue(func() ed25519.PrivateKey { return must2(ed25519.GenerateKey(rand.Reader)) })
	secret32 = sync.OnceValue(func() []byte { return newSecret(32) })
	secret64 = sync.OnceValue(func() []byte { return newSecret(64) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func must2[A, B any](_ A, b B, err error) B { return must(b, err) }

func newRSAKey(bits int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) }

func newECKey(c elliptic.Curve) *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(c, rand.Reader)) }

func newSecret(size int) []byte {
	b := make([]byte, size)
	rand.Read(b)
	return b
}

func edPublic() ed25519.PublicKey { return edKey().Public().(ed25519.PublicKey) }

// goodClaims returns claims that goodOptions accepts.
func goodClaims() object {
	now := time.Now().Unix()
	return object{"sub": "ann", "iss": issuer, "aud": audience, "iat": now, "exp": now + 3600}
}

// with returns a copy of c with one value replaced. A nil value removes it.
func (c changeable) with(name string, value any) changeable {
	c = maps.Clone(c)
	if value == nil {
		delete(c, name)
	} else {
		c[name] = value
	}
	return c
}

type changeable object

// header returns the header of a token. An empty kid is left out.
func header(alg, kid string) changeable {
	h := changeable{"typ": "JWT", "alg": alg}
	if kid != "" {
		h["kid"] = kid
	}
	return h
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token returns a signed token. The type of the key and the hash in alg determine how it is signed;
// the header may differ from that.
func token(alg string, key any, header, claims any) string {
	return tokenOf(alg, key, must(json.Marshal(header)), must(json.Marshal(claims)))
}

func tokenOf(alg string, key any, header, payload []byte) string {
	signed := encode(header) + "." + encode(payload)
	return signed + "." + encode(signature(alg, key, []byte(signed)))
}

// algorithmOf returns an algorithm that a private key can sign with.
func algorithmOf(key any) string {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return "RS256"
	case *ecdsa.PrivateKey:
		return map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[key.Curve.Params().BitSize]
	case ed25519.PrivateKey:
		return "EdDSA"
	}
	return "HS256"
}

func signature(alg string, key any, signed []byte) []byte {
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	var digest []byte
	if hash != 0 {
		h := hash.New()
		h.Write(signed)
		digest = h.Sum(nil)
	}
	switch key := key.(type) {
	case []byte:
		h := hmac.New(hash.New, key)
		h.Write(signed)
		return h.Sum(nil)
	case *rsa.PrivateKey:
		if alg[0] == 'P' {
			return must(rsa.SignPSS(rand.Reader, key, hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
		}
		return must(rsa.SignPKCS1v15(rand.Reader, key, hash, digest))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			panic(err)
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	case ed25519.PrivateKey:
		return ed25519.Sign(key, signed)
	}
	panic("unknown type of key")
}

// jwkOf returns the JWK for a secret, or for the public key of a private one.
func jwkOf(kid string, key any) changeable {
	k := changeable{"kid": kid, "use": "sig"}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		k["kty"], k["n"], k["e"] = "RSA", encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PrivateKey:
		size := (key.Curve.Params().BitSize + 7) / 8
		k["kty"], k["crv"] = "EC", key.Curve.Params().Name
		k["x"], k["y"] = encode(key.X.FillBytes(make([]byte, size))), encode(key.Y.FillBytes(make([]byte, size)))
	case ed25519.PrivateKey:
		k["kty"], k["crv"], k["x"] = "OKP", "Ed25519", encode(key.Public().(ed25519.PublicKey))
	case []byte:
		k["kty"], k["k"] = "oct", encode(key)
	}
	return k
}

func setOf(keys ...changeable) string {
	return string(must(json.Marshal(object{"keys": keys})))
}

func publicDER(key *rsa.PrivateKey) []byte { return must(x509.MarshalPKIXPublicKey(&key.PublicKey)) }

func publicPEM(key *rsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER(key)})
}

func newVerifier(t testing.TB, o *jwtauth.Options) *jwtauth.Verifier {
	t.Helper()
	v, err := jwtauth.New(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// allKeys returns a key of each type, and a second RSA key.
func allKeys() []jwtauth.Key {
	return []jwtauth.Key{
		jwtauth.RSA("r1", &rsaKey1().PublicKey),
		jwtauth.RSA("r2", &rsaKey2().PublicKey),
		jwtauth.ECDSA("e256", &p256Key().PublicKey),
		jwtauth.ECDSA("e384", &p384Key().PublicKey),
		jwtauth.ECDSA("e521", &p521Key().PublicKey),
		jwtauth.Ed25519("d1", edPublic()),
		jwtauth.HMAC("h1", secret64()),
	}
}

func goodOptions() *jwtauth.Options {
	return &jwtauth.Options{Keys: allKeys(), Issuer: issuer, Audience: audience}
}
