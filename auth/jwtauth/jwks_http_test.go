package jwtauth_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth/jwtauth"
)

// The tests in this file fetch over loopback.

func TestJWKSOverHTTP(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("TLS ", secure), func(t *testing.T) {
			s, server := listen(t, secure)
			s.publish(jwkOf("a", edKey()), jwkOf("r", rsaKey1()), jwkOf("e", p521Key()))
			o := &jwtauth.Options{JWKSURL: server.URL}
			if secure {
				o.HTTPClient = server.Client()
			}
			v := newVerifier(t, o)
			expect(t, v, signedBy("a", edKey()), accepted, "Ed25519")
			expect(t, v, signedBy("r", rsaKey1()), accepted, "RSA")
			expect(t, v, signedBy("e", p521Key()), accepted, "ECDSA")
			expect(t, v, signedBy("r", rsaKey2()), refused, "another key")
			expect(t, v, signedBy("x", rsaKey1()), unavailable, "unknown kid")
			expectFetches(t, s, 1, "after all tokens")
		})
	}
}

// TestJWKSUntrustedServer checks that the default client verifies certificates.
func TestJWKSUntrustedServer(t *testing.T) {
	s, server := listen(t, true)
	s.publish(jwkOf("a", edKey()))
	v := newVerifier(t, &jwtauth.Options{JWKSURL: server.URL})
	expect(t, v, signedBy("a", edKey()), unavailable, "unknown authority")
}

func TestJWKSRedirect(t *testing.T) {
	s, server := listen(t, false)
	s.publish(jwkOf("a", edKey()))
	var asked atomic.Int32
	hop := httptest.NewServer(http.RedirectHandler(server.URL, http.StatusFound))
	defer hop.Close()

	v := newVerifier(t, &jwtauth.Options{JWKSURL: hop.URL, HTTPClient: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { asked.Add(1); return nil },
	}})
	expect(t, v, signedBy("a", edKey()), accepted, "redirect on loopback")
	if asked.Load() != 1 {
		t.Error("the verifier did not call CheckRedirect of the client")
	}
}

func TestJWKSFaultsOverHTTP(t *testing.T) {
	good := setOf(jwkOf("a", edKey()))
	for name, handler := range map[string]http.HandlerFunc{
		"500":          send(http.StatusInternalServerError, good),
		"10 MB":        send(http.StatusOK, good+strings.Repeat(" ", 10<<20)),
		"invalid JSON": send(http.StatusOK, good[:len(good)-2]),
		"half a body": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			fmt.Fprint(w, good[:len(good)/2])
		},
		"connection reset": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.(*net.TCPConn).SetLinger(0) // Close sends RST
			conn.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, server := listen(t, false)
			s.set(handler)
			v := newVerifier(t, &jwtauth.Options{JWKSURL: server.URL})
			expect(t, v, signedBy("a", edKey()), unavailable, "during the fault")
			s.publish(jwkOf("a", edKey()))
			jwtauth.Advance(v, jwtauth.ColdInterval)
			expect(t, v, signedBy("a", edKey()), accepted, "after the fault")
		})
	}
}

func TestRotationOverHTTP(t *testing.T) {
	s, server := listen(t, false)
	v := newVerifier(t, &jwtauth.Options{JWKSURL: server.URL})
	keys := []any{rsaKey1(), p256Key(), edKey(), rsaKey2(), p521Key()}
	var set []changeable
	for i, key := range keys {
		set = append(set, jwkOf(fmt.Sprint(i), key))
		s.publish(set...)
		text := signedBy(fmt.Sprint(i), key)
		if i > 0 {
			expect(t, v, text, unavailable, "new key, just after a fetch")
			jwtauth.Advance(v, jwtauth.RefetchInterval)
		}
		expect(t, v, text, accepted, "new key")
		expect(t, v, signedBy("0", rsaKey1()), accepted, "first key")
		expectFetches(t, s, i+1, "after the rotation")
	}

	// The issuer replaces the last key and keeps its ID.
	set[4] = jwkOf("4", p384Key())
	s.publish(set...)
	expect(t, v, signedBy("4", p384Key()), refused, "replaced key, just after a fetch")
	jwtauth.Advance(v, jwtauth.RefetchInterval)
	expect(t, v, signedBy("4", p384Key()), accepted, "replaced key")
	expect(t, v, signedBy("4", p521Key()), refused, "former key")
	expectFetches(t, s, 6, "in the end")
}

