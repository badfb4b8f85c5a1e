package jwtauth_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth/jwtauth"
)

func TestJWKSIsFetchedOnFirstUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		s.publish(jwkOf("a", edKey()), jwkOf("r", rsaKey1()))
		v := newVerifier(t, s.options())
		expectFetches(t, s, 0, "after New")
		for range 10 {
			expect(t, v, signedBy("a", edKey()), accepted, "Ed25519")
			expect(t, v, signedBy("r", rsaKey1()), accepted, "RSA")
		}
		expect(t, v, signedBy("a", rsaKey1()), refused, "another type of key")
		expect(t, v, token("HS256", secret32(), header("HS256", "a"), goodClaims()), refused, "HMAC")
		expectFetches(t, s, 1, "after use")
	})
}

func TestJWKSWithdrawnKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		s.publish(jwkOf("a", edKey()), jwkOf("b", rsaKey1()))
		v := newVerifier(t, s.options())
		expect(t, v, signedBy("b", rsaKey1()), accepted, "before")
		s.publish(jwkOf("a", edKey()))
		time.Sleep(15*time.Minute - 1)
		expect(t, v, signedBy("b", rsaKey1()), accepted, "just before the refresh")
		synctest.Wait()
		expectFetches(t, s, 1, "just before the refresh")
		time.Sleep(time.Nanosecond)
		expect(t, v, signedBy("a", edKey()), accepted, "the token that starts the refresh")
		synctest.Wait()
		expectFetches(t, s, 2, "after the refresh")
		expectLater(t, v, signedBy("b", rsaKey1()), 30*time.Second, "after the refresh")
		time.Sleep(30 * time.Second)
		expect(t, v, signedBy("b", rsaKey1()), refused, "when the set may be fetched again")
		expectFetches(t, s, 3, "when the set may be fetched again")
	})
}

// TestJWKSAgeCountsFromTheRequest has a slow response: its content may be as old as the request.
func TestJWKSAgeCountsFromTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		s.set(sendAfter(9*time.Second, jwkOf("a", edKey())))
		v := newVerifier(t, s.options())
		expect(t, v, signedBy("a", edKey()), accepted, "first")
		time.Sleep(15*time.Minute - 9*time.Second)
		expect(t, v, signedBy("a", edKey()), accepted, "15 minutes after the request")
		synctest.Wait()
		expectFetches(t, s, 2, "15 minutes after the request")
	})
}

// TestJWKSRefreshDelaysNoKnownKey verifies tokens while a fetch hangs.
func TestJWKSRefreshDelaysNoKnownKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		s.publish(jwkOf("a", edKey()))
		v := newVerifier(t, s.options())
		expect(t, v, signedBy("a", edKey()), accepted, "first")
		s.set(hang)
		time.Sleep(time.Hour)
		before := time.Now()
		for range 100 {
			expect(t, v, signedBy("a", edKey()), accepted, "while the fetch hangs")
		}
		if waited := time.Since(before); waited != 0 {
			t.Errorf("known keys waited %v", waited)
		}
		synctest.Wait()
		expectFetches(t, s, 2, "while the fetch hangs")
		// The fetch ends after 10 s. A token with an unknown key waits for it.
		expectLater(t, v, signedBy("b", rsaKey1()), 20*time.Second, "unknown key")
		if waited := time.Since(before); waited != 10*time.Second {
			t.Errorf("an unknown key waited %v, want 10s", waited)
		}
		expectFetches(t, s, 2, "after the fetch")
	})
}

// TestJWKSSingleFlight has 200 tokens wait for one fetch, at the start and at a rotation.
func TestJWKSSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		v := newVerifier(t, s.options())
		keys := []changeable{jwkOf("a", edKey()), jwkOf("b", rsaKey1())}
		for round, text := range []string{signedBy("a", edKey()), signedBy("b", rsaKey1())} {
			release := make(chan struct{})
			s.set(func(w http.ResponseWriter, _ *http.Request) {
				<-release
				io.WriteString(w, setOf(keys[:round+1]...))
			})
			var wg sync.WaitGroup
			var done sync.Map
			for i := range 200 {
				wg.Go(func() {
					if got := verify(t, v, text); got != accepted {
						t.Errorf("round %d: token is %s", round, got)
					}
					done.Store(i, true)
				})
			}
			synctest.Wait()
			done.Range(func(any, any) bool { t.Errorf("round %d: a token did not wait", round); return false })
			expectFetches(t, s, round+1, "while they wait")
			close(release)
			wg.Wait()
			expectFetches(t, s, round+1, "afterwards")
			time.Sleep(time.Minute)
		}
	})
}

