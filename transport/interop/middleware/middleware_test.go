package middleware_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/interop/internal/plans"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// patience ends a test that hangs. No test waits for it.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	gin.DefaultWriter, gin.DefaultErrorWriter = io.Discard, io.Discard
	m.Run()
}

// TestMiddleware checks every stack alone, and with http.TimeoutHandler inside and outside of it.
// http.TimeoutHandler has no access to the connection. Each combination must work, or the client
// must get HTTP 500 and the log must give the reason.
func TestMiddleware(t *testing.T) {
	for _, s := range stacks() {
		t.Run(s.name, func(t *testing.T) {
			for _, p := range places {
				want := p.want(s)
				if want == absent {
					continue
				}
				t.Run(p.name, func(t *testing.T) {
					server := newServer(t)
					addr := p.start(t, s, server.Handler)
					if want == works {
						checkWorks(t, server, addr)
					} else {
						checkRefuses(t, server, addr)
					}
				})
			}
		})
	}
}

// place is a column of README's table: the position of http.TimeoutHandler.
type place struct {
	name  string
	want  func(stack) verdict
	start func(t *testing.T, s stack, ws http.Handler) (addr string)
}

var places = []place{
	{"alone", func(s stack) verdict { return s.want }, start},
	{"TimeoutHandler inside", func(stack) verdict { return refuses }, func(t *testing.T, s stack, ws http.Handler) string {
		return start(t, s, timeoutHandler(ws))
	}},
	{"TimeoutHandler outside", func(s stack) verdict {
		if s.wrap == nil {
			return absent
		}
		return refuses
	}, func(t *testing.T, s stack, ws http.Handler) string {
		return serve(t, timeoutHandler(s.wrap(t, ws)))
	}},
}

func start(t *testing.T, s stack, ws http.Handler) (addr string) {
	if s.serve != nil {
		return s.serve(t, ws)
	}
	return serve(t, s.wrap(t, ws))
}

func newServer(t *testing.T) *plans.Server {
	s, err := plans.New(&room.Options{ConnectionsPerUser: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Hub.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// client describes how a test connects.
type client struct {
	user    string // "": without a token
	browser bool   // with an Origin
}

// dial opens a connection. Like a browser, it accepts compression, so that middleware compresses.
func (c client) dial(t *testing.T, s *plans.Server, addr string) (*transporttest.Conn, *http.Response, error) {
	h := http.Header{"Accept-Encoding": {"gzip, deflate, br"}, "Sec-WebSocket-Protocol": {protocol.Subprotocol}}
	if c.user != "" {
		h["Sec-WebSocket-Protocol"] = []string{strings.Join(plans.Subprotocols(s.Token(c.user, time.Hour, 0)), ", ")}
	}
	if c.browser {
		h["Origin"] = []string{"http://" + addr}
	}
	conn, resp, err := transporttest.Dial("ws://"+addr+"/ws", &transporttest.Options{Header: h})
	if err == nil {
		if encoding := resp.Header.Get("Content-Encoding"); conn != nil && encoding != "" {
			err = fmt.Errorf("a 101 with Content-Encoding %s", encoding)
		}
	}
	return conn, resp, err
}

// connect opens a connection, which must succeed.
func connect(t *testing.T, s *plans.Server, addr string, c client) *transporttest.Client {
	t.Helper()
	conn, resp, err := c.dial(t, s, addr)
	if err != nil {
		t.Fatalf("%+v: %v, want 101", c, err)
	}
	if conn == nil {
		t.Fatalf("%+v: HTTP %d, want 101", c, resp.StatusCode)
	}
	if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != protocol.Subprotocol {
		t.Errorf("%+v: subprotocol %q, want %q", c, got, protocol.Subprotocol)
	}
	return transporttest.NewClient(t, conn)
}

// wantHTTP tries to open a connection, which the server must refuse with the given status.
func wantHTTP(t *testing.T, s *plans.Server, addr string, c client, status int) {
	t.Helper()
	conn, resp, err := c.dial(t, s, addr)
	if err != nil {
		t.Fatalf("%+v: %v, want HTTP %d", c, err, status)
	}
	if conn != nil {
		_ = conn.Close()
	}
	if resp.StatusCode != status {
		t.Errorf("%+v: HTTP %d, want %d", c, resp.StatusCode, status)
	}
}

// checkWorks connects, joins, receives an event, and checks both kinds of close and all kinds of
// refusal.
func checkWorks(t *testing.T, s *plans.Server, addr string) {
	ann := connect(t, s, addr, client{user: "ann", browser: true})
	ann.Want(protocol.TypePong, nil)
	ann.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "demo"})
	ann.Want(protocol.TypeJoinPlan, nil)
	if _, err := s.Hub.BroadcastTaskDeleted(t.Context(), "demo", "7"); err != nil {
		t.Fatal(err)
	}
	if m := ann.Want(protocol.TypeTaskDeleted, nil); string(m.Data) != `{"taskId":"7"}` {
		t.Errorf("the event has the data %s", m.Data)
	}

	second := connect(t, s, addr, client{user: "ann"})
	second.Want(protocol.TypePong, nil)
	wantHTTP(t, s, addr, client{user: "ann"}, http.StatusTooManyRequests)
	connect(t, s, addr, client{user: "ann", browser: true}).WantEnd(protocol.CloseRateLimited)
	if err := second.SendClose(protocol.CloseNormal, ""); err != nil {
		t.Fatal(err)
	}
	second.WantEnd(protocol.CloseNormal)

	wantHTTP(t, s, addr, client{}, http.StatusUnauthorized)
	connect(t, s, addr, client{browser: true}).WantEnd(protocol.CloseUnauthorized)

	if n, err := s.Hub.Disconnect(t.Context(), "ann"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	ann.WantEnd(protocol.CloseForbidden)
	if lines := s.Log.From(slog.LevelWarn); lines != nil {
		t.Errorf("logged: %q", lines)
	}
}

// namesWriter matches the types of the ResponseWriters in a log line.
var namesWriter = regexp.MustCompile(`writers="[^"]`)

// checkRefuses checks for HTTP 500 with and without an Origin, and for one line at ERROR each.
func checkRefuses(t *testing.T, s *plans.Server, addr string) {
	for i, c := range []client{{user: "ann"}, {user: "ann", browser: true}} {
		wantHTTP(t, s, addr, c, http.StatusInternalServerError)
		lines := s.Log.From(slog.LevelError)
		if len(lines) != i+1 {
			t.Fatalf("%d lines at ERROR, want %d: %q", len(lines), i+1, lines)
		}
		if !strings.Contains(lines[i], "cannot take over the connection: ") || !namesWriter.MatchString(lines[i]) {
			t.Errorf("the line does not name the reason and the middleware: %s", lines[i])
		}
	}
	if n := s.Hub.UserConnections("ann"); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}
