package jwtauth_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
)

// interval is the documented minimum time between two fetches.
const interval = 30 * time.Second

// persist verifies a token as a client presents it: again after each RetryAfter, until the verifier
// decides. It returns the outcome and the time that it took.
func persist(t *testing.T, v *jwtauth.Verifier, text string) (outcome, time.Duration) {
	t.Helper()
	began := time.Now()
	for range 100 {
		_, err := v.Verify(t.Context(), text)
		got := outcomeOf(t, err)
		if got != unavailable {
			return got, time.Since(began)
		}
		var later *auth.UnavailableError
		errors.As(err, &later)
		if later.RetryAfter < time.Second || later.RetryAfter > interval {
			t.Errorf("RetryAfter = %v, want 1s to %v", later.RetryAfter, interval)
		}
		time.Sleep(later.RetryAfter)
	}
	return unavailable, time.Since(began)
}

// expectSpacing checks that no two fetches began within the interval.
func expectSpacing(t *testing.T, s *keyServer) {
	t.Helper()
	times := s.requests()
	for i := 1; i < len(times); i++ {
		if gap := times[i].Sub(times[i-1]); gap < interval {
			t.Errorf("fetches %d and %d began %v apart", i-1, i, gap)
		}
	}
}

// TestRotation publishes a new key beside the old one, at several times after a fetch.
func TestRotation(t *testing.T) {
	for _, key := range []any{rsaKey2(), p256Key(), ed25519Keys(1)[0]} {
		for _, after := range []int{0, 1, 15, 29, 30, 500} {
			synctest.Test(t, func(t *testing.T) {
				s := newKeyServer(t)
				s.publish(jwkOf("a", rsaKey1()))
				v := newVerifier(t, s.options())
				expect(t, v, signedBy("a", rsaKey1()), accepted, "old key")
				time.Sleep(time.Duration(after) * time.Second)
				s.publish(jwkOf("a", rsaKey1()), jwkOf("b", key))
				text := signedBy("b", key)
				if after < 30 {
					expectLater(t, v, text, interval-time.Duration(after)*time.Second, "new key")
				}
				got, took := persist(t, v, text)
				if got != accepted || took > interval {
					t.Errorf("%T after %d s: token with the new key is %s after %v", key, after, got, took)
				}
				expect(t, v, signedBy("a", rsaKey1()), accepted, "old key beside the new one")
				expectFetches(t, s, 2, "after the rotation")
			})
		}
	}
}

// TestRotationDuringAFetch publishes a new key while a fetch is in flight whose response lacks it.
// Only a fetch that begins after the token arrived may make it invalid.
func TestRotationDuringAFetch(t *testing.T) {
	for _, kid := range []string{"b", ""} {
		synctest.Test(t, func(t *testing.T) {
			s := newKeyServer(t)
			s.publish(jwkOf("a", edKey()))
			v := newVerifier(t, s.options())
			expect(t, v, signedBy("a", edKey()), accepted, "old key")
			time.Sleep(time.Minute)

			stale := setOf(jwkOf("a", edKey()))
			release := make(chan struct{})
			s.set(func(w http.ResponseWriter, _ *http.Request) {
				<-release
				io.WriteString(w, stale)
			})
			var wg sync.WaitGroup
			defer wg.Wait()
			wg.Go(func() { expect(t, v, signedBy("x", rsaKey2()), refused, "token that starts the fetch") })
			synctest.Wait()
			wg.Go(func() {
				expectLater(t, v, signedBy(kid, rsaKey1()), interval-5*time.Second, "token that arrives during the fetch")
			})
			synctest.Wait()
			time.Sleep(5 * time.Second)
			s.publish(jwkOf("a", edKey()), jwkOf("b", rsaKey1()))
			close(release)
			synctest.Wait()
			time.Sleep(interval - 5*time.Second)
			expect(t, v, signedBy(kid, rsaKey1()), accepted, "when the set may be fetched again")
			expectFetches(t, s, 3, "after the rotation")
		})
	}
}

// TestRotationDuringAnOutage has the URL fail for a while after a rotation.
func TestRotationDuringAnOutage(t *testing.T) {
	for name, fault := range map[string]http.HandlerFunc{
		"500": send(http.StatusInternalServerError, ""), "no response": hang, "half a body": hangInBody,
		"connection closed": disconnect, "invalid JSON": send(http.StatusOK, "{"), "empty set": send(http.StatusOK, `{"keys":[]}`),
		"10 MB": send(http.StatusOK, strings.Repeat(" ", 10<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newKeyServer(t)
				s.publish(jwkOf("a", edKey()))
				v := newVerifier(t, s.options())
				expect(t, v, signedBy("a", edKey()), accepted, "old key")
				s.set(fault)
				time.AfterFunc(5*time.Minute, func() { s.publish(jwkOf("b", rsaKey1())) })
				if got, took := persist(t, v, signedBy("b", rsaKey1())); got != accepted || took > 5*time.Minute+interval+10*time.Second {
					t.Errorf("token with the new key is %s after %v", got, took)
				}
				expectSpacing(t, s)
			})
		})
	}
}

