package room_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A version travels with the event and with its receipt, also in a replay. The hub sends events
// with an older version, too.
func TestVersion(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		alice, bob := of.join(t, h, "alice", "p"), of.join(t, h, "bob", "p")
		unread(t, alice)
		unread(t, bob)
		both := func(want protocol.EventVersion) {
			t.Helper()
			event, receipt := bob.Next(), alice.Next()
			if receipt.Type != protocol.TypeReceipt || event.Seq != receipt.Seq || event.Version != want || receipt.Version != want {
				t.Errorf("the event has version %+v, the receipt %+v, want %+v", event.Version, receipt.Version, want)
			}
		}
		except := room.ExceptUser("alice")
		update(t, h, "p", 1, except, room.Version("t1", 7))
		both(protocol.EventVersion{Key: "t1", N: 7})
		update(t, h, "p", 2, room.Combine(room.Version("t1", 6), except))
		both(protocol.EventVersion{Key: "t1", N: 6})
		update(t, h, "p", 3, except)
		both(protocol.EventVersion{})
		update(t, h, "p", 4, except, room.Version("t1", 1), room.Version("t2", 0)) // the last one
		both(protocol.EventVersion{Key: "t2"})

		alice.Cut()
		bob.Cut()
		events := []protocol.Event{protocol.TaskDeleted("t3"), protocol.TaskDeleted("t4")}
		events[1].Version = protocol.EventVersion{Key: "t4", N: 2}
		if _, err := h.BroadcastBatch(t.Context(), "p", events, except, room.Version("plan", 9)); err != nil {
			t.Fatal(err)
		}
		alice.Resume()
		bob.Resume()
		both(protocol.EventVersion{Key: "plan", N: 9})
		both(protocol.EventVersion{Key: "t4", N: 2})
	})
}

// Messages of an event bus come in any order, and to several listeners at once. A listener that
// reads the task again and broadcasts it under one lock sends no state after a newer one.
func TestReadAgainUnderALock(t *testing.T) {
	h := newHub(t, nil)
	viewer := roomtest.Join(t, h, "ann", "p")
	var database, order sync.Mutex // database guards version
	version := 0
	onChanged := func() {
		order.Lock()
		defer order.Unlock()
		database.Lock()
		current := version
		database.Unlock()
		if _, err := h.BroadcastTaskUpdated(t.Context(), "p", current); err != nil {
			t.Error(err)
		}
	}
	const writers, changes = 4, 25
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range changes {
				database.Lock()
				version++
				database.Unlock()
				all.Go(onChanged)
			}
		})
	}
	all.Wait()
	last := 0
	for range writers * changes {
		var data struct{ Task int }
		if err := json.Unmarshal(viewer.Next().Data, &data); err != nil {
			t.Fatal(err)
		}
		if data.Task < last {
			t.Errorf("version %d after %d", data.Task, last)
		}
		last = data.Task
	}
	if last != version {
		t.Errorf("the viewer is left with version %d, the database has %d", last, version)
	}
}

func TestBadVersions(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "alice", "p")
		for _, bad := range []room.BroadcastOption{
			room.Version("", 0), room.Version("", 1), room.Version("k", -1), room.Version("k", 1<<53), room.Version("a\nb", 1),
			room.Version(strings.Repeat("k", 129), 1), room.Combine(room.Version("", 0)),
		} {
			for name, err := range map[string]error{
				"Broadcast":          errorOf(h.BroadcastTaskUpdated(t.Context(), "p", 1, bad)),
				"BroadcastBatch":     errorOf(h.BroadcastBatch(t.Context(), "p", tasks(1), bad)),
				"BroadcastToPlans":   h.BroadcastToPlans(t.Context(), []string{"p"}, protocol.TaskDeleted("1"), bad),
				"BroadcastTaskMoved": h.BroadcastTaskMoved(t.Context(), room.TaskMove{From: "q", To: "p", TaskID: 1, Task: 1}, bad),
			} {
				if !errors.Is(err, protocol.ErrEventVersion) {
					t.Errorf("%s with %+v = %v, want ErrEventVersion", name, bad, err)
				}
			}
		}
		wantReceived(t, m)
	})
}
