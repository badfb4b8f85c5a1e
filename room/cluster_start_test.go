package room_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// Nodes that start, or open the log again.

// unopenedEngine notes the methods that are called before Open has succeeded.
type unopenedEngine struct {
	room.Engine
	open  atomic.Bool
	early atomic.Pointer[string] // the last of these methods
}

func (e *unopenedEngine) called(method string) {
	if !e.open.Load() {
		e.early.Store(&method)
	}
}

func (e *unopenedEngine) Open(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
	opened, err := e.Engine.Open(ctx, o, receive)
	e.open.Store(e.open.Load() || err == nil)
	return opened, err
}

func (e *unopenedEngine) Append(ctx context.Context, id string, data []byte) (uint64, error) {
	e.called("Append")
	return e.Engine.Append(ctx, id, data)
}

func (e *unopenedEngine) Tail(ctx context.Context, after uint64, apply func([]room.Record)) error {
	e.called("Tail")
	return e.Engine.Tail(ctx, after, apply)
}

func (e *unopenedEngine) Beat(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
	e.called("Beat")
	return e.Engine.Beat(ctx, note)
}

func (e *unopenedEngine) Send(ctx context.Context, to string, msg []byte) error {
	e.called("Send")
	return e.Engine.Send(ctx, to, msg)
}

// TestNothingIsCalledBeforeOpen calls methods of a hub whose engine cannot be opened. A broadcast
// that has failed makes the clients load the plan once the engine is open.
func TestNothingIsCalledBeforeOpen(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		for _, opens := range []bool{true, false} {
			n := newNode(t, m, "unopened", room.Options{PublishTimeout: time.Second})
			e := &unopenedEngine{Engine: n.engine}
			n.opts.Engine = e
			n.engine.Cut()
			n.start(t)
			if _, err := n.BroadcastTaskDeleted(t.Context(), "p", "7"); !errors.Is(err, room.ErrNotReady) {
				t.Errorf("Broadcast = %v, want ErrNotReady", err)
			}
			if _, err := n.Notify(t.Context(), "alice", protocol.Event{Type: "a", Data: 1}); err != nil {
				t.Errorf("Notify = %v", err)
			}
			if opens {
				n.engine.Heal()
				n.awaitReady(t)
				alice.WantEvent(protocol.TypeResync, nil)
			} else if err := n.Shutdown(t.Context()); err != nil {
				t.Errorf("Shutdown = %v", err)
			}
			if early := e.early.Load(); early != nil {
				t.Errorf("%s was called before Open had succeeded", *early)
			}
		}
	})
}

// TestNodeThatStartsAfterALoss loses records while no node runs. The next node begins a new epoch,
// since no other one could know of the loss. Those that start later do not, since it is alive.
func TestNodeThatStartsAfterALoss(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		before, last := nodes[0].epochOf(t), m.Window().Last
		since := publish(t, nodes[0].Hub, "p", "lost")
		if err := nodes[0].Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.LoseTail(int(m.Window().Last - last))

		first := startNode(t, m, "first", room.Options{})
		first.awaitReady(t)
		epoch := first.epochOf(t)
		alice := first.connect(t, "alice")
		alice.Join("p", &since)
		if epoch == before || alice.Joined.Recovered {
			t.Errorf("epoch %q after %q, recovered %v; want another epoch", epoch, before, alice.Joined.Recovered)
		}
		second := newNode(t, m, "second", room.Options{})
		second.engine.SetDelay(time.Millisecond, time.Millisecond) // its first list is not at time zero
		second.start(t)
		second.awaitReady(t)
		synctest.Wait()
		if first.epochOf(t) != epoch || second.epochOf(t) != epoch {
			t.Errorf("epochs %q and %q after a further node has started, want %q", first.epochOf(t), second.epochOf(t), epoch)
		}
		alice.Silent()
	})
}

// TestLossThatOnlyBeatsNotice loses a record of a node whose Tail waits. The answer to its next
// beat ends the Tail, and the node opens the log again.
func TestLossThatOnlyBeatsNotice(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		before := nodes[0].epochOf(t)
		publish(t, nodes[0].Hub, "p", "lost")
		wantTitle(t, alice, "lost")
		synctest.Wait()
		nodes[0].engine.HoldTail()
		m.LoseTail(1)
		time.Sleep(3 * time.Second)
		nodes[0].engine.ReleaseTail()
		alice.WantEvent(protocol.TypeResync, nil)
		nodes[0].awaitReady(t)
		if epoch := nodes[0].epochOf(t); epoch == before {
			t.Error("the epoch goes on")
		}
	})
}

// TestNodeRecordThatIsNotStored loses the record of a tenure on its way. The node begins another
// tenure, with its record.
func TestNodeRecordThatIsNotStored(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		nodes[0].engine.Cut()
		time.Sleep(11 * time.Second)
		lost := nodes[0].engine.Stall()
		nodes[0].engine.Heal()
		lost.Wait()
		nodes[0].awaitReady(t)
	})
}

// aloneEngine is an engine for one node.
type aloneEngine struct{ room.Engine }

func (e aloneEngine) Open(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
	opened, err := e.Engine.Open(ctx, o, receive)
	opened.Alone = true
	return opened, err
}

// TestEngineOfOneNode has a node start with an engine for one node, after the process before it was
// killed: Revoke does not wait for the node of before.
func TestEngineOfOneNode(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		nodes[0].engine.Pause()
		next := newNode(t, m, "next", room.Options{})
		next.opts.Engine = aloneEngine{next.engine}
		next.start(t)
		next.awaitReady(t)
		start := time.Now()
		if _, err := next.Revoke(t.Context(), "p", "alice"); err != nil || time.Since(start) > 0 {
			t.Errorf("Revoke: %v after %v, want nil at once", err, time.Since(start))
		}
	})
}
