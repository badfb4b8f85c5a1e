package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport"
)

// unavailableVerifier returns a verifier that cannot decide about any token.
func unavailableVerifier(err error) auth.Verifier {
	return auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) { return auth.Identity{}, err })
}

// TestRetryAfterOfVerifier checks the retry delay that clients get when the verifier cannot decide.
func TestRetryAfterOfVerifier(t *testing.T) {
	cases := []struct {
		name        string
		err         error
		least, most time.Duration
	}{
		{"unknown", &auth.UnavailableError{}, time.Second, 5 * time.Second},
		{"negative", &auth.UnavailableError{RetryAfter: -time.Hour}, time.Second, 5 * time.Second},
		{"10 ms", &auth.UnavailableError{RetryAfter: 10 * time.Millisecond}, time.Second, 5 * time.Second},
		{"2 s", &auth.UnavailableError{RetryAfter: 2 * time.Second}, 2 * time.Second, 6 * time.Second},
		{"20 s", &auth.UnavailableError{RetryAfter: 20 * time.Second}, 20 * time.Second, 24 * time.Second},
		{"20 s, wrapped", fmt.Errorf("x: %w", &auth.UnavailableError{RetryAfter: 20 * time.Second}), 20 * time.Second, 24 * time.Second},
		{"20 s, with another kind", errors.Join(auth.ErrInvalidToken, &auth.UnavailableError{RetryAfter: 20 * time.Second}), 20 * time.Second, 24 * time.Second},
		{"29 s", &auth.UnavailableError{RetryAfter: 29 * time.Second}, 29 * time.Second, 30 * time.Second},
		{"an hour", &auth.UnavailableError{RetryAfter: time.Hour}, 29 * time.Second, 30 * time.Second},
		{"the longest duration", &auth.UnavailableError{RetryAfter: 1<<63 - 1}, 29 * time.Second, 30 * time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, config{verifier: unavailableVerifier(c.err)})
			_, resp := open(t, s.Server, handshake{token: "opaque"})
			seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
			if wait := time.Duration(seconds) * time.Second; resp.StatusCode != 503 || wait < c.least || wait > c.most {
				t.Errorf("status %d, Retry-After %d; want 503, %v to %v", resp.StatusCode, seconds, c.least, c.most)
			}

			browser, _ := open(t, s.Server, handshake{token: "opaque", headers: http.Header{"Origin": {s.URL}}})
			goodbye := decodeData[protocol.Goodbye](t, browser.next())
			wait := time.Duration(goodbye.RetryAfterMs) * time.Millisecond
			if goodbye.Code != protocol.CloseInternal || goodbye.Reauth || wait < c.least || wait > c.most {
				t.Errorf("goodbye %+v, want 4500 after %v to %v", goodbye, c.least, c.most)
			}
		})
	}
}

// TestUnavailableLogIsLimited sends many tokens that the verifier cannot decide about. Any client
// can send them, so the log must have 10 lines a minute.
func TestUnavailableLogIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := transport.NewHandler(newHub(t), unavailableVerifier(&auth.UnavailableError{}), &transport.Options{
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		refuse := func(n int) {
			for range n {
				r := httptest.NewRequest(http.MethodGet, "/ws?token=opaque", nil)
				r.Header = http.Header{
					"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
					"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusServiceUnavailable {
					t.Fatalf("status %d, want 503", w.Code)
				}
			}
		}
		refuse(50)
		if got := strings.Count(log.String(), "level=WARN"); got != 10 {
			t.Errorf("%d warnings, want 10:\n%s", got, log.String())
		}
		time.Sleep(time.Minute)
		refuse(1)
		if got := strings.Count(log.String(), "suppressed=40"); got != 1 {
			t.Errorf("%d lines with 40 suppressed, want 1:\n%s", got, log.String())
		}
	})
}
