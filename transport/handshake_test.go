package transport_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

func TestHandshake(t *testing.T) {
	good := func(change func(r *http.Request)) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/ws", nil)
		r.Header = http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
			"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}
		change(r)
		return r
	}
	cases := []struct {
		name    string
		change  func(r *http.Request)
		status  int
		headers http.Header // required in the response; an empty value: must be absent
	}{
		{"plain GET", func(r *http.Request) { r.Header = http.Header{} }, 426, http.Header{"Upgrade": {""}, "Connection": {""}}},
		{"HTTP/2 behind nginx", func(r *http.Request) { r.Header = http.Header{"Connection": {"upgrade"}} }, 426,
			http.Header{"Upgrade": {""}, "Connection": {""}}},
		{"HTTP/2", func(r *http.Request) { r.ProtoMajor, r.ProtoMinor = 2, 0 }, 426, http.Header{"Upgrade": {""}, "Connection": {""}}},
		{"POST", func(r *http.Request) { r.Method = http.MethodPost }, 405, http.Header{"Allow": {"GET"}}},
		{"HEAD", func(r *http.Request) { r.Method = http.MethodHead }, 405, http.Header{"Allow": {"GET"}}},
		{"HTTP/1.0", func(r *http.Request) { r.ProtoMinor = 0 }, 426, nil},
		{"no Connection", func(r *http.Request) { r.Header.Del("Connection") }, 426, http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}},
		{"upgrade to h2c", func(r *http.Request) { r.Header.Set("Upgrade", "h2c") }, 426, http.Header{"Upgrade": {"websocket"}}},
		{"version 8", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Version", "8") }, 400, http.Header{"Sec-Websocket-Version": {"13"}}},
		{"versions 13 and 8", func(r *http.Request) { r.Header.Add("Sec-WebSocket-Version", "8") }, 400, http.Header{"Sec-Websocket-Version": {"13"}}},
		{"version 13 twice", func(r *http.Request) { r.Header.Add("Sec-WebSocket-Version", "13") }, 400, http.Header{"Sec-Websocket-Version": {"13"}}},
		{"other subprotocol", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Protocol", "graphql-ws") }, 400, nil},
		{"other case of the subprotocol", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Protocol", "PlanRooms.v1") }, 400, nil},
		{"no key", func(r *http.Request) { r.Header.Del("Sec-WebSocket-Key") }, 400, nil},
		{"short key", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "c2hvcnQ=") }, 400, nil},
		{"two keys", func(r *http.Request) { r.Header.Add("Sec-WebSocket-Key", r.Header.Get("Sec-WebSocket-Key")) }, 400, nil},
		{"body", func(r *http.Request) { r.ContentLength = 3 }, 400, nil},
	}
	h := transport.NewHandler(newHub(t), verifier, nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, good(c.change))
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			if strings.TrimSpace(w.Body.String()) == "" {
				t.Error("no text")
			}
			for name, want := range c.headers {
				if got := w.Header().Get(name); got != want[0] {
					t.Errorf("%s = %q, want %q", name, got, want[0])
				}
			}
		})
	}
}

// TestHTTP2 sends requests over HTTP/2, whose connections cannot be hijacked.
func TestHTTP2(t *testing.T) {
	s := newServer(t, config{http2: true})
	req, err := http.NewRequest(http.MethodGet, s.URL+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+tokenOf("ann"))
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("%s: status %d, want 426 over HTTP/2", resp.Proto, resp.StatusCode)
	}
	for _, name := range []string{"Connection", "Upgrade", "Keep-Alive", "Transfer-Encoding"} {
		if got := resp.Header.Values(name); len(got) > 0 {
			t.Errorf("%s %q over HTTP/2", name, got)
		}
	}
}

// TestNoHijack serves behind middleware that does not allow a hijack.
func TestNoHijack(t *testing.T) {
	quiet := transport.Options{Logger: discardLogger}
	s := newServer(t, config{options: quiet, wrap: func(h http.Handler) http.Handler {
		return http.TimeoutHandler(h, time.Hour, "")
	}})
	_, resp := open(t, s.Server, handshake{token: tokenOf("ann")})
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", resp.StatusCode)
	}
}

// TestGoneBeforeVerified checks that a client that disconnects before its token is verified is not
// admitted to the hub. It would replace the connection that the client has opened since.
func TestGoneBeforeVerified(t *testing.T) {
	verifying, gone := make(chan struct{}), make(chan struct{})
	connected := make(chan string, 1)
	s := newServer(t, config{
		verifier: auth.VerifierFunc(func(ctx context.Context, token string) (auth.Identity, error) {
			close(verifying)
			<-ctx.Done() // net/http has noticed the disconnect
			defer close(gone)
			return auth.Identity{UserID: "ann"}, nil
		}),
		hub: room.Options{Observer: room.Observer{Connect: func(c room.ConnectionInfo) { connected <- c.ID }}},
	})
	nc, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(nc, "GET /?client=tab HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer t\r\n\r\n", s.Listener.Addr())
	receive(t, verifying)
	_ = nc.Close()
	receive(t, gone)
	s.Close() // waits until the handler has returned
	select {
	case id := <-connected:
		t.Errorf("the hub accepted connection %s of a client that has disconnected", id)
	default:
	}
}
