package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// TestRefusal refuses browsers and other clients for every reason.
func TestRefusal(t *testing.T) {
	failing := func(err error) auth.Verifier {
		return auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) { return auth.Identity{}, err })
	}
	identity := func(id auth.Identity) auth.Verifier {
		return auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) { return id, nil })
	}
	// wait returns when its context ends, after VerifyTimeout.
	wait := auth.VerifierFunc(func(ctx context.Context, _ string) (auth.Identity, error) {
		<-ctx.Done()
		return auth.Identity{}, ctx.Err()
	})
	panicking := auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) { panic("oops") })
	cases := []struct {
		name   string
		config config
		before func(t *testing.T, s *server)
		token  string
		status int
		code   protocol.CloseCode
		reason room.RefusalReason
	}{
		{"no token", config{}, nil, "", 401, protocol.CloseUnauthorized, room.RefusedNoToken},
		{"bad token", config{}, nil, "bad", 401, protocol.CloseUnauthorized, room.RefusedInvalidToken},
		{"token too long", config{}, nil, strings.Repeat("x", protocol.MaxTokenBytes+1), 401, protocol.CloseUnauthorized, room.RefusedInvalidToken},
		{"wrapped", config{verifier: failing(errors.Join(errors.New("x"), auth.ErrInvalidToken))}, nil, "opaque", 401, protocol.CloseUnauthorized, room.RefusedInvalidToken},
		{"expired", config{verifier: failing(&auth.ExpiredError{At: time.Unix(1, 0)})}, nil, "opaque", 401, protocol.CloseUnauthorized, room.RefusedExpiredToken},
		{"identity expired", config{verifier: identity(auth.Identity{UserID: "ann", ExpiresAt: time.Unix(1, 0)})}, nil, "opaque", 401, protocol.CloseUnauthorized, room.RefusedExpiredToken},
		{"Authenticate", config{options: transport.Options{
			Authenticate: func(*http.Request) (auth.Identity, error) { return auth.Identity{}, auth.ErrNoToken },
		}}, nil, "opaque", 401, protocol.CloseUnauthorized, room.RefusedNoToken},
		{"verifier down", config{verifier: failing(errors.New("down"))}, nil, "opaque", 503, protocol.CloseInternal, room.RefusedUnavailable},
		{"verifier slow", config{verifier: wait, options: transport.Options{VerifyTimeout: time.Millisecond}}, nil, "opaque", 503, protocol.CloseInternal, room.RefusedUnavailable},
		{"verifier panics", config{verifier: panicking}, nil, "opaque", 503, protocol.CloseInternal, room.RefusedUnavailable},
		{"Authenticate panics", config{options: transport.Options{
			Authenticate: func(*http.Request) (auth.Identity, error) { panic("oops") },
		}}, nil, "opaque", 503, protocol.CloseInternal, room.RefusedUnavailable},
		{"identity without a user", config{verifier: identity(auth.Identity{})}, nil, "opaque", 503, protocol.CloseInternal, room.RefusedUnavailable},
		{"user has too many", config{hub: room.Options{ConnectionsPerUser: 1}}, func(t *testing.T, s *server) {
			dial(t, s.Server, "ann")
		}, tokenOf("ann"), 429, protocol.CloseRateLimited, room.RefusedUserLimit},
		{"handler has too many", config{options: transport.Options{MaxConnections: 1}}, func(t *testing.T, s *server) {
			dial(t, s.Server, "bob")
		}, tokenOf("ann"), 503, protocol.CloseRateLimited, room.RefusedServerLimit},
		{"hub closed", config{}, func(t *testing.T, s *server) {
			if err := s.hub.Shutdown(context.Background()); err != nil {
				t.Fatal(err)
			}
		}, tokenOf("ann"), 503, protocol.CloseShutdown, room.RefusedShutdown},
	}
	// A client learns which limit it was over.
	limits := map[room.RefusalReason]string{
		room.RefusedUserLimit: "too many connections of this user", room.RefusedServerLimit: "too many connections",
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			reports := make(chan room.RefusalInfo, 10)
			c.config.hub.Observer.Refused = func(r room.RefusalInfo) { reports <- r }
			s := newServer(t, c.config)
			if c.before != nil {
				c.before(t, s)
			}
			_, resp := open(t, s.Server, handshake{token: c.token})
			if resp.StatusCode != c.status {
				t.Errorf("no browser: status %d, want %d", resp.StatusCode, c.status)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(body), "oops") || strings.Contains(string(body), "down\n") && c.status != 503 {
				t.Errorf("body %q contains internal details", body)
			}
			retry := resp.Header.Get("Retry-After")
			if seconds, err := strconv.Atoi(retry); (c.status == 429 || c.status == 503) != (err == nil && seconds > 0) {
				t.Errorf("status %d with Retry-After = %q", c.status, retry)
			}

			checkReport(t, reports, room.RefusalInfo{Reason: c.reason, Status: c.status})

			browser, resp := open(t, s.Server, handshake{token: c.token, headers: http.Header{"Origin": {s.URL}}})
			if resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("browser: status %d, want 101", resp.StatusCode)
			}
			checkReport(t, reports, room.RefusalInfo{Reason: c.reason, Status: c.status, Code: c.code, Origin: s.URL})
			m := browser.next()
			if m.Type != protocol.TypeGoodbye {
				t.Fatalf("browser: first message is %q, want goodbye", m.Type)
			}
			goodbye := decodeData[protocol.Goodbye](t, m)
			advice := c.code.Advice()
			want := c.code.Goodbye(time.Duration(goodbye.RetryAfterMs) * time.Millisecond)
			if text, ok := limits[c.reason]; ok {
				want.Reason = text
				if string(body) != text+"\n" {
					t.Errorf("body %q, want %q", body, text)
				}
			}
			if diff := cmp.Diff(want, goodbye); diff != "" {
				t.Errorf("goodbye (-want +got):\n%s", diff)
			}
			if wait := time.Duration(goodbye.RetryAfterMs) * time.Millisecond; wait < advice.RetryAfterMin || c.status != 401 && wait == 0 {
				t.Errorf("goodbye asks for a retry after %v", wait)
			}
			if diff := cmp.Diff(ending{Code: c.code, Reason: want.Reason}, browser.end()); diff != "" {
				t.Errorf("browser: connection ended (-want +got):\n%s", diff)
			}
		})
	}
}

