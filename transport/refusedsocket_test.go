package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
)

// TestRefusedOnTheSocket refuses clients that are not browsers after the hijack. The whole answer
// must arrive, no matter what the client sends, and the connection must end after it.
func TestRefusedOnTheSocket(t *testing.T) {
	for _, c := range []struct {
		name    string
		config  config
		before  func(t *testing.T, s *server)
		status  int
		text    string
		headers map[string]bool
	}{
		{"user has too many", config{hub: room.Options{ConnectionsPerUser: 1}}, func(t *testing.T, s *server) { dial(t, s.Server, "ann") },
			429, "too many connections of this user\n", map[string]bool{"Retry-After": true, "Www-Authenticate": false}},
		{"hub closed", config{}, func(t *testing.T, s *server) {
			if err := s.hub.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		}, 503, "shutting down\n", map[string]bool{"Retry-After": true, "Www-Authenticate": false}},
		{"identity expired", config{verifier: auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
			return auth.Identity{UserID: "ann", ExpiresAt: time.Unix(1, 0)}, nil
		})}, func(*testing.T, *server) {}, 401, "unauthorized\n", map[string]bool{"Retry-After": false, "Www-Authenticate": true}},
	} {
		for _, tls := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %v", c.name, tls), func(t *testing.T) {
				c.config.tls = tls
				s := newServer(t, c.config)
				c.before(t, s)
				nc := connect(t, s.Server, handshake{})
				writeHandshake(t, nc, handshake{token: tokenOf("ann"), after: bytes.Repeat([]byte("x"), 10_000)})
				resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode != c.status || string(body) != c.text {
					t.Errorf("answer %d %q, want %d %q", resp.StatusCode, body, c.status, c.text)
				}
				if int(resp.ContentLength) != len(c.text) || !resp.Close || resp.ProtoMinor != 1 || resp.Header.Get("Date") == "" {
					t.Errorf("answer %+v has no length, no date or leaves the connection open", resp)
				}
				for name, want := range c.headers {
					if got := resp.Header.Get(name) != ""; got != want {
						t.Errorf("%s present: %v, want %v", name, got, want)
					}
				}
				if n, err := nc.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("read %d, %v behind the answer, want io.EOF", n, err)
				}
			})
		}
	}
}
