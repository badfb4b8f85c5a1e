package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// TestRefusal refuses browsers and others for every reason there is.
func TestRefusal(t *testing.T) {
	failing := func(err error) auth.Verifier {
		return auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) { return auth.Identity{}, err })
	}
	identity := func(id auth.Identity) auth.Verifier {
		return auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) { return id, nil })
	}
	// wait lets a context end; VerifyTimeout is what it ends by.
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
	}{
		{"no token", config{}, nil, "", 401, protocol.CloseUnauthorized},
		{"bad token", config{}, nil, "bad", 401, protocol.CloseUnauthorized},
		{"token too long", config{}, nil, strings.Repeat("x", protocol.MaxTokenBytes+1), 401, protocol.CloseUnauthorized},
		{"wrapped", config{verifier: failing(errors.Join(errors.New("x"), auth.ErrInvalidToken))}, nil, "t", 401, protocol.CloseUnauthorized},
		{"expired", config{verifier: failing(&auth.ExpiredError{At: time.Unix(1, 0)})}, nil, "t", 401, protocol.CloseUnauthorized},
		{"identity expired", config{verifier: identity(auth.Identity{UserID: "ann", ExpiresAt: time.Unix(1, 0)})}, nil, "t", 401, protocol.CloseUnauthorized},
		{"Authenticate", config{options: transport.Options{
			Authenticate: func(*http.Request) (auth.Identity, error) { return auth.Identity{}, auth.ErrNoToken },
		}}, nil, "t", 401, protocol.CloseUnauthorized},
		{"verifier down", config{verifier: failing(errors.New("down"))}, nil, "t", 503, protocol.CloseInternal},
		{"verifier slow", config{verifier: wait, options: transport.Options{VerifyTimeout: time.Millisecond}}, nil, "t", 503, protocol.CloseInternal},
		{"verifier panics", config{verifier: panicking}, nil, "t", 503, protocol.CloseInternal},
		{"Authenticate panics", config{options: transport.Options{
			Authenticate: func(*http.Request) (auth.Identity, error) { panic("oops") },
		}}, nil, "t", 503, protocol.CloseInternal},
		{"identity of nobody", config{verifier: identity(auth.Identity{})}, nil, "t", 503, protocol.CloseInternal},
		{"user has too many", config{hub: room.Options{ConnectionsPerUser: 1}}, func(t *testing.T, s *server) {
			dial(t, s.Server, "ann")
		}, tokenOf("ann"), 429, protocol.CloseRateLimited},
		{"handler has too many", config{options: transport.Options{MaxConnections: 1}}, func(t *testing.T, s *server) {
			dial(t, s.Server, "bob")
		}, tokenOf("ann"), 503, protocol.CloseRateLimited},
		{"hub closed", config{}, func(t *testing.T, s *server) {
			if err := s.hub.Shutdown(context.Background()); err != nil {
				t.Fatal(err)
			}
		}, tokenOf("ann"), 503, protocol.CloseShutdown},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
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
				t.Errorf("body %q tells what went wrong inside", body)
			}
			retry := resp.Header.Get("Retry-After")
			if seconds, err := strconv.Atoi(retry); (c.status == 429 || c.status == 503) != (err == nil && seconds > 0) {
				t.Errorf("status %d with Retry-After = %q", c.status, retry)
			}

			browser, resp := open(t, s.Server, handshake{token: c.token, headers: http.Header{"Origin": {s.URL}}})
			if resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("browser: status %d, want 101", resp.StatusCode)
			}
			m := browser.next()
			if m.Type != protocol.TypeGoodbye {
				t.Fatalf("browser: first message is %q, want goodbye", m.Type)
			}
			goodbye := decodeData[protocol.Goodbye](t, m)
			advice := c.code.Advice()
			want := c.code.Goodbye(time.Duration(goodbye.RetryAfterMs) * time.Millisecond)
			if diff := cmp.Diff(want, goodbye); diff != "" {
				t.Errorf("goodbye (-want +got):\n%s", diff)
			}
			if wait := time.Duration(goodbye.RetryAfterMs) * time.Millisecond; wait < advice.RetryAfterMin || c.status != 401 && wait == 0 {
				t.Errorf("goodbye asks to come back after %v", wait)
			}
			if diff := cmp.Diff(ending{Code: c.code, Reason: c.code.Reason()}, browser.end()); diff != "" {
				t.Errorf("browser: connection ended (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRefusedAreBounded fills the places of those who are told, with clients that neither answer nor go, and pings them all along.
func TestRefusedAreBounded(t *testing.T) {
	s := newServer(t, config{})
	h := handshake{token: "bad", headers: http.Header{"Origin": {s.URL}}}
	var told []*client
	for range transport.MaxRefusing {
		c, resp := open(t, s.Server, h)
		if resp.StatusCode != http.StatusSwitchingProtocols {
			break // the first have had their second by now
		}
		told = append(told, c)
	}
	if len(told) < transport.MaxRefusing {
		t.Fatalf("%d were told, want %d", len(told), transport.MaxRefusing)
	}
	for {
		// Whether one more finds a place depends on how fast all this was; but nobody is told anything else.
		_, resp := open(t, s.Server, h)
		if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusSwitchingProtocols {
			break
		}
		t.Fatalf("status %d, want 401 or 101", resp.StatusCode)
	}
	for _, c := range told {
		c.text(`{"type":"join-plan","planId":"p"}`)
		want := ending{protocol.CloseUnauthorized, protocol.CloseUnauthorized.Reason(), protocol.CloseUnauthorized}
		if diff := cmp.Diff(want, c.end()); diff != "" {
			t.Fatalf("connection ended (-want +got):\n%s", diff)
		}
	}
}
