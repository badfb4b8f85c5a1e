package transport_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// miscounting is a connection that, once armed, returns counts that no [net.Conn] may return.
type miscounting struct {
	net.Conn
	armed       *atomic.Bool
	read, write func(n int) int // nil: correct
}

func (m miscounting) Read(b []byte) (int, error) {
	if m.read != nil && m.armed.Load() {
		return m.read(len(b)), nil
	}
	return m.Conn.Read(b)
}

func (m miscounting) Write(b []byte) (int, error) {
	if m.write != nil && m.armed.Load() {
		return m.write(len(b)), nil
	}
	return m.Conn.Write(b)
}

// TestConnectionMiscounts serves and refuses clients over connections of middleware that return
// impossible counts, either immediately or after the first answer. The connection must end, no
// goroutine may call it forever, and the log must contain its type.
func TestConnectionMiscounts(t *testing.T) {
	counts := map[string]func(n int) int{
		"negative": func(int) int { return -1 },
		"too many": func(n int) int { return n + 1000 },
		"nothing":  func(int) int { return 0 },
	}
	for name, count := range counts {
		for _, method := range []string{"Read", "Write"} {
			for _, kind := range []string{"served", "served, later", "refused browser", "refused"} {
				t.Run(name+", "+method+", "+kind, func(t *testing.T) {
					var log records
					var armed atomic.Bool
					armed.Store(kind != "served, later")
					codes := make(chan protocol.CloseCode, 2)
					s := newServer(t, config{
						options: transport.Options{Logger: slog.New(&log), MaxConnections: 2},
						wrap: wrapIf(hijackThen(func(nc net.Conn, rw *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter) {
							m := miscounting{Conn: nc, armed: &armed}
							if method == "Read" {
								m.read = count
							} else {
								m.write = count
							}
							return m, rw
						})),
						hub: room.Options{ConnectionsPerUser: 1, Observer: room.Observer{
							Disconnect: func(i room.DisconnectInfo) { codes <- i.Code },
						}},
					})
					h := handshake{query: "?wrap", token: tokenOf("ann"), after: clientFrame(fin|opText, []byte(`{"type":"ping"}`))}
					switch kind {
					case "refused browser":
						h.token, h.headers = "bad", http.Header{"Origin": {s.URL}}
					case "refused":
						dial(t, s.Server, "ann")
					}
					nc := connect(t, s.Server, handshake{})
					writeHandshake(t, nc, h)
					if kind == "served, later" {
						br := bufio.NewReader(nc)
						if _, err := http.ReadResponse(br, nil); err != nil {
							t.Fatal(err)
						}
						c := newClient(t, transporttest.Upgraded(nc, br))
						// the hello and the answer to the message sent with the request
						for range 2 {
							c.next()
						}
						armed.Store(true)
						c.text(`{"type":"ping"}`)
						c.text(`{"type":"ping"}`)
					}
					_, _ = io.Copy(io.Discard, nc) // until the server closes
					if strings.HasPrefix(kind, "served") {
						receive(t, codes)
					}
					if lines := log.at(slog.LevelError); len(lines) == 0 || !strings.Contains(lines[0], "miscounting") {
						t.Errorf("log %q does not name the connection", lines)
					}
					dial(t, s.Server, "bob").join("p")
				})
			}
		}
	}
}

// TestConnectionWritesSlowly serves and refuses clients over a connection whose Write accepts one
// byte and returns no error.
func TestConnectionWritesSlowly(t *testing.T) {
	s := newServer(t, config{
		wrap: wrapIf(hijackThen(func(nc net.Conn, rw *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter) {
			return byteByByte{nc}, rw
		})),
		hub: room.Options{ConnectionsPerUser: 1},
	})
	c := dialWith(t, s.Server, handshake{query: "?wrap", token: tokenOf("ann")})
	c.join("p")
	_, resp := open(t, s.Server, handshake{query: "?wrap", token: tokenOf("ann")})
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusTooManyRequests || !bytes.HasPrefix(body, []byte("too many")) {
		t.Errorf("answer %d %q, %v, want 429", resp.StatusCode, body, err)
	}
	browser, _ := open(t, s.Server, handshake{query: "?wrap", token: "bad", headers: http.Header{"Origin": {s.URL}}})
	if got := browser.end(); got.Code != protocol.CloseUnauthorized || got.Goodbye != protocol.CloseUnauthorized {
		t.Errorf("refused with %+v, want 4401", got)
	}
}

// byteByByte is a connection whose Write accepts one byte.
type byteByByte struct{ net.Conn }

func (b byteByByte) Write(p []byte) (int, error) { return b.Conn.Write(p[:1]) }

// panicky is a connection with a method that panics once armed.
type panicky struct {
	net.Conn
	in *string
}

func (p panicky) check(method string) {
	if *p.in == method {
		panic("in " + method)
	}
}

func (p panicky) Read(b []byte) (int, error) {
	p.check("Read")
	return p.Conn.Read(b)
}

func (p panicky) Write(b []byte) (int, error) {
	p.check("Write")
	return p.Conn.Write(b)
}

func (p panicky) SetWriteDeadline(t time.Time) error {
	p.check("SetWriteDeadline")
	return p.Conn.SetWriteDeadline(t)
}

func (p panicky) SetReadDeadline(t time.Time) error {
	p.check("SetReadDeadline")
	return p.Conn.SetReadDeadline(t)
}

func (p panicky) SetWriteBuffer(int) error {
	p.check("SetWriteBuffer")
	return nil
}

func (p panicky) CloseWrite() error {
	p.check("CloseWrite")
	return nil
}

func (p panicky) Close() error {
	_ = p.Conn.Close()
	p.check("Close")
	return nil
}

// TestConnectionPanics serves connections of middleware that panic. The session must end, and the
// server must continue.
func TestConnectionPanics(t *testing.T) {
	for _, method := range []string{"Read", "Write", "SetWriteDeadline", "SetReadDeadline", "SetWriteBuffer", "CloseWrite", "Close"} {
		t.Run(method, func(t *testing.T) {
			var log records
			codes := make(chan protocol.CloseCode, 1)
			s := newServer(t, config{
				options: transport.Options{Logger: slog.New(&log)},
				wrap: wrapIf(hijackThen(func(nc net.Conn, rw *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter) {
					return panicky{nc, &method}, rw
				})),
				hub: room.Options{Observer: room.Observer{Disconnect: func(i room.DisconnectInfo) { codes <- i.Code }}},
			})
			nc := connect(t, s.Server, handshake{})
			// an unmasked frame
			writeHandshake(t, nc, handshake{query: "?wrap", token: tokenOf("ann"), after: []byte{fin | opText, 1, 'x'}})
			if _, err := nc.Read(make([]byte, 1)); err == nil {
				// so that the server does not wait for the answer to its close frame
				_ = nc.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, nc)
			}
			receive(t, codes)
			if lines := log.at(slog.LevelError); len(lines) == 0 || !strings.Contains(lines[0], "panicky") {
				t.Errorf("log %q does not name the connection that panics", lines)
			}
			dial(t, s.Server, "ann").join("p")
		})
	}
}
