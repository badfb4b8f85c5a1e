package transport_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// These tests check the guarantees of the hub over each kind of connection. TestOneCloseFrame,
// TestReplaced, TestShutdown, TestStorm and others check the end of a connection, and many events
// at once.

// TestConversation sends many events to two members, which check the order, ping, and close.
func TestConversation(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newServer(t, config{kinds: []kind{k}})
		ann, bob := dial(t, s.Server, "ann"), dial(t, s.Server, "bob")
		const events = 50
		text := strings.Repeat("x", 3000) // all events together exceed one TLS record
		for _, c := range []*client{ann, bob} {
			c.join("p")
		}
		for n := range events {
			if _, err := s.hub.BroadcastTaskUpdated(t.Context(), "p", map[string]any{"n": n, "text": text}); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []*client{ann, bob} {
			for n := 0; n < events; {
				m := c.next()
				if m.Seq == 0 {
					continue
				}
				if got := decodeData[struct{ Task struct{ N int } }](t, m).Task.N; got != n {
					t.Fatalf("event %d arrived instead of %d", got, n)
				}
				n++
			}
			c.send(opPing, []byte("x"))
			if got := c.pong(); string(got) != "x" {
				t.Errorf("pong %q, want x", got)
			}
		}
		ann.send(opClose, closePayload(1000, ""))
		if got := ann.end(); got.Code != 1000 {
			t.Errorf("closed with %+v, want 1000", got)
		}
		bob.send(opBinary, nil)
		if got := bob.end(); got.Code != 1003 || got.Goodbye != 1003 {
			t.Errorf("closed with %+v, want 1003", got)
		}
	})
}

// TestResume loses a connection and resumes on the next one. The client must receive every missed
// event once and in order.
func TestResume(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newServer(t, config{kinds: []kind{k}})
		change := func(id string) {
			if _, err := s.hub.BroadcastTaskDeleted(t.Context(), "p", id); err != nil {
				t.Fatal(err)
			}
		}
		c := dial(t, s.Server, "ann")
		c.join("p")
		change("seen")
		last := c.next()
		_ = c.nc.Close()
		for n := range 20 {
			change(fmt.Sprint(n))
		}
		epoch, err := s.hub.Position(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		c = dial(t, s.Server, "ann")
		b, err := protocol.EncodeRequest(protocol.Request{
			Type: protocol.TypeJoinPlan, PlanID: "p", Since: &protocol.Position{Epoch: epoch.Epoch, Seq: last.Seq},
		})
		if err != nil {
			t.Fatal(err)
		}
		c.send(opText, b)
		if a := decodeData[protocol.JoinAnswer](t, c.next()); !a.Recovered {
			t.Fatalf("answer %+v, want recovered", a)
		}
		for n := range 20 {
			m := c.next()
			if got := decodeData[struct{ TaskID string }](t, m).TaskID; got != fmt.Sprint(n) || m.Prev != last.Seq {
				t.Fatalf("got %q with prev %d, want %d with prev %d", got, m.Prev, n, last.Seq)
			}
			last = m
		}
	})
}

// TestRevoke removes a user's access while events are in flight. Once Revoke has returned, the
// client must not receive anything of the plan.
func TestRevoke(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newServer(t, config{kinds: []kind{k}})
		c := dial(t, s.Server, "ann")
		c.join("p")
		c.join("q")
		change := func(plan, id string) {
			if _, err := s.hub.BroadcastTaskDeleted(context.Background(), plan, id); err != nil {
				t.Error(err)
			}
		}
		for range 50 {
			change("p", "before")
		}
		if n, err := s.hub.Revoke(t.Context(), "p", "ann"); n != 1 || err != nil {
			t.Fatalf("Revoke = %d, %v, want 1", n, err)
		}
		change("p", "after")
		change("q", "after")
		removed := false
		for {
			m := c.next()
			switch {
			case m.Type == protocol.TypeRemoved:
				removed = true
			case m.PlanID == "q":
				if !removed {
					t.Error("the client has not received its removal")
				}
				return
			case decodeData[struct{ TaskID string }](t, m).TaskID != "before":
				t.Errorf("got %s of %q after Revoke", m.Type, m.PlanID)
			}
		}
	})
}

// TestFrozenPeer uses peers that receive everything and send nothing, while events are in flight.
// The server must close each peer because it does not answer a ping.
func TestFrozenPeer(t *testing.T) {
	codes := make(chan protocol.CloseCode, len(kinds))
	s := newServer(t, config{kinds: kinds, hub: room.Options{
		PingEvery: 100 * time.Millisecond, PingTimeout: 100 * time.Millisecond,
		Observer: room.Observer{Disconnect: func(i room.DisconnectInfo) { codes <- i.Code }},
	}})
	for _, k := range kinds {
		dial(t, s.of[k], string(k)).join("p")
	}
	for range kinds {
		if code := receive(t, codes); code != protocol.CloseTimeout {
			t.Errorf("a frozen peer was closed with %d, want 4408", code)
		}
	}
}
