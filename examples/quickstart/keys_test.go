package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// claims decodes the header and the claims of a token, without a check of the signature.
func claims(t *testing.T, token string) (header, payload map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("token has %d parts", len(parts))
	}
	for i, v := range []*map[string]any{&header, &payload} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, v); err != nil {
			t.Fatal(err)
		}
	}
	return header, payload
}

func TestJWKS(t *testing.T) {
	s := start(t)
	header, _ := claims(t, s.login("alice"))
	if header["alg"] != "RS256" {
		t.Errorf("alg %v, want RS256", header["alg"])
	}
	var set struct{ Keys []map[string]any }
	resp := s.do("GET", "/.well-known/jwks.json", "", "")
	if err := json.Unmarshal(resp.body, &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("key set %s: %v", resp.body, err)
	}
	key := set.Keys[0]
	for _, name := range []string{"n", "e", "kid"} { // with any value
		if key[name] == "" || key[name] == nil {
			t.Errorf("key without %s", name)
		}
	}
	if key["kid"] != header["kid"] {
		t.Errorf("kid of the token %v, of the key %v", header["kid"], key["kid"])
	}
	delete(key, "n")
	delete(key, "e")
	delete(key, "kid")
	if diff := cmp.Diff(map[string]any{"kty": "RSA", "alg": "RS256", "use": "sig"}, key); diff != "" {
		t.Errorf("the rest of the key (-want +got):\n%s", diff)
	}
}

func TestSignTTL(t *testing.T) {
	keys, err := newSigner(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		ttl     time.Duration
		seconds float64
	}{
		{time.Second, 1},
		{5 * time.Second, 5},
		{15 * time.Minute, 900},
		{1500 * time.Millisecond, 2},
		{time.Nanosecond, 1},
	}
	for _, tt := range tests {
		before := time.Now()
		token, expires, err := keys.sign(person{"alice", "Alice"}, tt.ttl)
		if err != nil {
			t.Fatal(err)
		}
		_, payload := claims(t, token)
		iat, exp := payload["iat"].(float64), payload["exp"].(float64)
		if exp-iat != tt.seconds {
			t.Errorf("sign(%v): exp is iat + %v s, want %v", tt.ttl, exp-iat, tt.seconds)
		}
		if expires.Unix() != int64(exp) {
			t.Errorf("sign(%v): expires %v, exp %v", tt.ttl, expires, exp)
		}
		if expires.Before(before.Add(tt.ttl - 500*time.Millisecond)) {
			t.Errorf("sign(%v) at %v expires too early: %v", tt.ttl, before, expires)
		}
	}
}

func TestSigningKey(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ecFile := filepath.Join(dir, "ec.pem")
	writeKey(ecFile, ec)
	files := map[string]string{
		"empty.pem":   "",
		"text.pem":    "hello",
		"pkcs1.pem":   "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n",
		"garbage.pem": "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
	}
	bad := []string{ecFile, filepath.Join(dir, "missing.pem")}
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		bad = append(bad, file)
	}
	for _, file := range bad {
		if _, err := newSigner(file); err == nil {
			t.Errorf("newSigner(%s) succeeded", filepath.Base(file))
		}
	}

	one, err := newSigner("")
	if err != nil {
		t.Fatal(err)
	}
	two, err := newSigner(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	three, err := newSigner(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(one.set) == string(two.set) {
		t.Error("a generated key is that of the file")
	}
	if string(two.set) != string(three.set) {
		t.Error("one file gives two key sets")
	}
}

func TestLogin(t *testing.T) {
	s := start(t)
	tests := []struct {
		name, body string
		status     int
		seconds    float64
	}{
		{"default", `{"user":"alice"}`, http.StatusOK, 900},
		{"ttl", `{"user":"bob","ttl":"90s"}`, http.StatusOK, 90},
		{"null ttl", `{"user":"bob","ttl":null}`, http.StatusOK, 900},
		{"other fields", `{"user":"mallory","ttl":"1h","remember":true}`, http.StatusOK, 3600},
		{"unknown user", `{"user":"eve"}`, http.StatusUnauthorized, 0},
		{"another case", `{"user":"Alice"}`, http.StatusUnauthorized, 0},
		{"no user", `{}`, http.StatusUnauthorized, 0},
		{"empty ttl", `{"user":"alice","ttl":""}`, http.StatusBadRequest, 0},
		{"ttl without a unit", `{"user":"alice","ttl":"15"}`, http.StatusBadRequest, 0},
		{"ttl as a number", `{"user":"alice","ttl":15}`, http.StatusBadRequest, 0},
		{"ttl zero", `{"user":"alice","ttl":"0s"}`, http.StatusBadRequest, 0},
		{"ttl negative", `{"user":"alice","ttl":"-1m"}`, http.StatusBadRequest, 0},
		{"no JSON", `user=alice`, http.StatusBadRequest, 0},
		{"two values", `{"user":"alice"}{}`, http.StatusBadRequest, 0},
		{"nothing", ``, http.StatusBadRequest, 0},
		{"too large", `{"user":"` + strings.Repeat("x", maxLoginBody) + `"}`, http.StatusRequestEntityTooLarge, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := s.do("POST", "/api/login", "", tt.body)
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d %s, want %d", resp.StatusCode, resp.body, tt.status)
			}
			if tt.status != http.StatusOK {
				checkError(t, resp)
				return
			}
			var answer struct {
				Token     string
				ExpiresAt time.Time
			}
			if err := json.Unmarshal(resp.body, &answer); err != nil {
				t.Fatal(err)
			}
			_, payload := claims(t, answer.Token)
			exp := payload["exp"].(float64)
			if got := exp - payload["iat"].(float64); got != tt.seconds {
				t.Errorf("token holds %v s, want %v", got, tt.seconds)
			}
			if answer.ExpiresAt.Unix() != int64(exp) {
				t.Errorf("expiresAt %v, exp %v", answer.ExpiresAt, exp)
			}
			if !strings.Contains(tt.body, payload["sub"].(string)) {
				t.Errorf("token of %v", payload["sub"])
			}
			if got := resp.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q, want no-store", got)
			}
		})
	}
}

// checkError checks that a response has a JSON error.
func checkError(t *testing.T, resp response) {
	t.Helper()
	var answer map[string]string
	if err := json.Unmarshal(resp.body, &answer); err != nil || answer["error"] == "" || len(answer) != 1 {
		t.Errorf("status %d with body %s", resp.StatusCode, resp.body)
	}
	if resp.StatusCode == http.StatusUnauthorized && !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("WWW-Authenticate %q", resp.Header.Get("WWW-Authenticate"))
	}
}