// TestSlowFetchOverHTTP has 400 tokens wait for one fetch at the same time.
func TestSlowFetchOverHTTP(t *testing.T) {
	s, server := listen(t, false)
	fetching, release := make(chan struct{}), make(chan struct{})
	s.set(func(w http.ResponseWriter, _ *http.Request) {
		close(fetching)
		<-release
		io.WriteString(w, setOf(jwkOf("a", edKey())))
	})
	v := newVerifier(t, &jwtauth.Options{JWKSURL: server.URL})
	good := signedBy("a", edKey())
	var wg sync.WaitGroup
	wg.Go(func() { expect(t, v, good, accepted, "token that starts the fetch") })
	<-fetching
	for i := range 400 {
		wg.Go(func() {
			if i%2 == 0 {
				expect(t, v, good, accepted, "token that waits for the fetch")
			} else {
				expect(t, v, junk(i, good), unavailable, "unknown kid")
			}
		})
	}
	close(release)
	wg.Wait()
	expectFetches(t, s, 1, "in the end")
}

// TestFloodOverHTTP presents thousands of tokens with unknown kids concurrently.
func TestFloodOverHTTP(t *testing.T) {
	s, server := listen(t, false)
	s.publish(jwkOf("a", edKey()))
	v := newVerifier(t, &jwtauth.Options{JWKSURL: server.URL})
	good := signedBy("a", edKey())
	began := time.Now()
	expect(t, v, good, accepted, "before the flood")
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 200 {
				if got := verify(t, v, junk(200*g+i, good)); got == accepted {
					t.Errorf("unknown kid: token is %s", got)
				}
				if i%30 == 0 {
					expect(t, v, good, accepted, "during the flood")
				}
			}
		})
	}
	wg.Wait()
	if got, most := len(s.requests()), 1+int(time.Since(began)/jwtauth.RefetchInterval); got > most {
		t.Errorf("%d fetches, want at most %d", got, most)
	}

	// The flood does not keep a new key out.
	s.publish(jwkOf("a", edKey()), jwkOf("b", rsaKey1()))
	jwtauth.Advance(v, jwtauth.RefetchInterval)
	expect(t, v, signedBy("b", rsaKey1()), accepted, "new key after the flood")
}

// junk returns good with another kid, so that the signature does not match.
func junk(i int, good string) string {
	head := fmt.Appendf(nil, `{"alg":"EdDSA","kid":"junk-%d"}`, i)
	return encode(head) + good[strings.IndexByte(good, '.'):]
}

// TestJWKSConcurrentUse uses one verifier from many goroutines while the set changes, and closes it
// meanwhile. It is for the race detector.
func TestJWKSConcurrentUse(t *testing.T) {
	s, server := listen(t, false)
	s.publish(jwkOf("a", edKey()))
	v := newVerifier(t, &jwtauth.Options{JWKSURL: server.URL, RefreshInterval: 1})
	known, unknown := signedBy("a", edKey()), signedBy("b", rsaKey1())
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := range 20 {
				if i == 0 && n == 16 {
					v.Close()
				}
				if i == 1 {
					s.publish(jwkOf("a", edKey()), jwkOf(fmt.Sprint(n), edKey()))
					jwtauth.Advance(v, jwtauth.RefetchInterval)
				}
				if got := verify(t, v, known); got != accepted && got != closed {
					t.Errorf("known key: token is %s", got)
				}
				if got := verify(t, v, unknown); got == accepted {
					t.Errorf("unknown key: token is %s", got)
				}
			}
		})
	}
	wg.Wait()
}
