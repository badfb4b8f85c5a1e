package client_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/client"
)

func TestResumesAfterACut(t *testing.T) {
	s := newServer(t, config{})
	c := s.dial("ann")
	demo, other := join(t, c, "demo"), join(t, c, "other")
	s.broadcast("demo", 1, 2)
	want(t, demo, "reload joined", "task 1", "task 2")
	want(t, other, "reload joined")

	s.proxy.point("") // no connection succeeds
	s.broadcast("demo", 3, 2)
	s.proxy.point(s.http.Listener.Addr().String())
	want(t, demo, "join-plan   1", "task 3", "task 4") // the join answer has the participants
	s.broadcast("demo", 5, 1)
	want(t, demo, "task 5")
	want(t, other, "join-plan   1")
}

func TestReloadsBeyondTheHistory(t *testing.T) {
	s := newServer(t, config{hub: room.Options{HistoryEvents: 4}})
	p := join(t, s.dial("ann"), "demo")
	want(t, p, "reload joined")
	s.proxy.point("")
	s.broadcast("demo", 1, 5)
	s.proxy.point(s.http.Listener.Addr().String())
	want(t, p, "reload not_recovered")
	s.broadcast("demo", 6, 1)
	want(t, p, "task 6")
}

func TestReloadsFromAnotherServer(t *testing.T) {
	s := newServer(t, config{})
	p := join(t, s.dial("ann"), "demo")
	want(t, p, "reload joined")
	hub, srv := launch(config{})
	t.Cleanup(func() { stop(t, hub, srv) })
	s.proxy.point(srv.Listener.Addr().String())
	want(t, p, "reload not_recovered")
	if _, err := hub.BroadcastTaskUpdated(t.Context(), "demo", 1); err != nil {
		t.Fatal(err)
	}
	want(t, p, "task 1")
}

// A plan that the program joins without a connection is joined after the reconnect.
func TestJoinWaitsForTheConnection(t *testing.T) {
	s := newServer(t, config{})
	waiting := make(chan struct{}, 100)
	c := s.dialWith(client.Options{
		Token: client.StaticToken(tokenOf("ann")),
		OnState: func(s client.State, _ error) {
			if s == client.StateWaiting {
				waiting <- struct{}{}
			}
		},
	})
	s.proxy.point("")
	receive(t, waiting)
	joined := make(chan *client.Plan)
	go func() {
		p, err := c.Join(t.Context(), "demo", nil)
		if err != nil {
			t.Errorf("Join: %v", err)
		}
		joined <- p
	}()
	receive(t, waiting)
	s.proxy.point(s.http.Listener.Addr().String())
	want(t, receive(t, joined), "reload joined")
}

// The client sends its presence state again after a reconnect.
func TestPresenceSurvivesTheConnection(t *testing.T) {
	s := newServer(t, config{hub: room.Options{Linger: 10 * time.Millisecond}})
	direct := newProxy(t, s.http.Listener.Addr().String())
	o := &client.Options{Token: client.StaticToken(tokenOf("ann"))}
	ann, err := client.Dial(t.Context(), "http://"+direct.addr()+"/ws", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ann.Close() })
	watch := join(t, ann, "demo")
	bob := join(t, s.dial("bob"), "demo")
	if err := bob.SetPresence("here"); err != nil {
		t.Fatal(err)
	}
	want(t, watch, "reload joined", "join-plan bob  2", `presence-updated bob "here" 0`)
	s.proxy.point("") // no connection succeeds
	want(t, watch, "leave-plan bob  1")
	s.proxy.point(s.http.Listener.Addr().String())
	want(t, watch, "join-plan bob  2", `presence-updated bob "here" 0`)
}

// The client does not ask again for an event that exceeds its limit.
func TestTooLongAMessage(t *testing.T) {
	s := newServer(t, config{})
	c := s.dialWith(client.Options{Token: client.StaticToken(tokenOf("ann")), MaxMessageBytes: 2000})
	p := join(t, c, "demo")
	want(t, p, "reload joined")
	if _, err := s.hub.BroadcastTaskUpdated(t.Context(), "demo", string(make([]byte, 1000))); err != nil {
		t.Fatal(err)
	}
	want(t, p, "reload not_recovered")
	s.broadcast("demo", 1, 1)
	want(t, p, "task 1")
}

func TestPositionOutlivesTheProcess(t *testing.T) {
	s := newServer(t, config{})
	var at protocol.Position
	{
		c := s.dial("ann")
		p := join(t, c, "demo")
		s.broadcast("demo", 1, 2)
		want(t, p, "reload joined", "task 1") // task 2 stays in the queue
		at = p.Position()
		_ = c.Close()
		if err := ended(t, p); !errors.Is(err, client.ErrClosed) {
			t.Errorf("stream after Close ended with %v, want %v", err, client.ErrClosed)
		}
	}
	want(t, joinSince(t, s.dial("ann"), "demo", at), "task 2")
}

func TestOverTLS(t *testing.T) {
	s := newServer(t, config{})
	secure := httptest.NewTLSServer(s.http.Config.Handler)
	t.Cleanup(secure.Close)
	s.proxy.point(secure.Listener.Addr().String())
	o := client.Options{Token: client.StaticToken(tokenOf("ann")), HTTPClient: secure.Client(), BackoffMin: time.Millisecond}
	c, err := client.Dial(t.Context(), "wss://"+s.proxy.addr()+"/ws", &o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := join(t, c, "demo")
	s.broadcast("demo", 1, 1)
	want(t, p, "reload joined", "task 1")
	s.proxy.cut()
	want(t, p, "join-plan   1")
	s.broadcast("demo", 2, 1)
	want(t, p, "task 2")
}
