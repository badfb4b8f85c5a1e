package transport_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
)

// TestMiddleware connects through different ResponseWriters.
func TestMiddleware(t *testing.T) {
	wrap := func(f func(w http.ResponseWriter) http.ResponseWriter) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(f(w), r) })
		}
	}
	for _, c := range []struct {
		name string
		wrap func(http.Handler) http.Handler
	}{
		{"Unwrap only", wrap(func(w http.ResponseWriter) http.ResponseWriter { return unwrapOnly{w} })},
		{"Unwrap twice", wrap(func(w http.ResponseWriter) http.ResponseWriter { return unwrapOnly{unwrapOnly{w}} })},
		{"gin", wrap(func(w http.ResponseWriter) http.ResponseWriter { return &ginLike{ResponseWriter: w} })},
		{"gin behind Unwrap", wrap(func(w http.ResponseWriter) http.ResponseWriter { return unwrapOnly{&ginLike{ResponseWriter: w}} })},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, config{wrap: c.wrap})
			conn := dial(t, s.Server, "ann")
			conn.join("p")
			conn.send(opClose, closePayload(1000, ""))
			if got := conn.end(); got.Code != 1000 {
				t.Errorf("closed with %+v, want 1000", got)
			}
			_, resp := open(t, s.Server, handshake{})
			// gin writes a status later
			if resp.StatusCode != http.StatusUnauthorized && !strings.HasPrefix(c.name, "gin") {
				t.Errorf("without token: status %d, want 401", resp.StatusCode)
			}
		})
	}
}

// TestPipelined sends messages before the handshake is answered, more than the connection's buffer
// holds.
func TestPipelined(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newServer(t, config{kinds: []kind{k}})
		const joins = 20
		var b bytes.Buffer
		for i := range joins {
			b.Write(clientFrame(fin|opText, []byte(`{"type":"join-plan","planId":"`+strings.Repeat("p", 100)+string(rune('a'+i))+`"}`)))
		}
		b.Write(clientFrame(fin|opPing, []byte("last")))
		c := dialWith(t, s.Server, handshake{token: tokenOf("ann"), after: b.Bytes()})
		for range joins {
			if m := c.next(); m.Type != protocol.TypeJoinPlan {
				t.Fatalf("got %q %s, want the answer to a join", m.Type, m.Data)
			}
		}
		pongs := c.Pongs()
		if len(pongs) == 0 {
			pongs = []string{c.pong()}
		}
		if pongs[0] != "last" {
			t.Errorf("pong %q, want last", pongs[0])
		}
	})
}
