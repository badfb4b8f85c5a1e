package room_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestOnceOfOneHub repeats broadcasts with an ID in a hub without an engine.
func TestOnceOfOneHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := room.NewHub(&room.Options{Authorize: anyone})
		defer func() { _ = h.Shutdown(t.Context()) }()
		first := publish(t, h, "p", "one", room.Once("1"))
		if again := publish(t, h, "p", "one", room.Once("1")); again != first {
			t.Errorf("positions %v and %v of one event", first, again)
		}
		if other := publish(t, h, "q", "one", room.Once("1")); other.Seq <= first.Seq {
			t.Errorf("the ID of an event of another plan has prevented an event: position %v after %v", other, first)
		}
		time.Sleep(room.DedupWindow + time.Second)
		later := publish(t, h, "p", "one", room.Once("1"))
		if later == first {
			t.Error("an ID counts longer than DedupWindow")
		}
		for i := range 1<<14 + 1 {
			publish(t, h, "p", "other", room.Once(fmt.Sprint("other ", i)))
		}
		if last := publish(t, h, "p", "one", room.Once("1")); last == later {
			t.Error("more IDs are kept than documented")
		}
	})
}

// TestOnceOfABatch gives the events of a batch one ID.
func TestOnceOfABatch(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		events := []protocol.Event{{Type: "a", Data: 1}, {Type: "b", Data: 2}}
		for _, n := range nodes {
			if _, err := n.BroadcastBatch(t.Context(), "p", events, room.Once("1")); err != nil {
				t.Fatal(err)
			}
		}
		alice.WantEvent("a", nil)
		alice.WantEvent("b", nil)
		synctest.Wait()
		alice.Silent()
	})
}

// TestOnceAfterAFailure repeats a broadcast that has failed: it fails again, and does not count as
// sent.
func TestOnceAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := room.NewHub(&room.Options{Authorize: anyone})
		if err := h.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			at, err := h.BroadcastTaskDeleted(t.Context(), "p", "1", room.Once("1"))
			if !errors.Is(err, room.ErrHubClosed) {
				t.Errorf("Broadcast = %v, %v, want ErrHubClosed", at, err)
			}
		}
	})
}

// TestOnceOfAnotherPlan has two plans whose names and IDs are the same if one is put before the
// other: their events are different ones.
func TestOnceOfAnotherPlan(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		a := strings.Repeat("a", 20)
		alice := roomtest.Join(t, h, "alice", "x"+a)
		publish(t, h, "1x", "one", room.Once(a+"job"))
		publish(t, h, "x"+a, "two", room.Once("job"))
		wantTitle(t, alice, "two")
	})
}
