package room_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
)

// wantHeap fails the test unless the memory allocated since before matches Stats.HistoryBytes.
func wantHeap(t *testing.T, h *room.Hub, before int) {
	t.Helper()
	held, counted := heap()-before, h.Stats().HistoryBytes
	runtime.KeepAlive(h)
	if held*10 > counted*12 || counted > held*2 {
		t.Errorf("%d KiB are held, and %d KiB counted: a factor of %.2f", held>>10, counted>>10, float64(held)/float64(counted))
	}
}

// HistoryBytes matches the memory of events of any size and with any options, in any number of
// rooms.
func TestHistoryBytesIsTheHeap(t *testing.T) {
	broadcast := func(t *testing.T, h *room.Hub, plan string, data json.RawMessage, opts ...room.BroadcastOption) {
		t.Helper()
		if _, err := h.BroadcastTaskUpdated(t.Context(), plan, data, opts...); err != nil {
			t.Fatal(err)
		}
	}
	kinds := map[string]func(t *testing.T, h *room.Hub, plan string, n int, data json.RawMessage){
		"plain": func(t *testing.T, h *room.Hub, plan string, n int, data json.RawMessage) {
			broadcast(t, h, plan, data)
		},
		"by an author": func(t *testing.T, h *room.Hub, plan string, n int, data json.RawMessage) {
			user := fmt.Sprint("user-", n)
			broadcast(t, h, plan, data, room.By(user), room.ExceptClient(user, fmt.Sprint("tab-", n)), room.Mutation(fmt.Sprint("mutation-", n)))
		},
		"with a version": func(t *testing.T, h *room.Hub, plan string, n int, data json.RawMessage) {
			broadcast(t, h, plan, data, room.Version(fmt.Sprintf("%0120d", n), 1), room.ExceptUser(fmt.Sprint("user-", n)))
		},
		"with two exceptions": func(t *testing.T, h *room.Hub, plan string, n int, data json.RawMessage) {
			broadcast(t, h, plan, data, room.ExceptUser(fmt.Sprint("user-", n)), room.ExceptUser(fmt.Sprint("other-", n)))
		},
	}
	for kind, send := range kinds {
		for _, size := range []int{100, 1000, 30_000} {
			for _, rooms := range []int{1, 1000} {
				if rooms > 1 && (size == 30_000 || raceEnabled) {
					rooms = 100 // to check so much JSON takes long
				}
				t.Run(fmt.Sprintf("%s/%d bytes/%d rooms", kind, size, rooms), func(t *testing.T) {
					events := max(1, min(300, 1<<20/rooms/size)) // in each room
					if rooms == 1 && size < 30_000 {
						events = 300 // of which some are dropped
					}
					data := json.RawMessage(jsonOf(size))
					h := newHub(t, nil)
					before := heap()
					for n := range events {
						for r := range rooms {
							send(t, h, fmt.Sprint("plan-", r), n, data)
						}
					}
					wantHeap(t, h, before)
				})
			}
		}
	}
}

// HistoryBytes includes the free places in the logs of rooms. A log doubles when it is full, so
// almost half of it may be free.
func TestHistoryBytesOfFreePlaces(t *testing.T) {
	h := newHub(t, nil)
	before := heap()
	for range 77 {
		for r := range 300 {
			if _, err := h.BroadcastTaskDeleted(t.Context(), fmt.Sprint("plan-", r), "1"); err != nil {
				t.Fatal(err)
			}
		}
	}
	held, counted := heap()-before, h.Stats().HistoryBytes
	runtime.KeepAlive(h)
	if held > counted*11/10 {
		t.Errorf("%d KiB are held, and %d KiB counted", held>>10, counted>>10)
	}
}

// HistoryBytes matches the memory of a room without events.
func TestHistoryBytesOfEmptyRooms(t *testing.T) {
	const rooms = 2000
	for name, open := range map[string]func(t *testing.T, h *room.Hub, d *discard, plan string){
		"never joined": func(t *testing.T, h *room.Hub, _ *discard, plan string) {
			if err := h.Resync(t.Context(), plan); err != nil {
				t.Fatal(err)
			}
		},
		"left": func(_ *testing.T, _ *room.Hub, d *discard, plan string) {
			time.Sleep(200 * time.Millisecond) // for the rate
			d.Join(plan, nil)
			d.Leave(plan)
			synctest.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				d := benchConnect(t, h, "alice")
				before := heap()
				for r := range rooms {
					open(t, h, d, fmt.Sprint("plan-", r))
				}
				wantHeap(t, h, before)
			})
		})
	}
}

// A budget exhausted by small events matches the memory on the heap.
func TestHistoryTotalIsTheHeap(t *testing.T) {
	const total = 8 << 20
	h := newHub(t, &room.Options{HistoryTotal: total})
	before := heap()
	for e := range 60 {
		for r := range 700 {
			if _, err := h.BroadcastTaskDeleted(t.Context(), fmt.Sprint("plan-", r), fmt.Sprint(e)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := h.Stats().HistoryBytes; got > total || got < total*9/10 {
		t.Errorf("%d bytes of history", got)
	}
	if held := heap() - before; held > total*12/10 {
		t.Errorf("%d MiB are held, with a budget of %d MiB", held>>20, total>>20)
	}
	wantHeap(t, h, before)
}

// Dropped large events are freed, whatever events follow them.
func TestDroppedEventsAreFreed(t *testing.T) {
	const held, rooms = 8, 16
	h := newHub(t, &room.Options{HistoryEvents: held})
	large, small := json.RawMessage(jsonOf(50_000)), json.RawMessage("1")
	before := heap()
	for r := range rooms {
		end := 2*held + r
		for n := range end {
			data := large
			if n >= end-held {
				data = small
			}
			if _, err := h.BroadcastTaskUpdated(t.Context(), fmt.Sprint("plan-", r), data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if more := heap() - before; more > 200_000 {
		t.Errorf("%d KiB are held for %d small events", more>>10, held*rooms)
	}
	runtime.KeepAlive(h)
}
