package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
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
)

var upgradesFor = flag.Duration("upgrades", 0, "how long TestFailedUpgradeReplacesNoConnection goes on at least")

// hijackWriter is a ResponseWriter of middleware with the given Hijack.
type hijackWriter struct {
	http.ResponseWriter
	hijack func() (net.Conn, *bufio.ReadWriter, error)
}

func (w hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack() }

// unwrapWriter is a ResponseWriter of middleware with the given Unwrap and without Hijack.
type unwrapWriter struct {
	inner  http.ResponseWriter
	unwrap func() http.ResponseWriter
}

func (w unwrapWriter) Header() http.Header         { return w.inner.Header() }
func (w unwrapWriter) Write(b []byte) (int, error) { return w.inner.Write(b) }
func (w unwrapWriter) WriteHeader(status int)      { w.inner.WriteHeader(status) }
func (w unwrapWriter) Unwrap() http.ResponseWriter { return w.unwrap() }

// ginHijack is a ResponseWriter like gin's. Before it calls the Hijack method of the wrapped
// writer, it marks the header as written and from then on ignores a status. It panics if the
// wrapped writer has no Hijack method.
type ginHijack struct {
	inner   http.ResponseWriter
	written bool
}

func (w *ginHijack) Header() http.Header         { return w.inner.Header() }
func (w *ginHijack) Write(b []byte) (int, error) { return w.inner.Write(b) }
func (w *ginHijack) Unwrap() http.ResponseWriter { return w.inner }

func (w *ginHijack) WriteHeader(status int) {
	if !w.written {
		w.written = true
		w.inner.WriteHeader(status)
	}
}

func (w *ginHijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.written = true
	return w.inner.(http.Hijacker).Hijack()
}

// failing holds ResponseWriters that have a Hijack or Unwrap method but no connection.
var failing = map[string]func(w http.ResponseWriter) http.ResponseWriter{
	"error": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, http.ErrNotSupported }}
	},
	"panic": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) {
			return any(unwrapOnly{w}).(http.Hijacker).Hijack()
		}}
	},
	"gin": func(w http.ResponseWriter) http.ResponseWriter {
		return &ginHijack{inner: struct{ http.ResponseWriter }{w}} // hides the other methods of w
	},
	"nothing": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }}
	},
	"nil TCP connection": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) { return (*net.TCPConn)(nil), nil, nil }}
	},
	"nil TLS connection": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) { return (*tls.Conn)(nil), nil, nil }}
	},
	"Unwrap to itself": func(w http.ResponseWriter) http.ResponseWriter {
		var self unwrapWriter
		self = unwrapWriter{w, func() http.ResponseWriter { return self }}
		return self
	},
	"Unwrap panics": func(w http.ResponseWriter) http.ResponseWriter {
		return unwrapWriter{w, func() http.ResponseWriter { panic("oops") }}
	},
	"Unwrap to nil": func(w http.ResponseWriter) http.ResponseWriter {
		return unwrapWriter{w, func() http.ResponseWriter { return nil }}
	},
	"TimeoutHandler": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) {
			var err error
			http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _, err = http.NewResponseController(w).Hijack()
			}), time.Hour, "").ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
			return nil, nil, err
		}}
	},
}

// wrapIf applies wrap to the ResponseWriter of requests with ?wrap.
func wrapIf(wrap func(w http.ResponseWriter) http.ResponseWriter) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("wrap") {
				w = wrap(w)
			}
			h.ServeHTTP(w, r)
		})
	}
}

// records is a log handler that keeps its records.
type records struct {
	mu   sync.Mutex
	list []slog.Record // guarded by mu
}

func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *records) WithGroup(string) slog.Handler            { return r }

func (r *records) Handle(_ context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, record.Clone())
	return nil
}

// at returns the records of a level, one line each.
func (r *records) at(level slog.Level) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for _, record := range r.list {
		if record.Level != level {
			continue
		}
		line := record.Message
		record.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
		lines = append(lines, line)
	}
	return lines
}

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
		hub: room.Options{Observer: room.Observer{Disconnect: func(_ room.ConnectionInfo, code protocol.CloseCode) { codes <- code }}},
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
		if err := s.hub.BroadcastTaskDeleted(context.Background(), "p", "x"); err != nil {
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

// lateHeader is a ResponseWriter like that of compressing middleware: it writes the status with the
// first byte of the body, and an upgrade has no body.
type lateHeader struct {
	http.ResponseWriter
	status int
}

func (w *lateHeader) WriteHeader(status int) { w.status = status }

func (w *lateHeader) Write(b []byte) (int, error) {
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(w.status)
		w.status = 0
	}
	return w.ResponseWriter.Write(b)
}

func (w *lateHeader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// hijackThen returns a ResponseWriter of middleware that changes the connection it hijacks.
func hijackThen(change func(nc net.Conn, rw *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter)) func(w http.ResponseWriter) http.ResponseWriter {
	return func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) {
			nc, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return nil, nil, err
			}
			nc, rw = change(nc, rw)
			return nc, rw, nil
		}}
	}
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
		opcodes []byte
	}{
		{"served", handshake{token: tokenOf("ann")}, []byte{opText}},
		{"refused", handshake{token: "bad", headers: http.Header{"Origin": {s.URL}}}, []byte{opText, opClose}},
	} {
		check := func(t *testing.T, b []byte) {
			br := bufio.NewReader(bytes.NewReader(b))
			resp, err := http.ReadResponse(br, nil)
			if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("first bytes %q: %v", b, err)
			}
			frames := &client{t: t, br: br}
			var opcodes []byte
			for {
				f, err := frames.frame()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("first bytes %q: %v", b, err)
				}
				opcodes = append(opcodes, f.opcode)
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
				hub: room.Options{Observer: room.Observer{Disconnect: func(_ room.ConnectionInfo, code protocol.CloseCode) { codes <- code }}},
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
