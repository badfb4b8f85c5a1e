package jwtauth_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
)

func TestKeySelection(t *testing.T) {
	// Two keys without an ID, of different types, and one with an ID.
	v := newVerifier(t, &jwtauth.Options{Keys: []jwtauth.Key{
		jwtauth.RSA("", &rsaKey1().PublicKey),
		jwtauth.Ed25519("", edPublic()),
		jwtauth.RSA("r2", &rsaKey2().PublicKey),
	}})
	for _, test := range []struct {
		name string
		text string
		ok   bool
	}{
		{"no kid, one fits", token("EdDSA", edKey(), header("EdDSA", ""), goodClaims()), true},
		{"no kid, two fit", token("RS256", rsaKey1(), header("RS256", ""), goodClaims()), true},
		{"no kid, two fit, the other one", token("RS256", rsaKey2(), header("RS256", ""), goodClaims()), true},
		{"no kid, two fit, none matches", token("RS256", rsaKey3(), header("RS256", ""), goodClaims()), false},
		{"unknown kid, one without an ID fits", token("RS256", rsaKey1(), header("RS256", "x"), goodClaims()), true},
		{"unknown kid, signed with the key that has an ID", token("RS256", rsaKey2(), header("RS256", "x"), goodClaims()), false},
		{"known kid", token("RS256", rsaKey2(), header("RS256", "r2"), goodClaims()), true},
		{"known kid, signed with a key without an ID", token("RS256", rsaKey1(), header("RS256", "r2"), goodClaims()), false},
		{"known kid, other type", token("EdDSA", edKey(), header("EdDSA", "r2"), goodClaims()), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := v.Verify(t.Context(), test.text); (err == nil) != test.ok {
				t.Errorf("Verify = %v, want accepted %v", err, test.ok)
			}
		})
	}
}

func TestParseSet(t *testing.T) {
	oct, private := jwkOf("o1", secret64()), jwkOf("p1", p256Key()).with("d", encode(make([]byte, 32)))
	document := setOf(
		jwkOf("r1", rsaKey1()).with("alg", "PS256"),
		jwkOf("e1", p256Key()),
		jwkOf("d1", edKey()),
		oct, private,
		jwkOf("weak", weakKey()),
		jwkOf("enc", rsaKey2()).with("use", "enc"),
		jwkOf("wrap", rsaKey2()).with("use", nil).with("key_ops", []string{"wrapKey"}),
		jwkOf("ops", rsaKey2()).with("use", nil).with("key_ops", []string{"verify"}),
		jwkOf("off", p256Key()).with("x", encode([]byte{1})),
		jwkOf("wrongalg", p256Key()).with("alg", "HS256"),
		jwkOf("encalg", rsaKey2()).with("use", nil).with("alg", "RSA-OAEP"),
		jwkOf("bigexp", rsaKey2()).with("e", encode([]byte{1, 0, 0, 0, 0, 0, 1, 0, 1})),
		jwkOf("badkid", rsaKey2()).with("kid", 7),
		changeable{"kid": "pq", "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
		changeable{"kid": "x", "kty": "OKP", "crv": "X25519", "x": encode(make([]byte, 32))},
		changeable{"kid": "short", "kty": "OKP", "crv": "Ed25519", "x": "AA"},
		changeable{"kid": "empty", "kty": "RSA"},
	)
	keys, err := jwtauth.ParseSet([]byte(document))
	if err != nil {
		t.Fatalf("ParseSet: %v", err)
	}
	if len(keys) != 4 {
		t.Errorf("ParseSet returned %d keys, want 4", len(keys))
	}
	v := newVerifier(t, &jwtauth.Options{Keys: keys})
	for _, test := range []struct {
		name, text string
		ok         bool
	}{
		{"RSA", token("PS256", rsaKey1(), header("PS256", "r1"), goodClaims()), true},
		{"RSA, with another alg than the key's", token("RS256", rsaKey1(), header("RS256", "r1"), goodClaims()), false},
		{"ECDSA", token("ES256", p256Key(), header("ES256", "e1"), goodClaims()), true},
		{"Ed25519", token("EdDSA", edKey(), header("EdDSA", "d1"), goodClaims()), true},
		{"key_ops", token("RS256", rsaKey2(), header("RS256", "ops"), goodClaims()), true},
		{"secret", token("HS256", secret64(), header("HS256", "o1"), goodClaims()), false},
		{"private", token("ES256", p256Key(), header("ES256", "p1"), goodClaims()), false},
		{"weak", token("RS256", weakKey(), header("RS256", "weak"), goodClaims()), false},
		{"for encryption", token("RS256", rsaKey2(), header("RS256", "enc"), goodClaims()), false},
		{"for wrapping", token("RS256", rsaKey2(), header("RS256", "wrap"), goodClaims()), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := v.Verify(t.Context(), test.text); (err == nil) != test.ok {
				t.Errorf("Verify = %v, want accepted %v", err, test.ok)
			}
		})
	}
}

func TestParseSetErrors(t *testing.T) {
	many := make([]changeable, 257)
	for i := range many {
		many[i] = changeable{}
	}
	for name, document := range map[string]string{
		"malformed": "secret-marker", "no usable key": `{"keys":[]}`, "has no usable": `{}`, "usable key": `{"keys":[null,7,"x",{}]}`,
		"more than 256": setOf(many...),
		"set is":        `{"keys":{}}`,
	} {
		if _, err := jwtauth.ParseSet([]byte(document)); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "marker") {
			t.Errorf("ParseSet(%.20q) = %v, want an error with %q", document, err, name)
		}
	}
}

