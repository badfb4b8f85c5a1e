package jwtauth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth/jwtauth"
)

// expect verifies a token and compares.
func expect(t *testing.T, v *jwtauth.Verifier, text string, want outcome, what string) {
	t.Helper()
	if got := verify(t, v, text); got != want {
		t.Errorf("%s: token is %s, want %s", what, got, want)
	}
}

func expectFetches(t *testing.T, p *publisher, want int, what string) {
	t.Helper()
	if got := p.fetches(); got != want {
		t.Errorf("%s: %d fetches, want %d", what, got, want)
	}
}

func TestJWKSIsFetchedOnFirstUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		p.publish(setOf(jwkOf("a", edKey()), jwkOf("r", rsaKey1())))
		v := newVerifier(t, p.options())
		expectFetches(t, &p, 0, "after New")
		for range 10 {
			expect(t, v, signedBy("a", edKey()), accepted, "Ed25519")
			expect(t, v, signedBy("r", rsaKey1()), accepted, "RSA")
		}
		expect(t, v, signedBy("a", rsaKey1()), refused, "another type of key")
		expect(t, v, token("HS256", secret32(), header("HS256", "a"), goodClaims()), refused, "HMAC")
		expectFetches(t, &p, 1, "after use")
	})
}

func TestJWKSRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		p.publish(setOf(jwkOf("a", edKey())))
		v := newVerifier(t, p.options())
		expect(t, v, signedBy("a", edKey()), accepted, "first key")

		p.publish(setOf(jwkOf("a", edKey()), jwkOf("b", rsaKey1())))
		time.Sleep(29 * time.Second)
		expect(t, v, signedBy("b", rsaKey1()), refused, "second key, too early to ask again")
		expectFetches(t, &p, 1, "too early")
		time.Sleep(time.Second)
		expect(t, v, signedBy("b", rsaKey1()), accepted, "second key")
		expect(t, v, signedBy("a", edKey()), accepted, "first key beside the second")
		expectFetches(t, &p, 2, "after the rotation")
	})
}

func TestJWKSWithdrawnKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		p.publish(setOf(jwkOf("a", edKey()), jwkOf("b", rsaKey1())))
		v := newVerifier(t, p.options())
		expect(t, v, signedBy("b", rsaKey1()), accepted, "before")
		p.publish(setOf(jwkOf("a", edKey())))
		time.Sleep(15*time.Minute - 1)
		expect(t, v, signedBy("b", rsaKey1()), accepted, "before the interval is over")
		synctest.Wait()
		expectFetches(t, &p, 1, "before the interval is over")
		time.Sleep(time.Nanosecond)
		expect(t, v, signedBy("a", edKey()), accepted, "the use that renews")
		synctest.Wait()
		expectFetches(t, &p, 2, "after the interval")
		expect(t, v, signedBy("b", rsaKey1()), refused, "after the interval")
	})
}

// TestJWKSAgeCountsFromTheRequest has an answer take long: what it says may be as
// old as the request.
func TestJWKSAgeCountsFromTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		p.set(func(*http.Request) (*http.Response, error) {
			time.Sleep(9 * time.Second)
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(setOf(jwkOf("a", edKey()))))}, nil
		})
		v := newVerifier(t, p.options())
		expect(t, v, signedBy("a", edKey()), accepted, "first")
		time.Sleep(15*time.Minute - 9*time.Second)
		expect(t, v, signedBy("a", edKey()), accepted, "15 minutes after the request")
		synctest.Wait()
		expectFetches(t, &p, 2, "15 minutes after the request")
	})
}

// TestJWKSRefreshDelaysNobody has a fetch hang while tokens are verified.
func TestJWKSRefreshDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		p.publish(setOf(jwkOf("a", edKey())))
		v := newVerifier(t, p.options())
		expect(t, v, signedBy("a", edKey()), accepted, "first")
		p.set(hang)
		time.Sleep(time.Hour)
		before := time.Now()
		for range 100 {
			expect(t, v, signedBy("a", edKey()), accepted, "while the fetch hangs")
		}
		if waited := time.Since(before); waited != 0 {
			t.Errorf("known keys waited %v", waited)
		}
		synctest.Wait()
		expectFetches(t, &p, 2, "while the fetch hangs")
		// The fetch ends after 10 s; whoever has an unknown key waits for that.
		expect(t, v, signedBy("b", rsaKey1()), unavailable, "unknown key")
		if waited := time.Since(before); waited != 10*time.Second {
			t.Errorf("an unknown key waited %v, want 10s", waited)
		}
		expectFetches(t, &p, 2, "after the fetch")
	})
}