// TestUnknownKey checks that a token with a key that is never published is refused in the end.
func TestUnknownKey(t *testing.T) {
	for _, kid := range []string{"b", ""} {
		synctest.Test(t, func(t *testing.T) {
			s := newKeyServer(t)
			s.publish(jwkOf("a", edKey()), jwkOf("c", rsaKey2()))
			v := newVerifier(t, s.options())
			text := signedBy(kid, rsaKey1())
			expect(t, v, text, refused, "with no set before")
			expectLater(t, v, text, interval, "after the fetch")
			time.Sleep(10 * time.Second)
			if got, took := persist(t, v, text); got != refused || took != 20*time.Second {
				t.Errorf("unknown key: token is %s after %v, want refused after 20s", got, took)
			}
			expectFetches(t, s, 2, "at the second refusal")
			time.Sleep(15 * time.Minute)
			expect(t, v, text, refused, "when the set is due for a refresh")
			expectFetches(t, s, 3, "in the end")
		})
	}
}

// TestRotationWithTheSameKeyID has an issuer that replaces a key and keeps its ID.
func TestRotationWithTheSameKeyID(t *testing.T) {
	for _, next := range []any{rsaKey2(), edKey(), p384Key()} {
		synctest.Test(t, func(t *testing.T) {
			s := newKeyServer(t)
			s.publish(jwkOf("a", rsaKey1()))
			v := newVerifier(t, s.options())
			expect(t, v, signedBy("a", rsaKey1()), accepted, "old key")
			s.publish(jwkOf("a", next))
			time.Sleep(interval - 1)
			expect(t, v, signedBy("a", next), refused, "new key, before the set may be fetched again")
			expectFetches(t, s, 1, "before the set may be fetched again")
			time.Sleep(time.Nanosecond)
			expect(t, v, signedBy("a", next), accepted, "new key")
			expect(t, v, signedBy("a", rsaKey1()), refused, "old key")
			expectFetches(t, s, 2, "after the rotation")

			// A fetch that fails leaves the current key in use.
			time.Sleep(interval)
			s.set(send(http.StatusInternalServerError, ""))
			expect(t, v, signedBy("a", rsaKey1()), refused, "old key during an outage")
			expect(t, v, signedBy("a", next), accepted, "new key during an outage")
			expectFetches(t, s, 3, "during an outage")
		})
	}
}

// TestSameKeyIDDuringAFetch has a token with the new key arrive while the fetch that brings the key
// is in flight.
func TestSameKeyIDDuringAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		s.publish(jwkOf("a", rsaKey1()))
		v := newVerifier(t, s.options())
		expect(t, v, signedBy("a", rsaKey1()), accepted, "old key")
		time.Sleep(15 * time.Minute)
		s.set(sendAfter(5*time.Second, jwkOf("a", rsaKey2())))
		expect(t, v, signedBy("a", rsaKey1()), accepted, "the token that starts the refresh")
		expect(t, v, signedBy("a", rsaKey2()), accepted, "new key")
		expectFetches(t, s, 2, "after the rotation")
	})
}

// TestFlood rotates keys while invalid tokens arrive all the time, each of which would cause a
// fetch. No valid token is refused, none waits longer than one interval, and none with a known key
// waits.
func TestFlood(t *testing.T) {
	signature := encode(make([]byte, ed25519.SignatureSize))
	heads := map[string]func(i int) string{
		"random kids":  func(i int) string { return fmt.Sprintf(`{"alg":"EdDSA","kid":"k%d"}`, i*7919) },
		"known kid":    func(int) string { return `{"alg":"EdDSA","kid":"0"}` },
		"no kid":       func(int) string { return `{"alg":"EdDSA"}` },
		"next kids":    func(i int) string { return fmt.Sprintf(`{"alg":"EdDSA","kid":"%d"}`, i%8) },
		"another type": func(int) string { return `{"alg":"RS256","kid":"0"}` },
	}
	for name, head := range heads {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				payload := strings.Split(signedBy("a", edKey()), ".")[1]
				s := newKeyServer(t)
				keys := ed25519Keys(8)
				current := []changeable{jwkOf("0", keys[0])}
				s.publish(current...)
				v := newVerifier(t, s.options())
				expect(t, v, signedBy("0", keys[0]), accepted, "before the flood")

				stop := make(chan struct{})
				var wg sync.WaitGroup
				for g := range 2 {
					wg.Go(func() {
						for i := g; ; i += 2 {
							text := encode([]byte(head(i))) + "." + payload + "." + signature
							if got := verify(t, v, text); got != refused && got != unavailable {
								t.Errorf("invalid token is %s", got)
							}
							select {
							case <-stop:
								return
							case <-time.After(1700 * time.Millisecond):
							}
						}
					})
				}
				for i, key := range keys[1:] {
					// In each round, the time since the last fetch is different.
					time.Sleep(47 * time.Second)
					kid := fmt.Sprint(i + 1)
					current = append(current, jwkOf(kid, key))
					s.publish(current...)
					if got, took := persist(t, v, signedBy(kid, key)); got != accepted || took > interval {
						t.Errorf("token with key %s is %s after %v", kid, got, took)
					}
					before := time.Now()
					expect(t, v, signedBy("0", keys[0]), accepted, "known key")
					if took := time.Since(before); took != 0 {
						t.Errorf("known key waited %v", took)
					}
				}
				close(stop)
				wg.Wait()
				expectSpacing(t, s)
			})
		})
	}
}
