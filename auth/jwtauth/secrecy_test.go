package jwtauth_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/auth/jwtauth"
)

// quotes returns a piece of secret, 8 bytes long, that text contains, or "" if there is none.
func quotes(text, secret string) string {
	for i := 0; i+8 <= len(secret); i++ {
		if strings.Contains(text, secret[i:i+8]) {
			return secret[i : i+8]
		}
	}
	return ""
}

// TestErrorsDoNotQuoteTokens looks for pieces of each token, encoded and decoded, in its error.
func TestErrorsDoNotQuoteTokens(t *testing.T) {
	verifiers := map[string]*jwtauth.Verifier{
		"keys":        newVerifier(t, goodOptions()),
		"unavailable": newVerifier(t, &jwtauth.Options{JWKSURL: "http://127.0.0.1:0/"}),
	}
	tokens := badTokens("https://evil.example.com/canary")
	tokens = append(tokens, badToken{name: "expired", text: token("EdDSA", edKey(), header("EdDSA", "d1"), changeable(goodClaims()).with("exp", 1))})
	for name, v := range verifiers {
		for _, test := range tokens {
			_, err := v.Verify(t.Context(), test.text)
			if err == nil {
				t.Errorf("%s, %s: accepted", name, test.name)
				continue
			}
			text := err.Error()
			if piece := quotes(text, test.text); piece != "" {
				t.Errorf("%s, %s: error %q contains %q of the token", name, test.name, text, piece)
			}
			for part := range strings.SplitSeq(test.text, ".") {
				decoded, _ := base64.RawURLEncoding.DecodeString(part)
				if piece := quotes(text, string(decoded)); piece != "" {
					t.Errorf("%s, %s: error %q contains %q of the token's content", name, test.name, text, piece)
				}
			}
		}
	}
}

// TestPrintingShowsNoSecret prints the values that a host may log by mistake.
func TestPrintingShowsNoSecret(t *testing.T) {
	const secret = "canary-canary-canary-canary-canary"
	key := jwtauth.HMAC("h1", []byte(secret))
	options := &jwtauth.Options{Keys: []jwtauth.Key{key}}
	verifier := newVerifier(t, options)
	forms := []string{secret, fmt.Sprint([]byte(secret)), fmt.Sprintf("%x", secret), fmt.Sprintf("%#v", []byte(secret))}
	for _, value := range []any{key, &key, options.Keys, *options, options, verifier, reflect.ValueOf(verifier).Elem()} {
		texts := []string{fmt.Sprint(value), fmt.Sprintf("%+v", value), fmt.Sprintf("%#v", value), fmt.Sprintf("%s", value), fmt.Sprintf("%x", value)}
		if b, err := json.Marshal(value); err == nil {
			texts = append(texts, string(b))
		}
		for _, text := range texts {
			for _, form := range forms {
				if strings.Contains(text, strings.Trim(form, "[]")) {
					t.Errorf("the printed %T contains the secret", value)
				}
			}
		}
	}

	_, err := jwtauth.New(&jwtauth.Options{Keys: []jwtauth.Key{jwtauth.HMAC("", []byte(secret[:20]))}})
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("New = %v, want an error without the secret", err)
	}
}
