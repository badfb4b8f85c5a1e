package room_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// refusingEngine refuses records, for certain.
type refusingEngine struct {
	room.Engine
	refuse atomic.Bool
}

var errRefused = errors.New("the disk is full")

func (e *refusingEngine) Append(ctx context.Context, id string, data []byte) (uint64, error) {
	if e.refuse.CompareAndSwap(true, false) {
		return 0, errRefused
	}
	return e.Engine.Append(ctx, id, data)
}

// TestEventThatIsNotStored has an engine refuse an event, which describes what has happened: the
// clients of the plan load it, on all nodes.
func TestEventThatIsNotStored(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		n := newNode(t, m, "node-2", room.Options{})
		e := &refusingEngine{Engine: n.engine}
		n.opts.Engine = e
		n.start(t)
		n.awaitReady(t)
		here, there := roomtest.Join(t, n.Hub, "alice", "p"), roomtest.Join(t, nodes[0].Hub, "bob", "p")
		e.refuse.Store(true)
		if _, err := n.BroadcastTaskUpdated(t.Context(), "p", map[string]string{"title": "one"}); !errors.Is(err, errRefused) {
			t.Errorf("Broadcast = %v, want the error of the engine", err)
		}
		here.WantEvent(protocol.TypeResync, nil)
		there.WantEvent(protocol.TypeResync, nil)
	})
}
