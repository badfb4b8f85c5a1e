package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/transporttest"
)

var upgradesFor = flag.Duration("upgrades", 0, "how long TestFailedUpgradeReplacesNoConnection goes on at least")

// TestUpgradeFails upgrades through ResponseWriters without a connection. The client must get 500
// and no 101, the log must have one error that lists the middleware, and the hub must have no
// session.
func TestUpgradeFails(t *testing.T) {
	for name, wrap := range failing {
		t.Run(name, func(t *testing.T) {
			var log records
			s := newServer(t, config{options: transport.Options{Logger: slog.New(&log)}, wrap: wrapIf(wrap)})
			for _, origin := range []string{"", s.URL} { // without and with an Origin
				h := handshake{query: "?wrap", token: tokenOf("ann"), headers: http.Header{}}
				if origin != "" {
					h.headers.Set("Origin", origin)
				}
				_, resp := open(t, s.Server, h)
				if resp.StatusCode != http.StatusInternalServerError {
					t.Errorf("status %d, want 500", resp.StatusCode)
				}
			}
			lines := log.at(slog.LevelError)
			if len(lines) != 2 {
				t.Errorf("%d errors in the log, want one for each request: %q", len(lines), lines)
			}
			for _, line := range lines {
				if !strings.Contains(line, "upgrade failed") || !strings.Contains(line, "transport_test.") {
					t.Errorf("log %q does not name the middleware", line)
				}
			}
			// A browser that would get a goodbye gets the HTTP answer instead.
			_, resp := open(t, s.Server, handshake{query: "?wrap", token: "bad", headers: http.Header{"Origin": {s.URL}}})
			if resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("bad token: status %d, want 401", resp.StatusCode)
			}
			if got := s.hub.Stats(); got.Connects != 0 || got.Connections != 0 {
				t.Errorf("the hub counts %d connects, %d connections, want none", got.Connects, got.Connections)
			}
			dial(t, s.Server, "ann").join("p")
		})
	}
}

// TestFailedUpgradeReplacesNoConnection upgrades one client ID 16 times concurrently, repeatedly,
// through middleware without a connection. The working connection of this client ID must remain.
// Meanwhile the hub disconnects the user of other failing upgrades.
func TestFailedUpgradeReplacesNoConnection(t *testing.T) {
	codes := make(chan protocol.CloseCode, 1)
	names := make([]string, 0, len(failing))
	for name := range failing {
		names = append(names, name)
	}
	s := newServer(t, config{
		options: transport.Options{Logger: discardLogger},
		wrap: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if name := r.Header.Get("Wrap"); name != "" {
					w = failing[name](w)
				}
				h.ServeHTTP(w, r)
			})
		},
		hub: room.Options{Observer: room.Observer{Disconnect: func(i room.DisconnectInfo) { codes <- i.Code }}},
	})
	good := dialWith(t, s.Server, handshake{query: "?client=tab", token: tokenOf("ann")})
	good.join("p")
	start := time.Now()
	for round := 0; round < len(names) || time.Since(start) < *upgradesFor; round++ {
		var dials sync.WaitGroup
		for i := range 16 {
			dials.Go(func() {
				user := []string{"ann", "bob"}[i%2]
				h := handshake{query: "?client=tab", token: tokenOf(user), headers: http.Header{"Wrap": {names[(round+i)%len(names)]}}}
				_, resp, err := tryOpen(t, s.Server, h)
				if err != nil || resp.StatusCode != http.StatusInternalServerError {
					t.Errorf("answer %v, %v, want 500", resp, err)
				}
			})
		}
		dials.Go(func() {
			if _, err := s.hub.Disconnect(context.Background(), "bob"); err != nil {
				t.Error(err)
			}
		})
		dials.Wait()
		if _, err := s.hub.BroadcastTaskDeleted(context.Background(), "p", "x"); err != nil {
			t.Fatal(err)
		}
		if err := good.nc.SetDeadline(time.Now().Add(testTimeout)); err != nil {
			t.Fatal(err)
		}
		if m := good.next(); m.Type != protocol.TypeTaskDeleted {
			t.Fatalf("the connection got %q, want the event", m.Type)
		}
		select {
		case code := <-codes:
			t.Fatalf("a connection ended with %d", code)
		default:
		}
	}
	good.send(opClose, nil)
	good.end()
	receive(t, codes)
}

