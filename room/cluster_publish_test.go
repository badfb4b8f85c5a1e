package room_test

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// refusingEngine refuses some records.
type refusingEngine struct {
	room.Engine
	after atomic.Int64 // how many calls of Append succeed before
	calls atomic.Int64 // how many calls of Append fail then
	err   error        // with this
}

var errRefused = errors.New("the disk is full")

func (e *refusingEngine) Append(ctx context.Context, id string, data []byte) (uint64, error) {
	if e.after.Add(-1) < 0 && e.calls.Add(-1) >= 0 {
		return 0, e.err
	}
	return e.Engine.Append(ctx, id, data)
}

// startRefusing starts a node whose engine refuses records with an error.
func startRefusing(t *testing.T, m *enginetest.Memory, err error) (*node, *refusingEngine) {
	t.Helper()
	n := newNode(t, m, "refusing", room.Options{})
	e := &refusingEngine{Engine: n.engine, err: err}
	n.opts.Engine = e
	n.start(t)
	n.awaitReady(t)
	return n, e
}

// TestEventThatIsNotStored has an engine refuse an event, which describes what has happened: the
// clients of the plan load it, on all nodes.
func TestEventThatIsNotStored(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		n, e := startRefusing(t, m, errRefused)
		here, there := roomtest.Join(t, n.Hub, "alice", "p"), roomtest.Join(t, nodes[0].Hub, "bob", "p")
		e.calls.Store(1)
		if _, err := n.BroadcastTaskUpdated(t.Context(), "p", map[string]string{"title": "one"}); !errors.Is(err, errRefused) {
			t.Errorf("Broadcast = %v, want the error of the engine", err)
		}
		here.WantEvent(protocol.TypeResync, nil)
		there.WantEvent(protocol.TypeResync, nil)
	})
}

// TestBatchThatIsNotStored has an engine refuse the second event of a batch: the clients of the
// plan load it.
func TestBatchThatIsNotStored(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		n, e := startRefusing(t, m, errRefused)
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		e.after.Store(1)
		e.calls.Store(1)
		_, err := n.BroadcastBatch(t.Context(), "p", []protocol.Event{{Type: "a", Data: 1}, {Type: "b", Data: 2}})
		if !errors.Is(err, errRefused) {
			t.Errorf("BroadcastBatch = %v, want the error of the engine", err)
		}
		for alice.NextMessage().Type != protocol.TypeResync { // the first event, unless resync replaces it
			continue
		}
	})
}

// TestTooManyUncertainEvents publishes more events without an answer of the engine than a node
// remembers: the clients of all plans load them.
func TestTooManyUncertainEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, e := startRefusing(t, enginetest.NewMemory(nil), room.ErrUncertain)
		alice, bob := roomtest.Join(t, n.Hub, "alice", "p"), roomtest.Join(t, n.Hub, "bob", "q")
		e.calls.Store(math.MaxInt64)
		for i := range 1100 {
			if _, err := n.BroadcastTaskDeleted(t.Context(), "p", "1"); !errors.Is(err, room.ErrUncertain) {
				t.Fatalf("Broadcast = %v, want ErrUncertain", err)
			}
			if i == 0 {
				synctest.Wait() // the node has begun to append a record for this event
			}
		}
		e.calls.Store(0)
		alice.WantEvent(protocol.TypeResync, nil)
		bob.WantEvent(protocol.TypeResync, nil)
	})
}
