package jwtauth_test

import (
	"testing"

	"github.com/planrooms/planrooms/auth/jwtauth"
)

// BenchmarkVerify verifies the same ordinary token repeatedly, with keys of Options.Keys and with a
// key set from a URL.
func BenchmarkVerify(b *testing.B) {
	claims := changeable(goodClaims()).with("name", "Ann Lee").with("email", "ann@example.com").
		with("jti", "0b6f7f5e-6d5c-4b0c-9d0a-5c3f2c1d7e11").with("roles", []string{"editor", "viewer"}).with("tenant", 7)
	keys := []struct {
		alg, kid string
		key      any
	}{{"HS256", "h1", secret64()}, {"RS256", "r1", rsaKey1()}, {"ES256", "e256", p256Key()}, {"EdDSA", "d1", edKey()}}
	for _, k := range keys {
		text := token(k.alg, k.key, header(k.alg, k.kid), claims)
		b.Run("keys/"+k.alg, func(b *testing.B) { benchmarkVerify(b, newVerifier(b, goodOptions()), text) })
		if k.alg == "HS256" {
			continue
		}
		b.Run("url/"+k.alg, func(b *testing.B) {
			s := newKeyServer(b)
			s.publish(jwkOf("r1", rsaKey1()), jwkOf("e256", p256Key()), jwkOf("d1", edKey()))
			benchmarkVerify(b, newVerifier(b, s.options()), text)
		})
	}
}

func benchmarkVerify(b *testing.B, v *jwtauth.Verifier, text string) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
}