func ed25519Keys(n int) []ed25519.PrivateKey {
	keys := make([]ed25519.PrivateKey, n)
	for i := range keys {
		keys[i] = must2(ed25519.GenerateKey(rand.Reader))
	}
	return keys
}

// TestSeveralKeysFit has tokens whose key is not determined by their kid and algorithm. The keys
// come from Options and from a URL.
func TestSeveralKeysFit(t *testing.T) {
	ed := ed25519Keys(5)
	type published struct {
		kid string
		key any
	}
	five := func(kid string) (keys []published) {
		for _, key := range ed {
			keys = append(keys, published{kid, key})
		}
		return keys
	}
	tests := []struct {
		name string
		keys []published
		kid  string // of the token
		key  any    // that signs the token
		want string // in the error; empty: accepted
	}{
		{"no kid, two keys, first", []published{{"a", rsaKey1()}, {"b", rsaKey2()}}, "", rsaKey1(), ""},
		{"no kid, two keys, second", []published{{"a", rsaKey1()}, {"b", rsaKey2()}}, "", rsaKey2(), ""},
		{"no kid, neither key", []published{{"a", rsaKey1()}, {"b", rsaKey2()}}, "", rsaKey3(), "does not match"},
		{"kid of two keys, first", []published{{"a", rsaKey1()}, {"a", rsaKey2()}}, "a", rsaKey1(), ""},
		{"kid of two keys, second", []published{{"a", rsaKey1()}, {"a", rsaKey2()}}, "a", rsaKey2(), ""},
		{"kid of two keys, neither", []published{{"a", rsaKey1()}, {"a", rsaKey2()}}, "a", rsaKey3(), "does not match"},
		{"kid of two keys, key with another ID", []published{{"a", rsaKey1()}, {"b", rsaKey2()}, {"a", rsaKey3()}}, "a", rsaKey2(), "does not match"},
		{"kid of keys of two types", []published{{"a", rsaKey1()}, {"a", p256Key()}, {"a", edKey()}}, "a", p256Key(), ""},
		{"kid of no key, two keys without an ID", []published{{"", rsaKey1()}, {"", rsaKey2()}}, "a", rsaKey2(), ""},
		{"kid of no key, key with another ID", []published{{"", rsaKey1()}, {"b", rsaKey2()}}, "a", rsaKey2(), "does not match"},
		{"no kid, fourth of five keys", five(""), "", ed[3], ""},
		{"no kid, fifth of five keys", five(""), "", ed[4], "first 4"},
		{"no kid, fifth key, four of other types", []published{{"a", rsaKey1()}, {"b", p256Key()}, {"c", p384Key()}, {"d", p521Key()}, {"e", edKey()}}, "", edKey(), ""},
		{"kid of the fifth key", append(five("a"), published{"b", edKey()}), "b", edKey(), ""},
	}
	for _, test := range tests {
		text := signedBy(test.kid, test.key)
		check := func(t *testing.T, v *jwtauth.Verifier) {
			t.Helper()
			_, err := v.Verify(t.Context(), text)
			if test.want == "" && err != nil {
				t.Errorf("Verify = %v", err)
			}
			if test.want != "" && (!errors.Is(err, auth.ErrInvalidToken) || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("Verify = %v, want ErrInvalidToken for %q", err, test.want)
			}
		}
		var set []changeable
		for _, k := range test.keys {
			if k.kid == "" {
				set = append(set, jwkOf("", k.key).with("kid", nil))
			} else {
				set = append(set, jwkOf(k.kid, k.key))
			}
		}
		t.Run("URL/"+test.name, func(t *testing.T) {
			s := newKeyServer(t)
			s.publish(set...)
			check(t, newVerifier(t, s.options()))
		})
		if len(test.keys) > 4 && test.keys[0].kid == test.keys[4].kid {
			continue // New refuses more than 4 keys with the same ID and algorithm
		}
		t.Run("Keys/"+test.name, func(t *testing.T) {
			keys, err := jwtauth.ParseSet([]byte(setOf(set...)))
			if err != nil {
				t.Fatalf("ParseSet: %v", err)
			}
			check(t, newVerifier(t, &jwtauth.Options{Keys: keys}))
		})
	}
}

// TestSecretRotation has an old and a new secret, as a host uses them while it replaces one.
func TestSecretRotation(t *testing.T) {
	for _, kid := range []string{"", "session"} {
		v := newVerifier(t, &jwtauth.Options{Keys: []jwtauth.Key{jwtauth.HMAC(kid, secret32()), jwtauth.HMAC(kid, secret64())}})
		for name, secret := range map[string][]byte{"old": secret32(), "new": secret64()} {
			expect(t, v, token("HS256", secret, header("HS256", kid), goodClaims()), accepted, name)
		}
		expect(t, v, token("HS256", newSecret(32), header("HS256", kid), goodClaims()), refused, "another")
		expect(t, v, token("HS512", secret64(), header("HS512", kid), goodClaims()), accepted, "only the new secret serves HS512")
	}
}