// TestJWKSCallerGivesUp checks that a fetch continues after the call that started it.
func TestJWKSCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		release := make(chan struct{})
		s.set(func(w http.ResponseWriter, _ *http.Request) {
			<-release
			io.WriteString(w, setOf(jwkOf("a", edKey())))
		})
		v := newVerifier(t, s.options())
		text := signedBy("a", edKey())
		var wg sync.WaitGroup
		defer wg.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			_, err := v.Verify(ctx, text)
			if outcomeOf(t, err) != unavailable || !errors.Is(err, context.Canceled) {
				t.Errorf("Verify = %v, want ErrUnavailable and context.Canceled", err)
			}
		})
		synctest.Wait()
		wg.Go(func() { expect(t, v, text, accepted, "the call that continues to wait") })
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(release)
	})
}

func TestJWKSClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		s.publish(jwkOf("a", edKey()))
		o := s.options()
		var log bytes.Buffer
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		v := newVerifier(t, o)
		expect(t, v, signedBy("a", edKey()), accepted, "before")
		time.Sleep(time.Minute)
		s.set(hang)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { expect(t, v, signedBy("b", rsaKey1()), closed, "waiting at Close") })
		}
		synctest.Wait()
		before := time.Now()
		for range 5 {
			wg.Go(func() {
				if err := v.Close(); err != nil {
					t.Errorf("Close = %v", err)
				}
			})
		}
		wg.Wait()
		if waited := time.Since(before); waited != 0 {
			t.Errorf("Close took %v", waited)
		}
		expect(t, v, signedBy("a", edKey()), closed, "after Close")
		expectFetches(t, s, 2, "after Close")
		if log.Len() > 0 {
			t.Errorf("Close is logged as a failure:\n%s", log.String())
		}
	})
}

// TestJWKSForeignTokensFetchNothing checks that tokens which no key could make valid are refused
// without a fetch.
func TestJWKSForeignTokensFetchNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		s.set(send(http.StatusInternalServerError, ""))
		v := newVerifier(t, s.options())
		claims := changeable(goodClaims())
		for name, text := range map[string]string{
			"opaque":          "s-81f3a0c2",
			"another issuer":  token("EdDSA", edKey(), header("EdDSA", "a"), claims.with("iss", "https://other.example.com/")),
			"another service": token("EdDSA", edKey(), header("EdDSA", "a"), claims.with("aud", "billing")),
			"no exp":          token("EdDSA", edKey(), header("EdDSA", "a"), claims.with("exp", nil)),
			"expired":         token("EdDSA", edKey(), header("EdDSA", "a"), claims.with("exp", time.Now().Unix())),
			"HMAC":            token("HS256", secret32(), header("HS256", "a"), claims),
		} {
			expect(t, v, text, refused, name)
		}
		synctest.Wait()
		expectFetches(t, s, 0, "foreign tokens")
	})
}

func TestJWKSHeadersAreNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		s.publish(jwkOf("a", edKey()))
		v := newVerifier(t, s.options())
		const evil = "http://localhost/evil.json"
		for _, kid := range []string{"a", "evil", evil} {
			h := header("RS256", kid).with("jku", evil).with("x5u", evil).with("jwk", jwkOf(kid, rsaKey2()))
			expect(t, v, token("RS256", rsaKey2(), h, goodClaims()), refused, kid)
			time.Sleep(30 * time.Second) // the next fetch may be made
		}
		for _, url := range s.urls {
			if url != setURL {
				t.Errorf("fetched %s", url)
			}
		}
		expectFetches(t, s, 3, "tokens with headers")
	})
}

func TestJWKSExpiredToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		s.publish(jwkOf("a", edKey()))
		v := newVerifier(t, s.options())
		expect(t, v, signedBy("a", edKey()), accepted, "not expired")
		claims := changeable(goodClaims()).with("exp", time.Now().Unix()-1)
		expect(t, v, token("EdDSA", edKey(), header("EdDSA", "a"), claims), expired, "expired")
		expect(t, v, token("RS256", rsaKey1(), header("RS256", "a"), claims), refused, "expired, another key")
		expect(t, v, token("RS256", rsaKey1(), header("RS256", "b"), claims), refused, "expired, unknown key")
		expectFetches(t, s, 1, "expired tokens")

		late := newVerifier(t, s.options())
		s.set(sendAfter(5*time.Second, jwkOf("a", edKey())))
		claims = claims.with("exp", time.Now().Unix()+3)
		expect(t, late, token("EdDSA", edKey(), header("EdDSA", "a"), claims), expired, "expires during the fetch")
	})
}

// TestJWKSRequest checks that a fetch asks caches for a current response.
func TestJWKSRequest(t *testing.T) {
	s := newKeyServer(t)
	s.set(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("Cache-Control = %q, want no-cache", got)
		}
		io.WriteString(w, setOf(jwkOf("a", edKey())))
	})
	expect(t, newVerifier(t, &jwtauth.Options{JWKSURL: setURL, HTTPClient: s.client}), signedBy("a", edKey()), accepted, "first")
}
