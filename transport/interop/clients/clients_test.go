package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/interop/internal/plans"
	"github.com/planrooms/planrooms/transport/transporttest"
)

func implementations() []implementation {
	const npm = "run npm ci in transport/interop/js"
	node := func(script string) []string { return []string{"node", "../js/" + script} }
	installed := func(name string) []string { return []string{"node", "-e", "import('" + name + "')"} }
	return []implementation{
		{"gorilla", dialGorilla},
		{"gws", dialGWS},
		{"gobwas", dialGobwas},
		{"coder", dialCoder},
		{"npm ws", process(npm, installed("../js/node_modules/ws/wrapper.mjs"), node("ws.mjs"), true)},
		{"npm undici", process(npm, installed("../js/node_modules/undici/index.js"), node("undici.mjs"), false)},
		{"python websockets", process("apt-get install python3-websockets", []string{python(), "-c", "import websockets"}, []string{python(), "../python/client.py"}, true)},
	}
}

// TestClients checks that each client can use a connection in every way and end it in every way.
func TestClients(t *testing.T) {
	for _, c := range implementations() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, part := range []struct {
				name string
				test func(t *testing.T, c implementation)
			}{
				{"session", testSession},
				{"close by the client", testOwnClose},
				{"refused", testRefused},
				{"expired", testExpired},
				{"ping", testPing},
			} {
				t.Run(part.name, func(t *testing.T) { part.test(t, c) })
			}
		})
	}
}

// testSession connects with a token, joins, and receives small events in order and a large one.
// Then the server disconnects it with 4403.
func testSession(t *testing.T, c implementation) {
	s := newServer(t, nil, nil)
	p := connect(t, c, s.target("ann", time.Hour))
	if p.protocol != "planrooms.v1" {
		t.Errorf("subprotocol %q, want planrooms.v1", p.protocol)
	}
	if m := next(t, p, "pong"); !strings.Contains(string(m.Data), `"userId":"ann"`) {
		t.Errorf("greeting: %s", m.Data)
	}
	do(t, p.send(`{"type":"join-plan","planId":"demo"}`))
	next(t, p, "join-plan")

	const events = 100
	for i := range events {
		broadcast(t, s.Hub, protocol.TaskDeleted(fmt.Sprint(i)))
	}
	var last uint64
	for i := range events {
		m := next(t, p, "task-deleted")
		if want := fmt.Sprintf(`{"taskId":"%d"}`, i); string(m.Data) != want || m.Prev != last || m.Seq <= last {
			t.Fatalf("event %d behind seq %d: seq %d, prev %d, data %s", i, last, m.Seq, m.Prev, m.Data)
		}
		last = m.Seq
	}

	large := strings.Repeat("ä", 100_000) // 200 KB
	broadcast(t, s.Hub, protocol.TaskUpdated(large))
	var data struct{ Task string }
	if err := json.Unmarshal(next(t, p, "task-updated").Data, &data); err != nil || data.Task != large {
		t.Errorf("the large event came as %d bytes (%v), want %d", len(data.Task), err, len(large))
	}

	if p.fragment != nil {
		do(t, p.fragment(`{"type":"join-plan",`, strings.Repeat(" ", 100), `"planId":"other"}`))
		if m := next(t, p, "join-plan"); m.PlanID != "other" {
			t.Errorf("joined %q", m.PlanID)
		}
	}
	do(t, p.ping())
	if e, err := p.next(); err != nil || e.Kind != "pong" {
		t.Errorf("after a ping: %+v, %v", e, err)
	}

	if n, err := s.Hub.Disconnect(t.Context(), "ann"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	wantGoodbye(t, p, 4403)
}

// testOwnClose checks that the client can close the connection.
func testOwnClose(t *testing.T, c implementation) {
	ended := make(chan protocol.CloseCode, 1)
	s := newServer(t, &room.Options{Observer: room.Observer{
		Disconnect: func(i room.DisconnectInfo) { ended <- i.Code },
	}}, nil)
	p := connect(t, c, s.target("ann", time.Hour))
	next(t, p, "pong")
	do(t, p.close(1000))
	wantClosed(t, p, 1000)
	select {
	case code := <-ended:
		if code != 1000 {
			t.Errorf("the server received %d, want 1000", code)
		}
	case <-time.After(patience):
		t.Error("the server received no close frame")
	}
}

// testRefused connects like a page whose token is invalid. The server sends the goodbye and the
// close frame immediately after the 101.
func testRefused(t *testing.T, c implementation) {
	s := newServer(t, nil, nil)
	to := s.target("ann", time.Hour)
	to.Protocols = plans.Subprotocols("invalid")
	to.Origin = "http" + strings.TrimPrefix(strings.TrimSuffix(to.URL, "/ws"), "ws")
	wantGoodbye(t, connect(t, c, to), 4401)
}

// testExpired lets a token expire on the open connection. On a slow machine it may expire before
// the connection is open; the test then tries a longer lifetime.
func testExpired(t *testing.T, c implementation) {
	s := newServer(t, nil, nil)
	for lifetime := 2 * time.Second; ; lifetime *= 2 {
		p, err := c.dial(t, s.target("ann", lifetime))
		if err != nil && lifetime < patience {
			continue
		}
		do(t, err)
		defer p.end()
		next(t, p, "pong")
		wantGoodbye(t, p, 4401)
		return
	}
}

// testPing checks that the client answers a ping of the server.
func testPing(t *testing.T, c implementation) {
	var l *tap
	s := newServer(t, &room.Options{PingEvery: 50 * time.Millisecond, PingTimeout: 2 * patience}, func(ln net.Listener) net.Listener {
		l = newTap(ln)
		return l
	})
	p := connect(t, c, s.target("ann", time.Hour))
	next(t, p, "pong")
	do(t, p.send(`{"type":"join-plan","planId":"demo"}`))
	next(t, p, "join-plan")
	select {
	case <-l.pongs:
	case <-time.After(patience):
		t.Fatal("the ping was not answered")
	}
	broadcast(t, s.Hub, protocol.TaskDeleted("7"))
	next(t, p, "task-deleted")
}

// TestOneWrite checks that the server sends the 101 and the greeting in one write, or the 101, the
// goodbye and the close frame.
func TestOneWrite(t *testing.T) {
	for _, c := range []struct {
		name, token, want string
		closes            bool
	}{
		{name: "greeting", want: `"type":"pong"`},
		{name: "refusal", token: "invalid", want: `"type":"goodbye"`, closes: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l *tap
			s := newServer(t, nil, func(ln net.Listener) net.Listener {
				l = newTap(ln)
				return l
			})
			token := c.token
			if token == "" {
				token = s.Token("ann", time.Hour, 0)
			}
			h := http.Header{
				"Sec-WebSocket-Protocol": {strings.Join(plans.Subprotocols(token), ", ")},
				"Origin":                 {"http://" + s.addr},
			}
			conn, resp, err := transporttest.Dial("ws://"+s.addr+"/ws", &transporttest.Options{Header: h})
			if err != nil || conn == nil {
				t.Fatal(resp, err)
			}
			defer func() { _ = conn.Close() }()
			first := <-l.wrote
			if !bytes.HasPrefix(first, []byte("HTTP/1.1 101 ")) || !bytes.Contains(first, []byte(c.want)) {
				t.Fatalf("the first write is %q, want a 101 and %s", first, c.want)
			}
			// The byte after the JSON of the message has the FIN bit and the opcode.
			rest := first[bytes.LastIndexByte(first, '}')+1:]
			if closes := len(rest) > 0 && rest[0] == 0x80|byte(transporttest.OpClose); closes != c.closes {
				t.Errorf("%q follows the message", rest)
			}
		})
	}
}

