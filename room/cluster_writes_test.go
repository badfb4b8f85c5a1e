package room_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// Writes that wait for a client when the tenure of their node ends before its time. Their deadline
// is seconds away.

// stuck has two nodes, and a client of the second one in plan p to which an event is being written:
// it takes nothing until p.open. Pings do not end the connection, nor does WriteTimeout.
func stuck(
	t *testing.T, test func(t *testing.T, m *enginetest.Memory, a, b *node, p *pipe),
) {
	t.Helper()
	eachKind(t, func(t *testing.T, of sinks) {
		o := room.Options{PingEvery: -1, WriteTimeout: time.Hour}
		nodes(t, 2, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
			p := of.joined(t, nodes[1], "alice")
			p.open(0)
			publish(t, nodes[0].Hub, "p", "secret")
			synctest.Wait()
			test(t, m, nodes[0], nodes[1], p)
		})
	})
}

// wantNothing fails if the client of p now gets something.
func wantNothing(t *testing.T, p *pipe) {
	t.Helper()
	p.open(-1)
	if got := p.read(); got != "" {
		t.Errorf("got %q after Revoke had returned", got)
	}
}

// revokeWhileLagging makes b end its tenure because it lags, and calls Revoke on a, which does not
// wait for b any more. It fails if the client of p, on b, then gets something.
func revokeWhileLagging(t *testing.T, a, b *node, p *pipe) {
	t.Helper()
	b.lagBehind(t, a)
	if _, err := a.Revoke(t.Context(), "p", "alice"); err != nil {
		t.Fatal(err)
	}
	wantNothing(t, p)
	b.engine.ReleaseTail()
}

// TestWriteBehindATenureThatEndedEarly has a write of an event wait for the client of a node that
// lags.
func TestWriteBehindATenureThatEndedEarly(t *testing.T) {
	stuck(t, func(t *testing.T, _ *enginetest.Memory, a, b *node, p *pipe) {
		revokeWhileLagging(t, a, b, p)
	})
}

// TestWriteBehindAHole has a node miss the record of a Revoke. It asks Authorize, which does not
// answer yet.
func TestWriteBehindAHole(t *testing.T) {
	stuck(t, func(t *testing.T, m *enginetest.Memory, a, b *node, p *pipe) {
		b.holdTail(t, a)
		done := make(chan error, 1)
		go func() { // ends below
			_, err := a.Revoke(t.Context(), "p", "alice")
			done <- err
		}()
		synctest.Wait()
		m.Hole(m.Window().Last)
		b.engine.ReleaseTail()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		wantNothing(t, p)
	})
}

// TestJoinAnswerBehindATenureThatEndedEarly is the same with the answer to a join, which is a
// reply.
func TestJoinAnswerBehindATenureThatEndedEarly(t *testing.T) {
	o := room.Options{PingEvery: -1, WriteTimeout: time.Hour}
	eachSocket(t, 2, o, func(t *testing.T, nodes []*node, of sinks) {
		a, b := nodes[0], nodes[1]
		p := of.pipe(t, b.Hub, "alice", -1)
		p.read()
		p.open(0)
		p.send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		revokeWhileLagging(t, a, b, p)
	})
}

// TestPongBehindATenureThatEndedEarly has a reply without a plan wait for the client: it goes on.
func TestPongBehindATenureThatEndedEarly(t *testing.T) {
	o := room.Options{PingEvery: -1, WriteTimeout: time.Hour}
	eachSocket(t, 2, o, func(t *testing.T, nodes []*node, of sinks) {
		p := of.joined(t, nodes[1], "alice")
		p.open(0)
		p.send(`{"type":"ping"}`)
		synctest.Wait()
		nodes[1].lagBehind(t, nodes[0])
		time.Sleep(10 * time.Second)
		p.open(-1)
		if got := kinds(t, p.read()); got != "pong" {
			t.Errorf("got %q, want a pong", got)
		}
		nodes[1].engine.ReleaseTail()
	})
}

// sleepingClock is the clock of a machine that is suspended at times: its monotonic time then
// stands still.
type sleepingClock struct {
	start  time.Time
	asleep atomic.Int64
}

func (c *sleepingClock) Wall() time.Time { return time.Now() }
func (c *sleepingClock) Monotonic() time.Duration {
	return time.Since(c.start) - time.Duration(c.asleep.Load())
}

// TestMachineThatWasSuspended suspends the machine of a node for a minute. When it wakes, its
// connection to the engine is gone, and its monotonic clock says that it has a tenure.
func TestMachineThatWasSuspended(t *testing.T) {
	eachKind(t, func(t *testing.T, of sinks) {
		synctest.Test(t, func(t *testing.T) {
			m := enginetest.NewMemory(nil)
			clock := &sleepingClock{start: time.Now()}
			a := startNode(t, m, "a", room.Options{})
			o := room.Options{Clock: clock, PingEvery: -1, WriteTimeout: time.Hour}
			b := startNode(t, m, "b", o)
			a.awaitReady(t)
			b.awaitReady(t)
			p := of.joined(t, b, "alice")
			b.engine.Pause()
			for range 6000 { // timers go on, so the clock stands still in small steps
				time.Sleep(10 * time.Millisecond)
				clock.asleep.Add(int64(10 * time.Millisecond))
			}
			if _, err := a.Revoke(t.Context(), "p", "alice"); err != nil {
				t.Fatal(err)
			}
			b.engine.Cut()
			b.engine.Resume()
			if info, _ := b.Cluster(); info.Open || info.TenureLeft > 0 {
				t.Errorf("the gate is open for %v", info.TenureLeft)
			}
			b.engine.Heal()
			b.awaitReady(t)
			if got := kinds(t, p.read()); got != "removed" {
				t.Errorf("got %q, want removed", got)
			}
		})
	})
}

// TestWriteOnAMachineThatWasSuspended wakes a machine while a write waits for the client. The node
// notices when it stores its next note, and ends the write, though it gets no answer.
func TestWriteOnAMachineThatWasSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		clock := &jumpingClock{start: time.Now()}
		o := room.Options{Clock: clock, PingEvery: -1, WriteTimeout: time.Hour}
		n := startNode(t, m, "a", o)
		n.awaitReady(t)
		p := sinks{}.joined(t, n, "alice")
		p.open(0)
		publish(t, n.Hub, "p", "secret")
		synctest.Wait()
		clock.jump.Store(int64(time.Minute))
		n.engine.CutAnswers()
		time.Sleep(1500 * time.Millisecond)
		if _, cut := p.state(); !cut {
			t.Error("the write goes on")
		}
		n.engine.Heal()
	})
}
