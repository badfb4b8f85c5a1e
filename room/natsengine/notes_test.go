package natsengine_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// noteOf returns the note of a node as another node reads it.
func noteOf(t *testing.T, reader *natsengine.Engine, name string) room.Node {
	t.Helper()
	nodes, _, err := reader.Beat(within(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		if n.Name == name {
			return n
		}
	}
	return room.Node{}
}

// writes is a dialer that leaves a token in seen when a connection has written a text.
type writes struct {
	text string
	seen chan struct{}
}

func (w writes) Dial(network, address string) (net.Conn, error) {
	c, err := net.Dial(network, address)
	return writesConn{c, w}, err
}

type writesConn struct {
	net.Conn
	writes
}

func (c writesConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err == nil && strings.Contains(string(b), c.text) {
		select {
		case c.seen <- struct{}{}:
		default:
		}
	}
	return n, err
}

// A note that is held up on a connection that the engine has left does not replace a later one.
func TestNoteIsHeldUp(t *testing.T) {
	m := one(t, nil)
	p := newProxy(t, m)
	written := writes{text: "held up", seen: make(chan struct{}, 1)}
	a, _ := open(t, natsengine.Options{Servers: []string{p.url()}, NATS: []nats.Option{nats.SetCustomDialer(written)}}, "a")
	b, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "b")
	if _, _, err := a.Beat(within(t), []byte("first")); err != nil {
		t.Fatal(err)
	}
	p.stopReading()
	ctx, cancel := context.WithCancel(within(t))
	failed := make(chan error, 1)
	go func() {
		_, _, err := a.Beat(ctx, []byte("held up"))
		failed <- err
	}()
	select {
	case <-written.seen:
	case <-ctx.Done():
		t.Fatal("the note is not written")
	}
	cancel()
	if err := <-failed; err == nil {
		t.Fatal("Beat has succeeded on a connection that nothing reads from")
	}
	for i := range 3 { // on another connection
		if _, _, err := a.Beat(within(t), fmt.Appendf(nil, "later %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	p.goOnReading()
	for ctx := within(t); m.server.NumClients() > 2; time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatal("the server has not read the connection that was left")
		}
	}
	if n := noteOf(t, b, "a"); string(n.Note) != "later 2" || n.Number != 5 {
		t.Errorf("the note is number %d, %q, want number 5, %q", n.Number, n.Note, "later 2")
	}
}

// A note whose acknowledgement is lost is stored once, and the next one has the next number. A note
// that was certainly not stored has used no number.
func TestNoteWithoutAcknowledgement(t *testing.T) {
	m := one(t, nil)
	p := newProxy(t, m)
	a, _ := open(t, natsengine.Options{Servers: []string{p.url()}}, "a")
	b, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "b")
	beat := func(text string, number uint64) {
		t.Helper()
		if _, _, err := a.Beat(within(t), []byte(text)); err != nil {
			t.Fatal(err)
		}
		if n := noteOf(t, b, "a"); string(n.Note) != text || n.Number != number {
			t.Errorf("the note is number %d, %q, want number %d, %q", n.Number, n.Note, number, text)
		}
	}
	beat("first", 1)

	p.setRate(100) // the answer takes more than a second
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, _, err := a.Beat(ctx, []byte("second"))
		failed <- err
	}()
	for ctx := within(t); noteOf(t, b, "a").Number != 2; {
		if ctx.Err() != nil {
			t.Fatal("the note is not stored")
		}
	}
	cancel()
	if err := <-failed; err == nil {
		t.Fatal("Beat has succeeded without an answer")
	}
	p.setRate(0)
	p.setCut(true)
	p.setCut(false)
	beat("third", 3)

	p.setCut(true)
	for patient := within(t); ; time.Sleep(time.Millisecond) {
		err := a.Send(patient, "", nil)
		if err != nil && strings.Contains(err.Error(), "not connected") {
			break
		}
		if patient.Err() != nil {
			t.Fatal("Send succeeds without a connection")
		}
	}
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, err := a.Beat(ctx, []byte("not stored")); err == nil {
		t.Fatal("Beat has succeeded without a connection")
	}
	p.setCut(false)
	beat("fourth", 4)
}
