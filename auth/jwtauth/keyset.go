package jwtauth

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

// maxSetKeys is the number of keys of a set that are looked at.
const maxSetKeys = 256

// keySet holds usable keys. It is never modified.
type keySet []Key

// find returns the key for a token. The error is errUnknownKey if another set
// could hold the key.
func (s keySet) find(kid string, a Algorithm) (Key, error) {
	candidates := s.candidates(kid)
	if len(candidates) == 0 {
		return Key{}, errUnknownKey
	}
	fits := slices.DeleteFunc(candidates, func(k Key) bool { return !slices.Contains(k.algorithms, a) })
	switch len(fits) {
	case 0:
		return Key{}, errAlgorithm
	case 1:
		return fits[0], nil
	}
	// One token costs one check of a signature, never several.
	return Key{}, errAmbiguousKey
}

// candidates returns, in a new slice, the keys with the ID kid, or those without
// an ID if there is none; for a token without kid, all.
func (s keySet) candidates(kid string) keySet {
	if kid == "" {
		return slices.Clone(s)
	}
	var named, unnamed keySet
	for _, k := range s {
		switch k.id {
		case kid:
			named = append(named, k)
		case "":
			unnamed = append(unnamed, k)
		}
	}
	if len(named) > 0 {
		return named
	}
	return unnamed
}

// ParseSet returns the keys of a JWK set (RFC 7517) that the host keeps itself.
//
// It takes public RSA, EC and Ed25519 keys, with their kid and alg, and passes
// over all others: private and secret keys, keys for encryption, weak keys, types
// it does not know. A set without a usable key is an error.
func ParseSet(document []byte) ([]Key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		// The error of the decoder could quote the document.
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

// parseKey returns the key in a JWK, unless it is not one for this package.
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
		// jwk keeps the low 64 bits of a longer exponent.
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
