package jwtauth_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
)

// badTokens returns tokens that goodOptions refuses, with the reason. The attacker has a server and
// an RSA key, rsaKey2, which they present as another one.
func badTokens(attackerURL string) []badToken {
	h := header("RS256", "r1")
	claims := changeable(goodClaims())
	now := claims["iat"].(int64)
	rs := func(header, claims any) string { return token("RS256", rsaKey1(), header, claims) }
	raw := func(header, payload string) string {
		return tokenOf("RS256", rsaKey1(), []byte(header), []byte(payload))
	}
	good := rs(h, claims)
	parts := strings.Split(good, ".")
	body := string(must(json.Marshal(claims)))
	forged := func(header changeable) string { return token("RS256", rsaKey2(), header, claims) }
	expired := claims.with("exp", now-1)
	hs := func(secret []byte, kid string) string {
		return token("HS256", secret, header("HS256", kid), claims)
	}
	sig := must(base64.RawURLEncoding.DecodeString(parts[2]))
	signedBy := func(sig []byte) string { return parts[0] + "." + parts[1] + "." + encode(sig) }
	flipped := slices.Clone(sig)
	flipped[100] ^= 1

	const (
		form, head, crit, nested = "compact form", "malformed header", "must be understood", "nested"
		algorithm, payload       = "algorithm not allowed", "malformed claims"
		sub, iss, aud, exp       = "claim sub", "claim iss", "claim aud", "claim exp"
		nbf, iat                 = "claim nbf", "claim iat"
		unknown, badSign         = "unknown key", "signature does not match"
	)
	return []badToken{
		// Form.
		{"one part", parts[0], form},
		{"two parts", parts[0] + "." + parts[1], form},
		{"two dots alone", "..", form},
		{"no signature", parts[0] + "." + parts[1] + ".", form},
		{"no header", "." + parts[1] + "." + parts[2], form},
		{"no payload", parts[0] + ".." + parts[2], form},
		{"four parts", good + "." + parts[2], form},
		{"five parts, a JWE", strings.Repeat(parts[0]+".", 4) + parts[0], form},
		{"a JWE header", rs(h.with("alg", "RSA-OAEP").with("enc", "A256GCM"), claims), algorithm},
		{"enc beside a signature", rs(h.with("enc", "A256GCM"), claims), crit},
		{"padding", good + "==", form},
		{"padding in the header", parts[0] + "=." + parts[1] + "." + parts[2], form},
		{"line break inside", parts[0] + "." + parts[1] + ".\n" + parts[2], form},
		{"trailing line break", good + "\n", form},
		{"leading space", " " + good, form},
		{"scheme in front", "Bearer " + good, form},
		{"standard alphabet", parts[0] + "." + parts[1] + ".+/+/", form},
		{"loose bits", parts[0] + "." + parts[1] + ".AB", form},
		{"JSON form", `{"payload":"` + parts[1] + `","signatures":[]}`, form},
		{"an opaque token", "s-81f3a0c2", form},
		{"NUL", "\x00.\x00.\x00", form},
		{"not UTF-8", "\xff.\xff.\xff", form},
		{"over 8 KiB", rs(h, claims.with("pad", strings.Repeat("x", 9000))), "too long"},
		{"over 8 KiB of dots", strings.Repeat(".", 8193), "too long"},

		// Header.
		{"header is not JSON", raw("not JSON", body), head},
		{"header is an array", raw(`["RS256"]`, body), head},
		{"header is null", raw(`null`, body), head},
		{"header with two alg", raw(`{"alg":"none","kid":"r1","alg":"RS256"}`, body), head},
		{"header with trailing data", raw(`{"alg":"RS256","kid":"r1"}{}`, body), head},
		{"header not closed", raw(`{"alg":"RS256","kid":"r1"`, body), head},
		{"header not UTF-8", raw("{\"alg\":\"RS256\",\"kid\":\"\xff\"}", body), head},
		{"alg missing", rs(h.with("alg", nil), claims), head},
		{"alg under another case", rs(h.with("alg", nil).with("ALG", "RS256"), claims), head},
		{"alg is a number", rs(h.with("alg", 256), claims), head},
		{"kid is a number", rs(h.with("kid", 1), claims), head},
		{"kid is an array", rs(h.with("kid", []string{"r1"}), claims), head},
		{"crit", rs(h.with("crit", []string{"exp"}), claims), crit},
		{"crit empty", rs(h.with("crit", []string{}), claims), crit},
		{"b64 false", rs(h.with("b64", false), claims), crit},
		{"zip", rs(h.with("zip", "DEF"), claims), crit},
		{"nested by cty", rs(h.with("cty", "JWT"), claims), nested},
		{"nested in the payload", raw(`{"alg":"RS256","kid":"r1"}`, good), payload},

		// Algorithm and key.
		{"alg none, no signature", encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", form},
		{"alg none, some signature", encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".AA", algorithm},
		{"alg None", encode([]byte(`{"alg":"None"}`)) + "." + parts[1] + ".AA", algorithm},
		{"alg in lower case", rs(h.with("alg", "rs256"), claims), algorithm},
		{"alg unknown", rs(h.with("alg", "ES256K"), claims), algorithm},
		{"HMAC with the public key in PEM", hs(publicPEM(rsaKey1()), "r1"), algorithm},
		{"HMAC with the public key in DER", hs(publicDER(rsaKey1()), "r1"), algorithm},
		{"HMAC with the public key, no kid", hs(publicPEM(rsaKey1()), ""), badSign},
		{"HMAC with an empty secret", hs(nil, "h1"), badSign},
		{"kid of an RSA key, alg ES256", token("ES256", p256Key(), header("ES256", "r1"), claims), algorithm},
		{"kid of an Ed25519 key, alg RS256", rs(h.with("kid", "d1"), claims), algorithm},
		{"ES256 with a P-384 key", token("ES256", p384Key(), header("ES256", "e384"), claims), algorithm},
		{"ES384 with a P-256 key", token("ES384", p256Key(), header("ES384", "e256"), claims), algorithm},
		{"ES256 signed on another curve", token("ES256", p384Key(), header("ES256", "e256"), claims), badSign},
		{"unknown kid", rs(h.with("kid", "r9"), claims), unknown},
		{"kid of another case", rs(h.with("kid", "R1"), claims), unknown},
		{"kid is a path", rs(h.with("kid", "../../../../dev/null"), claims), unknown},
		{"kid is SQL", rs(h.with("kid", "r1' UNION SELECT 'key"), claims), unknown},
		{"kid is a URL", rs(h.with("kid", attackerURL), claims), unknown},
		{"kid with NUL", rs(h.with("kid", "r1\x00"), claims), unknown},
		{"no kid, no key matches", token("RS256", rsaKey3(), h.with("kid", nil), claims), badSign},
		{"kid null, no key matches", token("RS256", rsaKey3(), h.with("kid", null), claims), badSign},
		{"kid empty, no key matches", token("RS256", rsaKey3(), h.with("kid", ""), claims), badSign},
		{"jku of an attacker", forged(h.with("jku", attackerURL)), badSign},
		{"x5u of an attacker", forged(h.with("x5u", attackerURL)), badSign},
		{"jwk of an attacker", forged(h.with("jwk", jwkOf("r1", rsaKey2()))), badSign},
		{"jwk of an attacker, unknown kid", forged(h.with("kid", "mine").with("jwk", jwkOf("mine", rsaKey2()))), unknown},
		{"x5c of an attacker", forged(h.with("x5c", []string{"MIIB"})), badSign},

		// Signature.
		{"another key", forged(h), badSign},
		{"one bit of the signature", signedBy(flipped), badSign},
		{"signature too short", signedBy(sig[:255]), badSign},
		{"signature of another token", parts[0] + "." + strings.Split(rs(h, claims.with("sub", "bob")), ".")[1] + "." + parts[2], badSign},
		{"RS256 declared as PS256", rs(h.with("alg", "PS256"), claims), badSign},
		{"signature too long", signedBy(append(sig, 0)), badSign},
		{"zeros for ES256", encode([]byte(`{"alg":"ES256","kid":"e256"}`)) + "." + parts[1] + "." + encode(make([]byte, 64)), badSign},
		{"zeros for EdDSA", encode([]byte(`{"alg":"EdDSA","kid":"d1"}`)) + "." + parts[1] + "." + encode(make([]byte, 64)), badSign},
		{"expired, with a bad signature", token("RS256", rsaKey2(), h, expired), badSign},

		// Claims.
		{"payload is not JSON", raw(`{"alg":"RS256","kid":"r1"}`, "hello"), payload},
		{"payload is an array", raw(`{"alg":"RS256","kid":"r1"}`, "["+body+"]"), payload},
		{"payload with two sub", raw(`{"alg":"RS256","kid":"r1"}`, `{"sub":"ann",`+strings.Replace(body[1:], "ann", "bob", 1)), payload},
		{"a duplicate name in a nested object", raw(`{"alg":"RS256","kid":"r1"}`, `{"x":[{"a":1,"\u0061":2}],`+body[1:]), payload},
		{"payload too deep", raw(`{"alg":"RS256","kid":"r1"}`, `{"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,`+body[1:]), payload},
		{"payload with a malformed number", raw(`{"alg":"RS256","kid":"r1"}`, `{"x":01,`+body[1:]), payload},
		{"payload with objects too deep", raw(`{"alg":"RS256","kid":"r1"}`, `{"x":`+strings.Repeat(`{"x":`, 40)+"1"+strings.Repeat("}", 40)+`,`+body[1:]), payload},
		{"no exp", rs(h, claims.with("exp", nil)), exp},
		{"exp is text", rs(h, claims.with("exp", fmt.Sprint(now+60))), exp},
		{"exp is null", rs(h, claims.with("exp", null)), exp},
		{"exp is negative", rs(h, claims.with("exp", -1)), exp},
		{"exp is after the year 9999", rs(h, claims.with("exp", int64(253402300800))), exp},
		{"exp is a huge number", rs(h, claims.with("exp", 1e300)), exp},
		{"exp in milliseconds", rs(h, claims.with("exp", now*1000)), exp},
		{"nbf beyond the skew", rs(h, claims.with("nbf", now+90)), nbf},
		{"nbf is text", rs(h, claims.with("nbf", "now")), nbf},
		{"iat beyond the skew", rs(h, claims.with("iat", now+90)), iat},
		{"iat is a boolean", rs(h, claims.with("iat", true)), iat},
		{"no iss", rs(h, claims.with("iss", nil)), iss},
		{"another iss", rs(h, claims.with("iss", "https://login.example.com")), iss},
		{"iss is an array", rs(h, claims.with("iss", []string{issuer})), iss},
		{"iss is an object", rs(h, claims.with("iss", object{})), iss},
		{"no aud", rs(h, claims.with("aud", nil)), aud},
		{"another aud", rs(h, claims.with("aud", "billing")), aud},
		{"other auds", rs(h, claims.with("aud", []any{"billing", 7, nil, object{}, []string{"plans"}})), aud},
		{"aud is an object", rs(h, claims.with("aud", object{"plans": true})), aud},
		{"no sub", rs(h, claims.with("sub", nil)), sub},
		{"sub empty", rs(h, claims.with("sub", "")), sub},
		{"sub over 256 bytes", rs(h, claims.with("sub", strings.Repeat("é", 129))), sub},
		{"sub with a line break", rs(h, claims.with("sub", "ann\nbob")), sub},
		{"sub with a C1 character", rs(h, claims.with("sub", "ann\u0085")), sub},
		{"sub with half a surrogate pair", raw(`{"alg":"RS256","kid":"r1"}`, strings.Replace(body, `"ann"`, `"ann\ud800"`, 1)), sub},
		{"expired, for another audience", rs(h, expired.with("aud", "billing")), aud},
	}
}

type badToken struct {
	name   string
	text   string
	reason string
}

func TestVerifyBadTokens(t *testing.T) {
	var hits atomic.Int32
	attacker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		fmt.Fprint(w, setOf(jwkOf("r1", rsaKey2()), jwkOf("r9", rsaKey1())))
	}))
	defer attacker.Close()

	v := newVerifier(t, goodOptions())
	for _, test := range badTokens(attacker.URL) {
		t.Run(test.name, func(t *testing.T) {
			id, err := v.Verify(t.Context(), test.text)
			if !errors.Is(err, auth.ErrInvalidToken) || !strings.Contains(err.Error(), test.reason) {
				t.Fatalf("Verify error = %v, want ErrInvalidToken for %q", err, test.reason)
			}
			var expired *auth.ExpiredError
			if errors.As(err, &expired) || errors.Is(err, auth.ErrNoToken) {
				t.Errorf("Verify error %v is of more than one kind", err)
			}
			if diff := cmp.Diff(auth.Identity{}, id); diff != "" {
				t.Errorf("Verify identity (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := v.Verify(t.Context(), ""); !errors.Is(err, auth.ErrNoToken) {
		t.Errorf("Verify(\"\") = %v, want ErrNoToken", err)
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the tokens caused %d fetches", n)
	}
}

// TestVerifyGoodTokens has tokens that are unusual but valid.
func TestVerifyGoodTokens(t *testing.T) {
	h, claims := header("RS256", "r1"), changeable(goodClaims())
	v := newVerifier(t, goodOptions())
	for name, test := range map[string]struct{ header, claims changeable }{
		"jku, x5u and jwk beside a good key": {h.with("jku", "http://127.0.0.1:1/").with("x5u", "x").with("jwk", jwkOf("x", rsaKey2())), claims},
		"other typ":                          {h.with("typ", "at+jwt"), claims},
		"unknown header":                     {h.with("x", []any{1, object{"y": nil}}), claims},
		"audience in a list":                 {h, claims.with("aud", []string{"billing", "plans"})},
		"sub of 256 bytes":                   {h, claims.with("sub", strings.Repeat("é", 128))},
		"claims of every type":               {h, claims.with("x", []any{nil, true, 1.5, "s", object{"a": []any{}}})},
		"kid null":                           {h.with("kid", null), claims},
		"kid empty":                          {h.with("kid", ""), claims},
		"nbf and iat null":                   {h, claims.with("nbf", null).with("iat", null)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := v.Verify(t.Context(), token("RS256", rsaKey1(), test.header, test.claims)); err != nil {
				t.Errorf("Verify = %v", err)
			}
		})
	}
}

func TestVerifySizeLimit(t *testing.T) {
	v := newVerifier(t, goodOptions())
	build := func(headerPad, pad int) string {
		h := header("EdDSA", "d1").with("pad", strings.Repeat("x", headerPad))
		return token("EdDSA", edKey(), h, changeable(goodClaims()).with("pad", strings.Repeat("x", pad)))
	}
	start := (auth.MaxTokenBytes - len(build(0, 0))) * 3 / 4
	var atLimit, above bool
	// Base64 of one part does not have every length, so the test changes two parts.
	for i := range 3 * 16 {
		text := build(i%3, start-8+i/3)
		_, err := v.Verify(t.Context(), text)
		atLimit = atLimit || len(text) == auth.MaxTokenBytes
		above = above || len(text) == auth.MaxTokenBytes+1
		if ok := len(text) <= auth.MaxTokenBytes; ok != (err == nil) {
			t.Errorf("Verify of %d bytes = %v, want accepted %v", len(text), err, ok)
		}
	}
	if !atLimit || !above {
		t.Errorf("no token was exactly at the limit (%v), or one byte above it (%v)", atLimit, above)
	}
}
