package jwtauth

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

const (
	// maxSetKeys is the maximum number of keys in a set, usable or not.
	maxSetKeys = 256

	// maxTriedKeys is the maximum number of keys that one token is verified with. It bounds the
	// time that an invalid token takes.
	maxTriedKeys = 4
)

// keySet holds usable keys. It is never modified.
type keySet []Key

// verify checks the signature of t with each key that t may have been signed with, up to
// maxTriedKeys. It returns nil if one matches, or the reason for which none does.
//
// known reports whether a key has the ID that t names. If not, a newer set may contain the key.
func (s keySet) verify(t *token) (known bool, err error) {
	known = t.kid != "" && slices.ContainsFunc(s, func(k Key) bool { return k.id == t.kid })
	err = errUnknownKey
	tried := 0
	for i := range s {
		k := &s[i]
		if known && k.id != t.kid || !known && t.kid != "" && k.id != "" {
			continue
		}
		if !slices.Contains(k.algorithms, t.algorithm) {
			if tried == 0 {
				err = errAlgorithm
			}
			continue
		}
		if tried == maxTriedKeys {
			return known, errTooManyKeys
		}
		if k.verify(t.algorithm, t.signed, t.signature) == nil {
			return known, nil
		}
		tried++
		err = errSignature
	}
	return known, err
}

// ParseSet returns the usable keys of a JWK set (RFC 7517), for a host that keeps the set itself.
//
// It returns the public RSA, EC and Ed25519 keys with their kid and alg. It skips all others:
// private and secret keys, encryption keys, weak keys, and unknown types. A set with more than 256
// keys, or without a usable one, is an error.
func ParseSet(document []byte) ([]Key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		// The decoder's error could quote the document.
		return nil, errors.New("jwtauth: key set is malformed")
	}
	if len(set.Keys) > maxSetKeys {
		return nil, errors.New("jwtauth: key set has more than 256 keys")
	}
	var keys []Key
	for _, raw := range set.Keys {
		if k, ok := parseKey(raw); ok {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("jwtauth: key set has no usable key")
	}
	return keys, nil
}

// parseKey returns the key in a JWK. It reports false if the key is not usable.
func parseKey(raw []byte) (Key, bool) {
	parsed, err := jwk.ParseKey(raw)
	if err != nil {
		return Key{}, false
	}
	if usage := parsed.KeyUsage(); usage != "" && usage != string(jwk.ForSignature) {
		return Key{}, false
	}
	if ops := parsed.KeyOps(); len(ops) > 0 && !slices.Contains(ops, jwk.KeyOpVerify) {
		return Key{}, false
	}
	var k Key
	switch parsed := parsed.(type) {
	case jwk.RSAPublicKey:
		// Package jwk would drop all but the low 64 bits of a longer exponent.
		if len(parsed.E()) > 4 {
			return Key{}, false
		}
		var public rsa.PublicKey
		if err := parsed.Raw(&public); err != nil {
			return Key{}, false
		}
		k = RSA(parsed.KeyID(), &public)
	case jwk.ECDSAPublicKey, jwk.OKPPublicKey:
		var public any
		if err := parsed.Raw(&public); err != nil {
			return Key{}, false
		}
		k = publicKey(parsed.KeyID(), public)
	default:
		return Key{}, false
	}
	if k.err != nil {
		return Key{}, false
	}
	if a := parsed.Algorithm(); a != nil && a != jwa.InvalidKeyAlgorithm("") && a.String() != "" {
		k.algorithms = intersect(k.algorithms, []Algorithm{Algorithm(a.String())})
	}
	return k, len(k.algorithms) > 0
}
