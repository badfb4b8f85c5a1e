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
		time.Sleep(1)
		expect(t, v, signedBy("a", edKey()), accepted, "the use that renews")
		synctest.Wait()
		expectFetches(t, &p, 2, "after the interval")
		expect(t, v, signedBy("b", rsaKey1()), refused, "after the interval")
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

func TestJWKSOutageKeepsTheLastGoodSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		var log bytes.Buffer
		o := p.options()
		o.JWKSURL = "https://user:marker@login.example.com/jwks.json?key=marker"
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		p.publish(setOf(jwkOf("a", edKey())))
		v := newVerifier(t, o)
		expect(t, v, signedBy("a", edKey()), accepted, "before the outage")

		faults := []func(){
			func() { p.respond(http.StatusInternalServerError, "oops") },
			func() { p.publish(`{"keys":[]}`) },
			func() { p.publish(`{"keys":`) },
			func() { p.publish(strings.Repeat(" ", 10<<20) + setOf(jwkOf("b", rsaKey1()))) },
			func() { p.set(hang) },
			func() {
				p.set(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
			},
		}
		for hour := range 23 {
			faults[hour%len(faults)]()
			time.Sleep(time.Hour)
			expect(t, v, signedBy("a", edKey()), accepted, fmt.Sprint("hour ", hour))
			time.Sleep(10 * time.Second) // the fetch that hangs ends
			expect(t, v, signedBy("b", rsaKey1()), unavailable, fmt.Sprint("unknown key in hour ", hour))
		}
		if got := strings.Count(log.String(), "level=WARN"); got != 23 {
			t.Errorf("the log has %d warnings, want 23:\n%s", got, log.String())
		}
		if strings.Contains(log.String(), "marker") {
			t.Errorf("the log holds the password:\n%s", log.String())
		}

		p.respond(http.StatusBadGateway, "")
		time.Sleep(24*time.Hour - time.Since(p.times[0]) - 1)
		expect(t, v, signedBy("a", edKey()), accepted, "just before the maximum age")
		time.Sleep(1)
		expect(t, v, signedBy("a", edKey()), unavailable, "at the maximum age")

		p.publish(setOf(jwkOf("a", edKey())))
		expect(t, v, signedBy("a", edKey()), unavailable, "within a second of the last attempt")
		time.Sleep(time.Second)
		expect(t, v, signedBy("a", edKey()), accepted, "after the outage")
	})
}

func TestJWKSColdStartIsClosed(t *testing.T) {
	body := func(b string) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(b))}, nil
		}
	}
	good := setOf(jwkOf("a", edKey()))
	tests := []struct {
		name   string
		answer func(*http.Request) (*http.Response, error)
		took   time.Duration
		cause  string
	}{
		{name: "hangs", answer: hang, took: 10 * time.Second, cause: "deadline exceeded"},
		{name: "hangs in the body", took: 10 * time.Second, cause: "deadline exceeded", answer: func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: hangingBody{req.Context()}}, nil
		}},
		{name: "no connection", cause: "refused", answer: func(*http.Request) (*http.Response, error) {
			return nil, errors.New("connection refused")
		}},
		{name: "not found", cause: "404", answer: func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusNotFound, Body: io.NopCloser(strings.NewReader(good))}, nil
		}},
		{name: "no content", cause: "204", answer: func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
		}},
		{name: "redirected to http", cause: "not https", answer: func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusFound, Body: http.NoBody, Header: http.Header{"Location": {"http://login.example.com/"}}}, nil
		}},
		{name: "redirected forever", cause: "too many", answer: func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusFound, Body: http.NoBody, Header: http.Header{"Location": {setURL}}}, nil
		}},
		{name: "10 MB", cause: "more than 1048576", answer: body(good + strings.Repeat(" ", 10<<20))},
		{name: "1 MiB and a byte", cause: "more than 1048576", answer: body(good + strings.Repeat(" ", 1<<20-len(good)+1))},
		{name: "empty", cause: "malformed", answer: body("")},
		{name: "no JSON", cause: "malformed", answer: body("<html>")},
		{name: "empty set", cause: "no usable key", answer: body(`{"keys":[]}`)},
		{name: "a key alone", cause: "no usable key", answer: body(good[9 : len(good)-2])},
		{name: "secrets only", cause: "no usable key", answer: body(setOf(jwkOf("a", secret64())))},
		{name: "other algorithms only", cause: "allowed algorithms", answer: body(setOf(jwkOf("a", p256Key())))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p publisher
				p.set(test.answer)
				o := p.options()
				o.Algorithms = []jwtauth.Algorithm{jwtauth.EdDSA, jwtauth.RS256}
				v := newVerifier(t, o)
				text := signedBy("a", edKey())
				before := time.Now()
				_, err := v.Verify(t.Context(), text)
				if got := outcomeOf(t, err); got != unavailable || !strings.Contains(err.Error(), test.cause) {
					t.Fatalf("Verify = %v, want unavailable for %q", err, test.cause)
				}
				if took := time.Since(before); took != test.took {
					t.Errorf("Verify took %v, want %v", took, test.took)
				}
				p.publish(good)
				time.Sleep(time.Second)
				expect(t, v, text, accepted, "after the fault")
			})
		})
	}
}

type hangingBody struct{ ctx context.Context }

func (b hangingBody) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

func (b hangingBody) Close() error { return nil }

func TestJWKSOfExactlyOneMegabyte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p publisher
		good := setOf(jwkOf("a", edKey()))
		p.publish(good + strings.Repeat(" ", 1<<20-len(good)))
		expect(t, newVerifier(t, p.options()), signedBy("a", edKey()), accepted, "1 MiB")
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
