package room_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// Writes that are in progress while the log loses records: what they leave over is not written
// before Authorize has confirmed the access of the member.

// unconfirmed runs a test with a node on which Authorize does not answer any more once ask is set,
// and then denies access when the test ends.
func unconfirmed(
	t *testing.T,
	test func(t *testing.T, m *enginetest.Memory, n *node, of sinks, ask *atomic.Bool),
) {
	t.Helper()
	eachKind(t, func(t *testing.T, of sinks) {
		var ask atomic.Bool
		answer := new(chan struct{})
		o := room.Options{
			PingEvery: -1, WriteTimeout: time.Minute, AuthorizeTimeout: time.Hour,
			Authorize: func(context.Context, auth.Identity, string) error {
				if ask.Load() {
					<-*answer
					return room.ErrForbidden
				}
				return nil
			},
		}
		nodes(t, 1, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
			*answer = make(chan struct{})
			defer close(*answer)
			test(t, m, nodes[0], of, &ask)
		})
	})
}

// TestLossDuringAWrite loses records while a write of an event waits for the peer: the connection
// is cut.
func TestLossDuringAWrite(t *testing.T) {
	unconfirmed(t, func(t *testing.T, m *enginetest.Memory, n *node, of sinks, ask *atomic.Bool) {
		p := of.joined(t, n, "alice")
		p.open(0)
		publish(t, n.Hub, "p", "secret")
		synctest.Wait()
		ask.Store(true)
		m.LoseTail(1)
		synctest.Wait()
		if _, cut := p.state(); !cut {
			t.Error("the write goes on")
		}
		p.open(-1)
		time.Sleep(20 * time.Second)
		if got := p.read(); got != "" {
			t.Errorf("got %q before access was confirmed", got)
		}
	})
}

// TestLossDuringATryWrite loses records while a socket takes a part of an event: the rest does not
// follow.
func TestLossDuringATryWrite(t *testing.T) {
	unconfirmed(t, func(t *testing.T, m *enginetest.Memory, n *node, _ sinks, ask *atomic.Bool) {
		entered, goOn := make(chan struct{}), make(chan struct{})
		enter := sync.OnceFunc(func() { close(entered) })
		k := openHooked(t, n.Hub, "alice", roomtest.Lines{}, func(_ int, b []byte) int {
			if !strings.Contains(string(b), "secret") {
				return len(b)
			}
			enter()
			<-goOn
			return 10
		})
		k.join("p")
		synctest.Wait()
		k.read()
		publish(t, n.Hub, "p", "secret")
		<-entered
		ask.Store(true)
		m.LoseTail(1)
		synctest.Wait()
		close(goOn)
		time.Sleep(3 * time.Second)
		n.awaitReady(t)
		if got := k.read(); len(got) != 10 {
			t.Errorf("got %q, want 10 bytes", got)
		}
	})
}

// TestLossDuringTheWriteOfAJoin loses records while a write of the answer to a join waits for the
// peer: the connection is cut.
func TestLossDuringTheWriteOfAJoin(t *testing.T) {
	unconfirmed(t, func(t *testing.T, m *enginetest.Memory, n *node, of sinks, ask *atomic.Bool) {
		p := of.pipe(t, n.Hub, "alice", -1)
		publish(t, n.Hub, "p", "lost")
		p.read()
		p.open(0)
		p.send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		ask.Store(true)
		m.LoseTail(1)
		synctest.Wait()
		if _, cut := p.state(); !cut {
			t.Error("the write goes on")
		}
		p.open(-1)
		if got := p.read(); got != "" {
			t.Errorf("got %q before access was confirmed", got)
		}
	})
}

// TestLossBeforeTheWriteOfAJoin is the same with an answer that waits behind a write: the join is
// refused.
func TestLossBeforeTheWriteOfAJoin(t *testing.T) {
	unconfirmed(t, func(t *testing.T, m *enginetest.Memory, n *node, of sinks, ask *atomic.Bool) {
		p := of.pipe(t, n.Hub, "alice", -1)
		publish(t, n.Hub, "p", "lost")
		p.read()
		p.open(0)
		p.send(`{"type":"ping"}`)
		synctest.Wait()
		p.send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		ask.Store(true)
		m.LoseTail(1)
		time.Sleep(3 * time.Second)
		n.awaitReady(t)
		p.open(-1)
		if got := kinds(t, p.read()); got != string(protocol.TypePong+" "+protocol.TypeError) {
			t.Errorf("got %q, want a pong and an error", got)
		}
	})
}

// holdFraming joins plan p and publishes event two, and stops the hub while it frames this event
// for the member. Release lets the hub go on.
func holdFraming(t *testing.T, n *node, of sinks) (*pipe, *roomtest.Hold) {
	t.Helper()
	framing := roomtest.NewHold(t)
	p := of.pipeAs(t, n.Hub, "alice", -1, roomtest.Lines{Hold: framing})
	p.send(`{"type":"join-plan","planId":"p"}`)
	p.read()
	p.open(0)
	publish(t, n.Hub, "p", "one")
	synctest.Wait()
	publish(t, n.Hub, "p", "two") // is framed when the client has taken one
	synctest.Wait()
	framing.Arm()
	p.open(-1)
	framing.Wait()
	return p, framing
}

// TestLossBetweenReadAndWrite loses records while the hub frames an event for a member: it is not
// written any more.
func TestLossBetweenReadAndWrite(t *testing.T) {
	unconfirmed(t, func(t *testing.T, m *enginetest.Memory, n *node, of sinks, ask *atomic.Bool) {
		p, framing := holdFraming(t, n, of)
		ask.Store(true)
		m.LoseTail(1)
		time.Sleep(3 * time.Second)
		n.awaitReady(t)
		framing.Release()
		if got := p.read(); strings.Contains(got, "two") {
			t.Errorf("got %q before access was confirmed", got)
		}
	})
}

// TestGateThatShutsBetweenReadAndWrite ends the tenure while the hub frames an event for a member:
// the event is written when the gate is open again.
func TestGateThatShutsBetweenReadAndWrite(t *testing.T) {
	nodes(t, 1, room.Options{PingEvery: -1}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		n := nodes[0]
		p, framing := holdFraming(t, n, sinks{})
		n.loseTenure(t)
		framing.Release()
		if got := p.read(); strings.Contains(got, "two") {
			t.Errorf("got %q while the gate is shut", got)
		}
		n.engine.SetDelay(0, 0)
		n.awaitReady(t)
		if got := p.read(); !strings.Contains(got, "two") {
			t.Errorf("got %q, want the event", got)
		}
	})
}
