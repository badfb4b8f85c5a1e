package room_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestManyUncertainEvents has more uncertain events of a plan than the IDs that fit into one record
// of the log: all of them are named, and the clients of other plans load, too.
func TestManyUncertainEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(&enginetest.MemoryOptions{MaxRecord: 6 << 10})
		n := startNode(t, m, "a", room.Options{MaxPayload: 1 << 10})
		n.awaitReady(t)
		alice, bob := roomtest.Join(t, n.Hub, "alice", "p"), roomtest.Join(t, n.Hub, "bob", "q")
		synctest.Wait()

		n.engine.Cut()
		var calls sync.WaitGroup
		for range 500 {
			calls.Go(func() {
				_, err := n.BroadcastTaskUpdated(t.Context(), "p", map[string]string{"title": "one"})
				if !errors.Is(err, room.ErrUncertain) {
					t.Errorf("Broadcast without an engine: %v, want ErrUncertain", err)
				}
			})
		}
		calls.Wait()
		n.engine.Heal()
		alice.WantEvent(protocol.TypeResync, nil)
		time.Sleep(time.Minute)

		n.engine.Cut()
		if _, err := n.BroadcastTaskUpdated(t.Context(), "q", map[string]string{"title": "two"}); !errors.Is(err, room.ErrUncertain) {
			t.Errorf("Broadcast without an engine: %v, want ErrUncertain", err)
		}
		n.engine.Heal()
		bob.WantEvent(protocol.TypeResync, nil)
	})
}

// TestShortPublishTimeout has an engine that takes longer than Options.PublishTimeout: the hub
// becomes ready all the same, and its clients learn that they miss an event.
func TestShortPublishTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		n := newNode(t, m, "a", room.Options{PublishTimeout: 20 * time.Millisecond})
		n.engine.SetDelay(50*time.Millisecond, 0)
		n.start(t)
		n.awaitReady(t)
		alice := roomtest.Join(t, n.Hub, "alice", "p")
		if _, err := n.BroadcastTaskUpdated(t.Context(), "p", map[string]string{"title": "one"}); err == nil {
			t.Error("Broadcast took longer than PublishTimeout, without an error")
		}
		alice.WantEvent(protocol.TypeResync, nil)
	})
}