// TestJWKSUnknownKeysFloodNobody sends 10,000 tokens with kids made up, over five
// minutes, while the known key goes on being accepted.
func TestJWKSUnknownKeysFloodNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		p.publish(setOf(jwkOf("a", edKey())))
		v := newVerifier(t, p.options())
		good := signedBy("a", edKey())
		expect(t, v, good, accepted, "before the flood")
		parts := strings.Split(good, ".")
		for i := range 10000 {
			time.Sleep(30 * time.Millisecond)
			head := encode(fmt.Appendf(nil, `{"alg":"EdDSA","kid":"k%d"}`, i*7919))
			expect(t, v, head+"."+parts[1]+"."+parts[2], refused, "made up")
			if i%1000 == 0 {
				expect(t, v, good, accepted, "during the flood")
			}
		}
		for i := 1; i < len(p.times); i++ {
			if gap := p.times[i].Sub(p.times[i-1]); gap < 30*time.Second {
				t.Errorf("fetches %d and %d are %v apart", i-1, i, gap)
			}
		}
		if n := len(p.times); n < 2 || n > 11 {
			t.Errorf("%d fetches in five minutes, want 2 to 11", n)
		}
	})
}

// TestJWKSSingleFlight has 200 tokens wait for one fetch, at the start and at a
// rotation.
func TestJWKSSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		v := newVerifier(t, p.options())
		for round, kid := range []string{"a", "b"} {
			release := make(chan struct{})
			p.set(func(*http.Request) (*http.Response, error) {
				<-release
				document := setOf(jwkOf("a", edKey()), jwkOf(kid, edKey()))
				if kid == "a" {
					document = setOf(jwkOf("a", edKey()))
				}
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(document))}, nil
			})
			text := signedBy(kid, edKey())
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
			expectFetches(t, &p, round+1, "while they wait")
			close(release)
			wg.Wait()
			expectFetches(t, &p, round+1, "afterwards")
			time.Sleep(time.Minute)
		}
	})
}

// TestJWKSCallerGivesUp checks that a fetch outlives the call that started it.
func TestJWKSCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		release := make(chan struct{})
		p.set(func(req *http.Request) (*http.Response, error) {
			<-release
			if err := req.Context().Err(); err != nil {
				return nil, err
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(setOf(jwkOf("a", edKey()))))}, nil
		})
		v := newVerifier(t, p.options())
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
		wg.Go(func() { expect(t, v, text, accepted, "the one that waits on") })
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(release)
	})
}

func TestJWKSClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		p.publish(setOf(jwkOf("a", edKey())))
		o := p.options()
		var log bytes.Buffer
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		v := newVerifier(t, o)
		expect(t, v, signedBy("a", edKey()), accepted, "before")
		time.Sleep(time.Minute)
		p.set(hang)
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
		expectFetches(t, &p, 2, "after Close")
		if log.Len() > 0 {
			t.Errorf("Close is logged as a failure:\n%s", log.String())
		}
	})
}

// TestJWKSForeignTokensFetchNothing has no key at hand and a URL that is down: what
// can be told without keys is told.
func TestJWKSForeignTokensFetchNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		p.respond(http.StatusInternalServerError, "")
		v := newVerifier(t, p.options())
		claims := changeable(goodClaims())
		for name, text := range map[string]string{
			"opaque":          "s-81f3a0c2",
			"another issuer":  token("EdDSA", edKey(), header("EdDSA", "a"), claims.with("iss", "https://other.example.com/")),
			"another service": token("EdDSA", edKey(), header("EdDSA", "a"), claims.with("aud", "billing")),
			"no exp":          token("EdDSA", edKey(), header("EdDSA", "a"), claims.with("exp", nil)),
			"HMAC":            token("HS256", secret32(), header("HS256", "a"), claims),
		} {
			expect(t, v, text, refused, name)
		}
		expectFetches(t, &p, 0, "foreign tokens")
	})
}

func TestJWKSHeadersAreNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		p.publish(setOf(jwkOf("a", edKey())))
		v := newVerifier(t, p.options())
		const evil = "https://evil.example.com/jwks.json"
		for _, kid := range []string{"a", "evil", evil} {
			h := header("RS256", kid).with("jku", evil).with("x5u", evil).with("jwk", jwkOf(kid, rsaKey2()))
			expect(t, v, token("RS256", rsaKey2(), h, goodClaims()), refused, kid)
		}
		for _, url := range p.requests {
			if url != setURL {
				t.Errorf("fetched %s", url)
			}
		}
		expectFetches(t, &p, 1, "tokens with headers")
	})
}

func TestJWKSExpiredToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		p.publish(setOf(jwkOf("a", edKey())))
		v := newVerifier(t, p.options())
		claims := changeable(goodClaims()).with("exp", time.Now().Unix()-1)
		expect(t, v, token("EdDSA", edKey(), header("EdDSA", "a"), claims), expired, "expired")
		expect(t, v, token("RS256", rsaKey1(), header("RS256", "a"), claims), refused, "expired, another key")

		// A token that runs out while its key is being fetched has run out.
		late := newVerifier(t, p.options())
		p.set(func(*http.Request) (*http.Response, error) {
			time.Sleep(5 * time.Second)
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(setOf(jwkOf("a", edKey()))))}, nil
		})
		claims = claims.with("exp", time.Now().Unix()+3)
		expect(t, late, token("EdDSA", edKey(), header("EdDSA", "a"), claims), expired, "runs out during the fetch")
	})
}
