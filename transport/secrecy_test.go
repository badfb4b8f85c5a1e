package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// lockedBuffer is a log that several goroutines may write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestTokenStaysSecret sends a recognizable token in every supported way. Its verifiers put the
// token into their errors, which they must not do. The test searches everything that the server
// writes for the token: log lines, answers, frames.
func TestTokenStaysSecret(t *testing.T) {
	const canary = "eyCANARY.eyCANARYbody.CANARYsig"
	verifiers := map[string]auth.VerifierFunc{
		"good": func(context.Context, string) (auth.Identity, error) { return auth.Identity{UserID: "ann"}, nil },
		"bad": func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{}, fmt.Errorf("%w: %s", auth.ErrInvalidToken, token)
		},
		"down": func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{}, errors.New("cannot ask about " + token)
		},
		"down, with a part": func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{}, errors.New("cannot ask about " + strings.Split(token, ".")[1])
		},
		"down, with a URL": func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{}, &url.Error{Op: "Get", URL: "https://idp.example/?t=" + token, Err: errors.New("refused")}
		},
		"panicking": func(_ context.Context, token string) (auth.Identity, error) { panic("with " + token) },
	}
	sources := map[string]handshake{
		"header":      {token: canary},
		"subprotocol": {headers: http.Header{"Sec-Websocket-Protocol": {"planrooms.v1, " + subprotocolOf(canary)}}},
		"alone":       {headers: http.Header{"Sec-Websocket-Protocol": {subprotocolOf(canary)}}},
		"query":       {query: "?client=tab&token=" + canary},
		"bad client":  {query: "?client=a.b&token=" + canary},
		"cookie":      {headers: http.Header{"Cookie": {"sid=" + canary}}},
	}
	for name, v := range verifiers {
		t.Run(name, func(t *testing.T) {
			var log, out lockedBuffer
			logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 100, AddSource: true}))
			s := newServer(t, config{
				verifier: v,
				hub:      room.Options{Logger: logger},
				options:  transport.Options{Logger: logger, CookieName: "sid"},
			})
			s.Config.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelError)
			for _, h := range sources {
				for _, origin := range []string{"", s.URL, "https://evil.example"} {
					h := h
					h.headers = h.headers.Clone()
					if origin != "" {
						if h.headers == nil {
							h.headers = http.Header{}
						}
						h.headers.Set("Origin", origin)
					}
					c, resp := open(t, s.Server, h)
					if err := resp.Header.Write(&out); err != nil {
						t.Fatal(err)
					}
					if resp.StatusCode != http.StatusSwitchingProtocols {
						if _, err := io.Copy(&out, resp.Body); err != nil {
							t.Fatal(err)
						}
						continue
					}
					c.text(`{"type":"authenticate","data":{"token":"` + canary + `"}}`)
					c.text(`{"type":"` + canary + `"`)
					c.text(`{"type":"ping"}`)
					c.send(opClose, closePayload(1000, canary))
					for {
						f, err := c.frame()
						if err != nil {
							break
						}
						m, err := protocol.Decode(f.Payload)
						if err == nil && m.Type == protocol.TypeError {
							e := decodeData[protocol.Error](t, m)
							if e.Re == canary {
								e.Re = "" // sent by this client, and returned only to it
							}
							fmt.Fprintf(&out, "%+v\n", e)
							continue
						}
						fmt.Fprintf(&out, "%s\n", f.Payload)
					}
				}
			}
			for _, secret := range append(strings.Split(canary, "."), subprotocolOf(canary)) {
				if strings.Contains(log.String(), secret) {
					t.Errorf("%q is in the log:\n%s", secret, log.String())
				}
				if strings.Contains(out.String(), secret) {
					t.Errorf("%q was sent:\n%s", secret, out.String())
				}
			}
			if name != "good" && name != "bad" && !strings.Contains(log.String(), "cannot authenticate a client") {
				t.Errorf("nothing in the log about the verifier:\n%s", log.String())
			}
		})
	}
}

func TestWithoutToken(t *testing.T) {
	for _, c := range []struct {
		text, token string
		unchanged   bool
	}{
		{"connection refused", "abcdefgh.ijklmnop", true},
		{"connection refused", "", true},
		{"bad: abcdefgh.ijklmnop", "abcdefgh.ijklmnop", false},
		{"bad: ijklmnop", "abcdefgh.ijklmnop", false},
		{"bad: abc", "abc", false},
		{"a bad key", "a.b.c", true},
		{"https://idp.example/?t=a%2Fb%2Bc%3D", "a/b+c=", false},
		{"https://idp.example/a%2Fb+c=/x", "a/b+c=", false},
		{`bad: "a\"b"`, `a"b`, false},
		{"bad: 0123456789abcdef...", "0123456789abcdefghijklmnopqrstuvwxyz", false},
		{"bad: ...klmnopqrstuvwxyz", "0123456789abcdefghijklmnopqrstuvwxyz", false},
	} {
		if got := transport.WithoutToken(errors.New(c.text), c.token); (got == c.text) != c.unchanged {
			t.Errorf("withoutToken(%q, %q) = %q", c.text, c.token, got)
		}
	}
}
