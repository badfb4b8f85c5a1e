package jwtauth_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/planrooms/planrooms/auth/jwtauth"
)

// setServer serves what document holds, over a real connection.
func setServer(t *testing.T, secure bool) (server *httptest.Server, document *atomic.Value, hits *atomic.Int32) {
	document, hits = new(atomic.Value), new(atomic.Int32)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		io.WriteString(w, document.Load().(string))
	})
	server = httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server, document, hits
}

func TestJWKSOverHTTP(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("TLS ", secure), func(t *testing.T) {
			server, document, hits := setServer(t, secure)
			document.Store(setOf(jwkOf("a", edKey()), jwkOf("r", rsaKey1()), jwkOf("e", p521Key())))
			o := &jwtauth.Options{JWKSURL: server.URL}
			if secure {
				o.HTTPClient = server.Client()
			}
			v := newVerifier(t, o)
			expect(t, v, signedBy("a", edKey()), accepted, "Ed25519")
			expect(t, v, signedBy("r", rsaKey1()), accepted, "RSA")
			expect(t, v, token("ES512", p521Key(), header("ES512", "e"), goodClaims()), accepted, "ECDSA")
			expect(t, v, signedBy("r", rsaKey2()), refused, "another key")
			expect(t, v, signedBy("x", rsaKey1()), refused, "unknown kid")
			if n := hits.Load(); n != 1 {
				t.Errorf("%d fetches, want 1", n)
			}
		})
	}
}

// TestJWKSUntrustedServer checks that the default client checks certificates.
func TestJWKSUntrustedServer(t *testing.T) {
	server, document, _ := setServer(t, true)
	document.Store(setOf(jwkOf("a", edKey())))
	v := newVerifier(t, &jwtauth.Options{JWKSURL: server.URL})
	expect(t, v, signedBy("a", edKey()), unavailable, "unknown authority")
}

func TestJWKSRedirection(t *testing.T) {
	server, document, _ := setServer(t, false)
	document.Store(setOf(jwkOf("a", edKey())))
	var asked atomic.Int32
	hop := httptest.NewServer(http.RedirectHandler(server.URL, http.StatusFound))
	defer hop.Close()

	v := newVerifier(t, &jwtauth.Options{JWKSURL: hop.URL, HTTPClient: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { asked.Add(1); return nil },
	}})
	expect(t, v, signedBy("a", edKey()), accepted, "redirected on loopback")
	if asked.Load() != 1 {
		t.Error("the client's own CheckRedirect was not asked")
	}
}

func TestJWKSHugeBodyOverHTTP(t *testing.T) {
	server, document, _ := setServer(t, false)
	document.Store(setOf(jwkOf("a", edKey())) + strings.Repeat(" ", 10<<20))
	v := newVerifier(t, &jwtauth.Options{JWKSURL: server.URL})
	expect(t, v, signedBy("a", edKey()), unavailable, "10 MB")
}

// TestJWKSHammer uses one verifier from many goroutines while the set changes and
// Close comes in the middle. The race detector is what it is for.
func TestJWKSHammer(t *testing.T) {
	server, document, hits := setServer(t, false)
	document.Store(setOf(jwkOf("a", edKey())))
	v := newVerifier(t, &jwtauth.Options{JWKSURL: server.URL, RefreshInterval: 1})
	known, unknown := signedBy("a", edKey()), signedBy("b", rsaKey1())
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := range 50 {
				if i == 0 && n == 40 {
					v.Close()
				}
				if i == 1 {
					document.Store(setOf(jwkOf("a", edKey()), jwkOf(fmt.Sprint(n), edKey())))
				}
				if got := verify(t, v, known); got != accepted && got != closed {
					t.Errorf("known key: token is %s", got)
				}
				if got := verify(t, v, unknown); got != refused && got != closed {
					t.Errorf("unknown key: token is %s", got)
				}
			}
		})
	}
	wg.Wait()
	if n := hits.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}
