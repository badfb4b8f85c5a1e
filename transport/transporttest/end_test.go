package transporttest_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/transport/transporttest"
)

// TestEnd ends connections in every way.
func TestEnd(t *testing.T) {
	goodbye := `{"type":"goodbye","data":{"code":4408,"reason":"timed out","reconnect":true,"reauth":false,"retryAfterMs":0}}`
	text := func(s string) frame { return frame{Opcode: opText, Payload: []byte(s)} }
	cases := []struct {
		name  string
		bytes []byte
		want  transporttest.Ending
		err   string // part of the error
	}{
		{"close", server(text("x"), closing(1000, "bye")), transporttest.Ending{Code: 1000, Reason: "bye", EOF: true}, ""},
		{"close without code", server(closing(1005, "")), transporttest.Ending{Code: 1005, EOF: true}, ""},
		{"goodbye", server(text(`{"type":"pong"}`), text(goodbye), closing(4408, "timed out")),
			transporttest.Ending{Code: 4408, Reason: "timed out", Goodbye: 4408, EOF: true}, ""},
		{"end of the stream", server(text("x")), transporttest.Ending{Code: 1006, EOF: true}, ""},
		{"end inside a frame", server(text("x"))[:2], transporttest.Ending{Code: 1006}, "inside a frame"},
		{"message after goodbye", server(text(goodbye), text("{}")), transporttest.Ending{Code: 1006, Goodbye: 4408}, "after the goodbye"},
		{"bad goodbye", server(text(`{"type":"goodbye","data":3}`)), transporttest.Ending{Code: 1006}, "goodbye"},
		{"frame after close", server(closing(1000, ""), text("x")), transporttest.Ending{Code: 1000}, "after the close frame"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			conn, _, err := transporttest.NewConn(fakeServer(t, upgraded+string(c.bytes)), "/", "host", nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := conn.End()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("ending (-want +got):\n%s", diff)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
}

// TestEndOfSocket ends sockets properly and with a reset, with and without TLS.
func TestEndOfSocket(t *testing.T) {
	end := map[string]func(nc net.Conn){
		"closed": func(nc net.Conn) { _ = nc.Close() },
		"cut": func(nc net.Conn) {
			if secure, ok := nc.(*tls.Conn); ok {
				nc = secure.NetConn()
			}
			_ = nc.(*net.TCPConn).SetLinger(0)
			_ = nc.Close()
		},
		"TCP closed": func(nc net.Conn) { _ = nc.(*tls.Conn).NetConn().Close() },
	}
	for _, secure := range []bool{false, true} {
		for name, want := range map[string]bool{"closed": true, "cut": false, "TCP closed": false} {
			if name == "TCP closed" && !secure {
				continue
			}
			t.Run(fmt.Sprintf("%s, TLS %v", name, secure), func(t *testing.T) {
				s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					nc, _, err := http.NewResponseController(w).Hijack()
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = nc.Write(append([]byte(upgraded), server(frame{Opcode: opText, Payload: []byte("x")})...))
					_, _ = nc.Read(make([]byte, 100)) // the client has read the text
					end[name](nc)
				}))
				o := &transporttest.Options{}
				if secure {
					s.StartTLS()
					o.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig
				} else {
					s.Start()
				}
				defer s.Close()
				c, _, err := transporttest.Dial(s.URL, o)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.ReadMessage(); err != nil {
					t.Fatal(err)
				}
				if err := c.SendText("read"); err != nil {
					t.Fatal(err)
				}
				got, err := c.End()
				if want := (transporttest.Ending{Code: 1006, EOF: want}); got != want || err != nil {
					t.Errorf("ending %+v, %v, want %+v", got, err, want)
				}
			})
		}
	}
}
