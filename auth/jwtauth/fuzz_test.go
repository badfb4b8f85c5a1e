package jwtauth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
)

// FuzzVerify modifies tokens. Verify must not panic, and must not accept a token whose content
// differs from those that the test signed.
func FuzzVerify(f *testing.F) {
	// The processes of the fuzzer must use the same keys.
	secret := []byte(strings.Repeat("0123456789abcdef", 4))
	ed := ed25519.NewKeyFromSeed(secret[:32])
	ec := must(ecdsa.ParseRawPrivateKey(elliptic.P256(), secret[:32]))
	v := newVerifier(f, &jwtauth.Options{
		Keys: []jwtauth.Key{
			jwtauth.HMAC("h1", secret),
			jwtauth.Ed25519("d1", ed.Public().(ed25519.PublicKey)),
			jwtauth.ECDSA("e1", &ec.PublicKey),
			jwtauth.RSA("r1", &rsaKey1().PublicKey),
		},
		Issuer: issuer, Audience: audience, RequiredClaims: object{"use": "access"},
	})

	signed := make(map[string]bool)
	add := func(text string) {
		f.Add(text)
		signed[text[:max(0, strings.LastIndexByte(text, '.'))]] = true
	}
	claims := changeable{"sub": "ann", "iss": issuer, "aud": []string{audience}, "use": "access", "exp": int64(253402300799), "nbf": 1.5, "iat": 0}
	for _, c := range []changeable{claims, claims.with("name", "Ann Lee").with("email", "ann@example.com"), claims.with("exp", 1), claims.with("x", object{"y": []any{nil, 1e9}})} {
		add(token("HS256", secret, header("HS256", "h1"), c))
		add(token("HS512", secret, header("HS512", ""), c))
		add(token("EdDSA", ed, header("EdDSA", "d1"), c))
		add(token("ES256", ec, header("ES256", "e1"), c))
	}
	for _, bad := range badTokens("https://evil.example.com/") {
		f.Add(bad.text)
	}
	f.Add("")

	f.Fuzz(func(t *testing.T, text string) {
		id, err := v.Verify(t.Context(), text)
		if err != nil {
			var expired *auth.ExpiredError
			if !errors.Is(err, auth.ErrNoToken) && !errors.Is(err, auth.ErrInvalidToken) && !errors.As(err, &expired) {
				t.Errorf("Verify(%q) = %v, want an error about the token", text, err)
			}
			if id.UserID != "" || id.Claims != nil {
				t.Errorf("Verify(%q) = %v and an identity", text, err)
			}
			return
		}
		if !signed[text[:strings.LastIndexByte(text, '.')]] {
			t.Errorf("Verify(%q) accepted a token that was never signed", text)
		}
		if id.UserID != "ann" || id.Name == "" || id.ExpiresAt.IsZero() {
			t.Errorf("Verify(%q) = %+v", text, id)
		}
	})
}

// FuzzVerifyClaims signs arbitrary payloads.
func FuzzVerifyClaims(f *testing.F) {
	secret := []byte(strings.Repeat("0123456789abcdef", 2))
	v := newVerifier(f, &jwtauth.Options{Keys: []jwtauth.Key{jwtauth.HMAC("", secret)}, Audience: audience})
	f.Add(`{"alg":"HS256"}`, `{"sub":"ann","aud":["plans"],"exp":253402300799,"nbf":1.5,"name":"Ann","email":"a@b"}`)
	f.Add(`{"alg":"HS256","kid":"x","jku":"y"}`, `{"sub":"\ud800","aud":"plans","exp":1e11,"x":{"y":[null,{},"\u0000"]}}`)
	f.Add(`{"alg":"HS256","kid":null}`, `{"sub":9007199254740993,"aud":"plans","exp":2.5e10,"iat":null,"x":[1e999,-0]}`)
	f.Fuzz(func(t *testing.T, header, payload string) {
		id, err := v.Verify(t.Context(), tokenOf("HS256", secret, []byte(header), []byte(payload)))
		if err != nil {
			return
		}
		for _, s := range []string{id.UserID, id.Name} {
			if s == "" || len(s) > 256 || !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\n\r\x1b\x7f") {
				t.Errorf("Verify of %q = %+v", payload, id)
			}
		}
		if id.ExpiresAt.IsZero() {
			t.Errorf("Verify of %q never expires", payload)
		}
	})
}

// FuzzRequiredNumber compares a number in a token with a required one, as package big does.
func FuzzRequiredNumber(f *testing.F) {
	secret := []byte(strings.Repeat("0123456789abcdef", 2))
	for _, text := range []string{"42", "42.0", "4.2e1", "-0", "0.000e5", "9007199254740993", "420E-1", "1e-300"} {
		f.Add(text, int64(42))
	}
	f.Fuzz(func(t *testing.T, text string, want int64) {
		var number json.Number
		if json.Unmarshal([]byte(text), &number) != nil || number.String() != text || len(text) > 100 {
			return
		}
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			return // an exponent that package big does not accept
		}
		v := newVerifier(t, &jwtauth.Options{Keys: []jwtauth.Key{jwtauth.HMAC("", secret)}, RequiredClaims: object{"n": want}})
		payload := fmt.Sprintf(`{"sub":"ann","exp":253402300799,"n":%s}`, text)
		_, err := v.Verify(t.Context(), tokenOf("HS256", secret, []byte(`{"alg":"HS256"}`), []byte(payload)))
		if equal := exact.Cmp(new(big.Rat).SetInt64(want)) == 0; equal != (err == nil) {
			t.Errorf("%s equals %d: %v, but Verify = %v", text, want, equal, err)
		}
	})
}

// FuzzParseSet parses key sets and verifies a token with them.
func FuzzParseSet(f *testing.F) {
	ed := ed25519.NewKeyFromSeed(make([]byte, 32))
	f.Add(setOf(jwkOf("r", rsaKey1()), jwkOf("e", p256Key()), jwkOf("d", ed)))
	f.Add(setOf(jwkOf("o", []byte("secret")), jwkOf("e", p521Key()).with("alg", "ES512").with("key_ops", []string{"verify"})))
	f.Add(setOf(jwkOf("r", rsaKey1()).with("x5c", []string{"MIIB"}).with("x5t", "AA").with("x5u", "https://x/")))
	f.Add(`{"keys":[]}`)
	text := token("EdDSA", ed, header("EdDSA", "d"), changeable(goodClaims()).with("exp", int64(253402300799)))
	f.Fuzz(func(t *testing.T, document string) {
		keys, err := jwtauth.ParseSet([]byte(document))
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("ParseSet(%q) = %d keys, %v", document, len(keys), err)
		}
		if err != nil {
			return
		}
		v, err := jwtauth.New(&jwtauth.Options{Keys: keys})
		if err != nil {
			return // the same ID too often
		}
		v.Verify(t.Context(), text)
	})
}