// TestUpgradeThrough connects through middleware that interferes with the upgrade. A message
// arrives together with the request.
func TestUpgradeThrough(t *testing.T) {
	for name, wrap := range map[string]func(w http.ResponseWriter) http.ResponseWriter{
		"late header": func(w http.ResponseWriter) http.ResponseWriter { return &lateHeader{ResponseWriter: w} },
		"headers": func(w http.ResponseWriter) http.ResponseWriter {
			w.Header().Set("X-Frame-Options", "DENY")
			w.Header().Set("Sec-WebSocket-Extensions", "permessage-deflate")
			return w
		},
		"bytes left in the writer": hijackThen(func(nc net.Conn, rw *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter) {
			_, _ = rw.WriteString("HTTP/1.1 200 OK\r\n") // buffered only
			return nc, rw
		}),
		"deadlines": hijackThen(func(nc net.Conn, rw *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter) {
			_ = nc.SetDeadline(time.Unix(1, 0))
			return nc, rw
		}),
		"no writer": hijackThen(func(nc net.Conn, rw *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter) {
			return nc, bufio.NewReadWriter(rw.Reader, nil)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, config{wrap: wrapIf(wrap)})
			c, resp := open(t, s.Server, handshake{
				query: "?wrap", token: tokenOf("ann"), headers: http.Header{"Sec-Websocket-Protocol": {"a, planrooms.v1"}},
				after: clientFrame(fin|opText, []byte(`{"type":"ping"}`)),
			})
			want := http.Header{
				"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
				"Sec-Websocket-Accept": {"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, "Sec-Websocket-Protocol": {"planrooms.v1"},
			}
			if diff := cmp.Diff(want, resp.Header); diff != "" {
				t.Errorf("headers of %s (-want +got):\n%s", resp.Status, diff)
			}
			for range 2 { // the hello, and the answer to what came with the request
				if m := c.next(); m.Type != protocol.TypePong {
					t.Fatalf("got %q, want pong", m.Type)
				}
			}
			c.join("p")
		})
	}
	// without the buffers, bytes that net/http has read after the request are lost
	t.Run("no buffers", func(t *testing.T) {
		s := newServer(t, config{wrap: wrapIf(hijackThen(func(nc net.Conn, _ *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter) {
			return nc, nil
		}))})
		dialWith(t, s.Server, handshake{query: "?wrap", token: tokenOf("ann")}).join("p")
	})
}

// spy is a connection that records what is written to it.
type spy struct {
	net.Conn
	wrote func(b []byte)
}

func (s spy) Write(b []byte) (int, error) {
	s.wrote(bytes.Clone(b))
	return s.Conn.Write(b)
}

// TestAnswerInOneWrite checks that one write carries the answer to the handshake and the first
// message, or the whole refusal of a browser.
func TestAnswerInOneWrite(t *testing.T) {
	wrote := make(chan []byte, 10)
	s := newServer(t, config{wrap: wrapIf(hijackThen(func(nc net.Conn, rw *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter) {
		return spy{nc, func(b []byte) { wrote <- b }}, rw
	}))})
	for _, c := range []struct {
		name    string
		h       handshake
		opcodes []transporttest.Opcode
	}{
		{"served", handshake{token: tokenOf("ann")}, []transporttest.Opcode{opText}},
		{"refused", handshake{token: "bad", headers: http.Header{"Origin": {s.URL}}}, []transporttest.Opcode{opText, opClose}},
	} {
		check := func(t *testing.T, b []byte) {
			br := bufio.NewReader(bytes.NewReader(b))
			resp, err := http.ReadResponse(br, nil)
			if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("first bytes %q: %v", b, err)
			}
			frames := transporttest.Upgraded(nil, br)
			var opcodes []transporttest.Opcode
			for {
				f, err := frames.ReadFrame()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("first bytes %q: %v", b, err)
				}
				opcodes = append(opcodes, f.Opcode)
			}
			if !slices.Equal(opcodes, c.opcodes) {
				t.Errorf("first bytes hold frames %x, want %x", opcodes, c.opcodes)
			}
		}
		t.Run(c.name+", any connection", func(t *testing.T) {
			c.h.query = "?wrap"
			open(t, s.Server, c.h)
			check(t, receive(t, wrote))
		})
		t.Run(c.name+", socket", func(t *testing.T) {
			c.h.query = ""
			nc, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = nc.Close() })
			writeHandshake(t, nc, c.h)
			b := make([]byte, 64<<10)
			n, err := nc.Read(b) // over loopback, the data of one write arrives at once
			if err != nil {
				t.Fatal(err)
			}
			check(t, b[:n])
		})
	}
}

// TestMiddlewareEndsContext uses middleware whose request deadline passes while the token is
// verified. The handler must not treat that as a disconnect.
func TestMiddlewareEndsContext(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
	}{
		{"verified", nil, http.StatusSwitchingProtocols},
		{"not verified", context.DeadlineExceeded, http.StatusServiceUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, config{
				options: transport.Options{Logger: discardLogger},
				wrap: func(h http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						ctx, cancel := context.WithDeadline(r.Context(), time.Unix(1, 0))
						defer cancel()
						h.ServeHTTP(w, r.WithContext(ctx))
					})
				},
				verifier: auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
					return auth.Identity{UserID: "ann"}, c.err
				}),
			})
			if _, resp := open(t, s.Server, handshake{token: "t"}); resp.StatusCode != c.status {
				t.Errorf("status %d, want %d", resp.StatusCode, c.status)
			}
		})
	}
}