// server is a plan server on its own port.
type server struct {
	*plans.Server
	addr string
}

func newServer(t *testing.T, hub *room.Options, listener func(net.Listener) net.Listener) *server {
	s, err := plans.New(hub, nil)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	if listener != nil {
		ln = listener(ln)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /ws", s.Handler)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: patience}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		<-served
		if err := s.Hub.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if l, ok := ln.(*tap); ok {
			l.readers.Wait()
		}
	})
	return &server{s, addr}
}

func (s *server) target(user string, lifetime time.Duration) target {
	return target{URL: "ws://" + s.addr + "/ws", Protocols: plans.Subprotocols(s.Token(user, lifetime, 0))}
}

func connect(t *testing.T, c implementation, to target) *peer {
	t.Helper()
	p, err := c.dial(t, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	return p
}

func broadcast(t *testing.T, hub *room.Hub, event protocol.Event) {
	t.Helper()
	_, err := hub.Broadcast(t.Context(), "demo", event)
	do(t, err)
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// next returns the next message, which must be of the given kind.
func next(t *testing.T, p *peer, kind string) protocol.Message {
	t.Helper()
	e, err := p.next()
	if err != nil || e.Kind != "text" {
		t.Fatalf("waiting for %s: %+v, %v", kind, e, err)
	}
	m, err := protocol.Decode([]byte(e.Text))
	if err != nil || string(m.Type) != kind {
		t.Fatalf("got %q (%v), want %s", e.Text, err, kind)
	}
	return m
}

// wantGoodbye reads a goodbye with code and a close frame with the same code.
func wantGoodbye(t *testing.T, p *peer, code int) {
	t.Helper()
	var data struct{ Code int }
	if m := next(t, p, "goodbye"); json.Unmarshal(m.Data, &data) != nil || data.Code != code {
		t.Errorf("goodbye %s, want %d", m.Data, code)
	}
	wantClosed(t, p, code)
}

func wantClosed(t *testing.T, p *peer, code int) {
	t.Helper()
	if e, err := p.next(); err != nil || e.Kind != "closed" || e.Code != code {
		t.Errorf("end: %+v, %v, want closed with %d", e, err, code)
	}
}
