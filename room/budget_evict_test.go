package room_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/room"
)

// Eviction takes a room from the head of the queue before it locks it. If broadcasts use the room
// in between, it must keep its events: the pump has not written them yet, and its readers would
// have to reload although they keep up. Each round uses the rooms that are next to be evicted.
func TestBudgetKeepsARoomThatIsUsedWhileItIsEvicted(t *testing.T) {
	const (
		rooms    = 32
		atOnce   = 8       // rooms used in one round
		writers  = 3       // goroutines that broadcast to one room
		each     = 2       // events of one writer
		size     = 1120    // of one event, about
		overhead = 1 << 10 // of a room
	)
	event := json.RawMessage(`"` + strings.Repeat("x", 1000) + `"`)
	total := rooms*overhead + (rooms-1)*writers*each*size
	bubble(t, &room.Options{HistoryTotal: total, PingEvery: -1}, func(t *testing.T, h *room.Hub) {
		plan := func(n int) string { return fmt.Sprint("plan", n%rooms) }
		var readers []*reader
		for n := range rooms {
			readers = append(readers, joinReader(t, h, fmt.Sprint("user", n), plan(n)))
		}
		for round := range 200 {
			var wg sync.WaitGroup
			for n := range atOnce * writers {
				wg.Go(func() {
					for range each {
						if _, err := h.BroadcastTaskUpdated(context.Background(), plan(round*atOnce+n/writers), event); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			synctest.Wait()
			if got := h.Stats().HistoryBytes; got > total {
				t.Fatalf("round %d: %d bytes of history, want at most %d", round, got, total)
			}
			for n, d := range readers {
				if d.plans[plan(n)].resyncs > 0 {
					t.Fatalf("round %d: the hub sent resync to a reader of %s that keeps up", round, plan(n))
				}
			}
		}
	})
}
