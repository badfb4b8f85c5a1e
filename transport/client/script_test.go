package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

// script is a server without a socket, for tests in a synctest bubble. The test plays the server.
type script struct {
	t     testing.TB
	dials chan *wire
}

// wire is one connection: the client's link, and the test's side of it.
type wire struct {
	t      testing.TB
	token  string // the token of the handshake
	at     time.Time
	answer chan error              // nil: the handshake succeeds
	down   chan []byte             // to the client
	up     chan []byte             // from it
	lost   chan error              // ends Read
	code   chan protocol.CloseCode // in the client's close frame
	over   chan struct{}           // closed by Cut and Close
	cut    chan struct{}           // holds a value until over is closed

	released func() // called by Release; nil: nothing
}

var _ client.Link = (*wire)(nil)

// bubble runs a test in a synctest bubble, with a script.
func bubble(t *testing.T, f func(t *testing.T, s *script)) {
	synctest.Test(t, func(t *testing.T) {
		// A client without a server retries for ever, which takes no time in a bubble.
		defer time.AfterFunc(48*time.Hour, func() { panic("the test waits for something that does not happen") }).Stop()
		f(t, &script{t: t, dials: make(chan *wire)})
	})
}

func (s *script) dial(ctx context.Context, token string) (client.Link, error) {
	w := &wire{
		t: s.t, token: token, at: time.Now(),
		answer: make(chan error), down: make(chan []byte), up: make(chan []byte), lost: make(chan error, 1),
		code: make(chan protocol.CloseCode, 1), over: make(chan struct{}), cut: make(chan struct{}, 1),
	}
	w.cut <- struct{}{}
	select {
	case s.dials <- w:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case err := <-w.answer:
		if err != nil {
			return nil, err
		}
		return w, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// start starts a client and accepts its first connection.
func (s *script) start(o *client.Options) (*client.Client, *wire) {
	s.t.Helper()
	type result struct {
		c   *client.Client
		err error
	}
	done := make(chan result)
	go func() {
		c, err := client.Start(context.Background(), o, s.dial)
		done <- result{c, err}
	}()
	w := s.open()
	r := <-done
	if r.err != nil {
		s.t.Fatalf("Start: %v", r.err)
	}
	s.t.Cleanup(func() { _ = r.c.Close() })
	return r.c, w
}

// open accepts the next connection and sends the hello.
func (s *script) open() *wire {
	w := <-s.dials
	w.answer <- nil
	w.hello()
	return w
}

func (w *wire) hello() { w.helloTo("ann") }

func (w *wire) helloTo(user string) {
	w.say(`{"type":"pong","data":{"userId":%q,"connected":true,"connectionId":"c","clientId":"c","protocol":1}}`, user)
}

// say sends a message. The client has read it when say returns, and handled it after synctest.Wait.
func (w *wire) say(format string, args ...any) {
	w.t.Helper()
	select {
	case w.down <- fmt.Appendf(nil, format, args...):
	case <-w.over:
		w.t.Fatalf("the client has disconnected before the script sent %s", format)
	}
}

// expect waits for the next message of the client, which must have the type. It answers pings
// before it.
func (w *wire) expect(typ protocol.Type) protocol.Request {
	w.t.Helper()
	for {
		select {
		case b := <-w.up:
			req, err := protocol.DecodeRequest(b)
			switch {
			case err != nil:
				w.t.Fatalf("DecodeRequest(%s): %v", b, err)
			case req.Type == typ:
				return req
			case req.Type != protocol.TypePing:
				w.t.Fatalf("the client sent %s, want %s", b, typ)
			}
			w.say(`{"type":"pong"}`)
		case <-w.over:
			w.t.Fatalf("the client has disconnected, want %s", typ)
		}
	}
}

// silent fails if the client sends a message now.
func (w *wire) silent() {
	w.t.Helper()
	synctest.Wait()
	select {
	case b := <-w.up:
		w.t.Fatalf("the client sent %s, want nothing", b)
	default:
	}
}

// join answers the next join-plan.
func (w *wire) join(recovered bool, epoch string, seq uint64) protocol.Request {
	w.t.Helper()
	req := w.expect(protocol.TypeJoinPlan)
	w.joined(req.PlanID, recovered, epoch, seq)
	return req
}

func (w *wire) joined(plan string, recovered bool, epoch string, seq uint64) {
	w.t.Helper()
	w.say(`{"type":"join-plan","planId":%q,"data":{"success":true,"participantCount":1,"participants":[{"userId":"ann","userName":"Ann","connections":1}],"position":{"epoch":%q,"seq":%d},"recovered":%t}}`,
		plan, epoch, seq, recovered)
}

// event sends the event seq, which is also the number of its task.
func (w *wire) event(plan string, seq, prev uint64) {
	w.t.Helper()
	w.say(`{"type":"task-updated","planId":%q,"data":{"task":%d},"seq":%d,"prev":%d}`, plan, seq, seq, prev)
}

func (w *wire) goodbye(code protocol.CloseCode, retry time.Duration) {
	w.t.Helper()
	b, err := json.Marshal(code.Goodbye(retry))
	if err != nil {
		w.t.Fatal(err)
	}
	w.say(`{"type":"goodbye","data":%s}`, b)
	w.lose(&client.CloseError{Code: code, Remote: true})
}

// lose ends the connection from the server's side.
func (w *wire) lose(err error) { w.lost <- err }

// enter joins a plan and answers it.
func (w *wire) enter(c *client.Client, plan string) *client.Plan {
	w.t.Helper()
	joined := make(chan *client.Plan)
	go func() {
		p, err := c.Join(context.Background(), plan, nil)
		if err != nil {
			w.t.Errorf("Join(%q): %v", plan, err)
		}
		joined <- p
	}()
	w.join(false, "e", 0)
	return <-joined
}

// Read implements client.Link.
func (w *wire) Read(ctx context.Context) ([]byte, error) {
	select {
	case b := <-w.down:
		return b, nil
	case err := <-w.lost:
		return nil, err
	case <-w.over:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Write implements client.Link.
func (w *wire) Write(ctx context.Context, b []byte) error {
	select {
	case w.up <- b: // blocks until the test reads the message
		return nil
	case <-w.over:
		return net.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close implements client.Link.
func (w *wire) Close(code protocol.CloseCode) {
	w.code <- code
	w.Cut()
}

// Cut implements client.Link.
func (w *wire) Cut() {
	select {
	case <-w.cut:
		close(w.over)
	default:
	}
}

// Release implements client.Link.
func (w *wire) Release() {
	w.Cut()
	if w.released != nil {
		w.released()
	}
}

// rest answers pings for the time d. Other messages are an error.
func (w *wire) rest(d time.Duration) {
	w.t.Helper()
	over := time.After(d)
	for {
		select {
		case b := <-w.up:
			if req, err := protocol.DecodeRequest(b); err != nil || req.Type != protocol.TypePing {
				w.t.Fatalf("the client sent %s, want only pings", b)
			}
			w.say(`{"type":"pong"}`)
		case <-over:
			return
		}
	}
}