// checkReport checks the only report. Address and user depend on the case.
func checkReport(t *testing.T, reports <-chan room.RefusalInfo, want room.RefusalInfo) {
	t.Helper()
	got := receive(t, reports)
	if got.Err == nil || got.RemoteAddr == "" {
		t.Errorf("report without a cause or an address: %+v", got)
	}
	hasUser := want.Reason == room.RefusedUserLimit || want.Reason == room.RefusedServerLimit || want.Reason == room.RefusedShutdown
	if hasUser != (got.UserID == "ann") && want.Reason != room.RefusedExpiredToken {
		t.Errorf("report names user %q", got.UserID)
	}
	got.Err, got.RemoteAddr, got.UserID = nil, "", ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	select {
	case r := <-reports:
		t.Errorf("reported a second time: %+v", r)
	default:
	}
}

// TestReports checks the reports of requests that TestRefusal does not cover: a refused origin, a
// bad handshake, a failed upgrade, and a client that has disconnected.
func TestReports(t *testing.T) {
	reports := make(chan room.RefusalInfo, 10)
	verifying := make(chan struct{}, 1)
	s := newServer(t, config{
		options: transport.Options{Logger: discardLogger},
		wrap:    wrapIf(failing["panic"]),
		verifier: auth.VerifierFunc(func(ctx context.Context, token string) (auth.Identity, error) {
			if token == "wait" {
				verifying <- struct{}{}
				<-ctx.Done()
			}
			return auth.Identity{UserID: "ann"}, nil
		}),
		hub: room.Options{Observer: room.Observer{Refused: func(r room.RefusalInfo) { reports <- r }}},
	})
	evil := "https://evil.example/" + strings.Repeat("x", 1000)
	for _, c := range []struct {
		name string
		h    handshake
		want room.RefusalInfo
	}{
		{"origin", handshake{headers: http.Header{"Origin": {evil}}}, room.RefusalInfo{Reason: room.RefusedOrigin, Status: 403, Origin: evil[:200] + "…"}},
		{"client id", handshake{query: "?client=."}, room.RefusalInfo{Reason: room.RefusedHandshake, Status: 400}},
		{"upgrade", handshake{query: "?wrap", token: "t"}, room.RefusalInfo{Reason: room.RefusedUpgrade, Status: 500, UserID: "ann"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, resp := open(t, s.Server, c.h)
			if resp.StatusCode != c.want.Status {
				t.Errorf("status %d, want %d", resp.StatusCode, c.want.Status)
			}
			got := receive(t, reports)
			got.RemoteAddr, got.Err = "", nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("handshake", func(t *testing.T) {
		resp, err := http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := receive(t, reports); got.Reason != room.RefusedHandshake || got.Status != resp.StatusCode {
			t.Errorf("report %+v, answer %d", got, resp.StatusCode)
		}
	})
	t.Run("gone", func(t *testing.T) {
		nc := connect(t, s.Server, handshake{})
		writeHandshake(t, nc, handshake{token: "wait"})
		receive(t, verifying)
		_ = nc.Close()
		if got := receive(t, reports); got.Reason != room.RefusedGone {
			t.Errorf("report %+v, want one of a client that has disconnected", got)
		}
	})
	want := map[room.RefusalReason]uint64{room.RefusedOrigin: 1, room.RefusedHandshake: 2, room.RefusedUpgrade: 1, room.RefusedGone: 1}
	if diff := cmp.Diff(want, s.hub.Stats().Refused); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// TestGoodbyesAreBounded uses all slots for goodbyes. A further client must get 401, or 101 if a
// slot is free again. Each client sends a message and must still get its goodbye.
func TestGoodbyesAreBounded(t *testing.T) {
	s := newServer(t, config{})
	h := handshake{token: "bad", headers: http.Header{"Origin": {s.URL}}}
	var goodbyes []*client
	for range transport.MaxGoodbyes {
		c, resp := open(t, s.Server, h)
		if resp.StatusCode != http.StatusSwitchingProtocols {
			break // the first have reached their time limit of one second
		}
		goodbyes = append(goodbyes, c)
	}
	if len(goodbyes) < transport.MaxGoodbyes {
		t.Fatalf("%d got a goodbye, want %d", len(goodbyes), transport.MaxGoodbyes)
	}
	for {
		// Whether another client gets a slot depends on timing, but it must get 101 or 401.
		_, resp := open(t, s.Server, h)
		if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusSwitchingProtocols {
			break
		}
		t.Fatalf("status %d, want 401 or 101", resp.StatusCode)
	}
	for _, c := range goodbyes {
		c.text(`{"type":"join-plan","planId":"p"}`)
		want := ending{protocol.CloseUnauthorized, protocol.CloseUnauthorized.Reason(), protocol.CloseUnauthorized}
		if diff := cmp.Diff(want, c.end()); diff != "" {
			t.Fatalf("connection ended (-want +got):\n%s", diff)
		}
	}
}

// TestRefusalLogIsLimited causes many warnings and errors as a client. Of each kind the log must
// have 10 lines a minute, and the next line must have the number of suppressed ones. The others
// must be at level DEBUG.
func TestRefusalLogIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log records
		h := transport.NewHandler(newHub(t), auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
			if token == "down" {
				return auth.Identity{}, errors.New("no answer")
			}
			return auth.Identity{UserID: "ann"}, nil
		}), &transport.Options{Logger: slog.New(&log)})
		refuse := func(n int, token string, status int) {
			var wg sync.WaitGroup
			for range n {
				wg.Go(func() {
					r := httptest.NewRequest(http.MethodGet, "/ws", nil)
					r.Header = http.Header{
						"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Authorization": {"Bearer " + token},
						"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
					}
					w := httptest.NewRecorder() // it has no Hijack method
					h.ServeHTTP(w, r)
					if w.Code != status {
						t.Errorf("status %d, want %d", w.Code, status)
					}
				})
			}
			wg.Wait()
		}
		check := func(level slog.Level, want, suppressed int) {
			t.Helper()
			lines := log.at(level)
			if len(lines) != want {
				t.Fatalf("%d lines of level %s, want %d", len(lines), level, want)
			}
			if last := lines[want-1]; level > slog.LevelDebug && !strings.Contains(last, fmt.Sprintf("suppressed=%d ", suppressed)) {
				t.Errorf("line %q, want one after %d that were suppressed", last, suppressed)
			}
		}
		refuse(30, "down", http.StatusServiceUnavailable)
		refuse(40, "good", http.StatusInternalServerError)
		check(slog.LevelWarn, 10, 0)
		check(slog.LevelError, 10, 0)
		check(slog.LevelDebug, 20+30, 0)
		time.Sleep(time.Minute)
		refuse(1, "down", http.StatusServiceUnavailable)
		refuse(1, "good", http.StatusInternalServerError)
		check(slog.LevelWarn, 11, 20)
		check(slog.LevelError, 11, 30)
	})
}
