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
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth/jwtauth"
)

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
		time.Sleep(time.Nanosecond)
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
