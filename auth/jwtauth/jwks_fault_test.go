package jwtauth_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
)

func TestJWKSOutageKeepsTheLastGoodSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		var log bytes.Buffer
		o := s.options()
		o.JWKSURL = "http://user:marker@localhost/jwks.json?key=marker"
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		s.publish(jwkOf("a", edKey()))
		v := newVerifier(t, o)
		expect(t, v, signedBy("a", edKey()), accepted, "before the outage")

		faults := []http.HandlerFunc{
			send(http.StatusInternalServerError, "oops"),
			send(http.StatusOK, `{"keys":[]}`),
			send(http.StatusOK, `{"keys":`),
			send(http.StatusOK, strings.Repeat(" ", 10<<20)+setOf(jwkOf("b", rsaKey1()))),
			hang,
			hangInBody,
			disconnect,
		}
		for hour := range 23 {
			s.set(faults[hour%len(faults)])
			time.Sleep(time.Hour)
			expect(t, v, signedBy("a", edKey()), accepted, fmt.Sprint("hour ", hour))
			time.Sleep(10 * time.Second) // a fetch that hangs ends
			expectLater(t, v, signedBy("b", rsaKey1()), 20*time.Second, fmt.Sprint("unknown key in hour ", hour))
		}
		if got := strings.Count(log.String(), "level=WARN"); got != 23 {
			t.Errorf("the log has %d warnings, want 23:\n%s", got, log.String())
		}
		if strings.Contains(log.String(), "marker") {
			t.Errorf("the log contains the password:\n%s", log.String())
		}

		s.set(send(http.StatusBadGateway, ""))
		time.Sleep(24*time.Hour - time.Since(s.requests()[0]) - 1)
		expect(t, v, signedBy("a", edKey()), accepted, "just before the maximum age")
		time.Sleep(time.Nanosecond)
		expectLater(t, v, signedBy("a", edKey()), time.Second, "at the maximum age")

		s.publish(jwkOf("a", edKey()))
		expectLater(t, v, signedBy("a", edKey()), time.Second, "within a second of the last fetch")
		time.Sleep(time.Second)
		expect(t, v, signedBy("a", edKey()), accepted, "after the outage")
	})
}

// TestJWKSColdStart checks that no token is accepted or refused before there is a key set.
func TestJWKSColdStart(t *testing.T) {
	good := setOf(jwkOf("a", edKey()))
	tests := []struct {
		name    string
		handler http.HandlerFunc
		took    time.Duration
		cause   string
	}{
		{name: "no response", handler: hang, took: 10 * time.Second, cause: "deadline exceeded"},
		{name: "half a body", handler: hangInBody, took: 10 * time.Second, cause: "deadline exceeded"},
		{name: "connection closed", handler: disconnect, cause: "EOF"},
		{name: "not found", handler: send(http.StatusNotFound, good), cause: "404"},
		{name: "server error", handler: send(http.StatusInternalServerError, good), cause: "500"},
		{name: "no content", handler: send(http.StatusNoContent, ""), cause: "204"},
		{name: "redirect to http", handler: redirect("http://login.example.com/"), cause: "not https"},
		{name: "endless redirect", handler: redirect(setURL), cause: "too many"},
		{name: "10 MB", handler: send(http.StatusOK, good+strings.Repeat(" ", 10<<20)), cause: "more than 1048576"},
		{name: "1 MiB and a byte", handler: send(http.StatusOK, good+strings.Repeat(" ", 1<<20-len(good)+1)), cause: "more than 1048576"},
		{name: "empty", handler: send(http.StatusOK, ""), cause: "malformed"},
		{name: "invalid JSON", handler: send(http.StatusOK, "<html>"), cause: "malformed"},
		{name: "empty set", handler: send(http.StatusOK, `{"keys":[]}`), cause: "no usable key"},
		{name: "key outside a set", handler: send(http.StatusOK, good[9:len(good)-2]), cause: "no usable key"},
		{name: "only secrets", handler: send(http.StatusOK, setOf(jwkOf("a", secret64()))), cause: "no usable key"},
		{name: "only other algorithms", handler: send(http.StatusOK, setOf(jwkOf("a", p256Key()))), cause: "allowed algorithms"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newKeyServer(t)
				s.set(test.handler)
				o := s.options()
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
				var later *auth.UnavailableError
				if errors.As(err, &later); later.RetryAfter != time.Second {
					t.Errorf("RetryAfter = %v, want 1s", later.RetryAfter)
				}
				s.set(send(http.StatusOK, good))
				time.Sleep(later.RetryAfter)
				expect(t, v, text, accepted, "after the fault")
			})
		})
	}
}

func TestJWKSOfExactlyOneMegabyte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeyServer(t)
		good := setOf(jwkOf("a", edKey()))
		s.set(send(http.StatusOK, good+strings.Repeat(" ", 1<<20-len(good))))
		expect(t, newVerifier(t, s.options()), signedBy("a", edKey()), accepted, "1 MiB")
	})
}
