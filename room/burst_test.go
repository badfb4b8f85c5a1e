package room_test

import (
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A host that changes hundreds of tasks at once outruns the pump of a large room. No client is
// slow, so none may receive resync: the room keeps events that the pump has yet to write beyond
// HistoryEvents, within HistoryBytes.
func TestBurstCausesNoResync(t *testing.T) {
	bubble(t, &room.Options{HistoryEvents: 8}, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		writing := roomtest.NewHold(t) // a pass over thousands of members takes as long
		roomtest.Join(t, h, "bob", "p", &roomtest.Options{Hold: writing})
		synctest.Wait()
		writing.Arm()
		update(t, h, "p", 0)
		writing.Wait()
		for n := 1; n < 1000; n++ {
			update(t, h, "p", n)
		}
		writing.Release()
		for n := range 1000 {
			wantEvent(t, alice, n)
		}
		synctest.Wait()
		if got := h.Stats().Resyncs; got != 0 {
			t.Errorf("%d resyncs", got)
		}
		// HistoryEvents bounds resuming during the burst and after it.
		if info, _ := h.Room("p"); info.Events > 8 {
			t.Errorf("%d events are held after the burst", info.Events)
		}
	})
}
