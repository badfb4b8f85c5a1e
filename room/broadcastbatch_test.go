package room_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

func tasks(n int) (events []protocol.Event) {
	for i := range n {
		events = append(events, protocol.TaskUpdated(map[string]int{"id": i}))
	}
	return events
}

// A batch and a loop of 1,000 events reach every member that reads, including one whose socket
// takes a few bytes at a time.
func TestManyEventsReachSlowReaders(t *testing.T) {
	send := map[string]func(t *testing.T, h *room.Hub){
		"batch": func(t *testing.T, h *room.Hub) {
			if _, err := h.BroadcastBatch(t.Context(), "p", tasks(1000)); err != nil {
				t.Errorf("BroadcastBatch: %v", err)
			}
		},
		"loop": func(t *testing.T, h *room.Hub) {
			for n := range 1000 {
				update(t, h, "p", n)
			}
		},
	}
	for name, send := range send {
		t.Run(name, func(t *testing.T) {
			eachSink(t, &room.Options{HistoryEvents: 8}, func(t *testing.T, h *room.Hub, of sinks) {
				fast := of.join(t, h, "fast", "p")
				slow := roomtest.Connect(t, h, auth.Identity{UserID: "slow"}, &roomtest.Options{Blocking: of.blocking, SocketBuffer: 100})
				slow.Join("p", nil)
				stalled := roomtest.Connect(t, h, auth.Identity{UserID: "stalled"}, &roomtest.Options{Blocking: of.blocking, SocketBuffer: 100})
				stalled.Join("p", nil)
				for _, m := range []*roomtest.Member{fast, slow, stalled} {
					unread(t, m)
				}
				stalled.Stall()
				send(t, h)
				for _, m := range []*roomtest.Member{fast, slow} {
					for n := range 1000 {
						wantEvent(t, m, n)
					}
				}
				time.Sleep(9 * time.Second) // less than WriteTimeout
				stalled.Unstall()
				for n := range 1000 {
					wantEvent(t, stalled, n)
				}
				synctest.Wait()
				if got := h.Stats(); got.Resyncs != 0 || got.TooSlow != 0 {
					t.Errorf("%d resyncs and %d closed as too slow, want none", got.Resyncs, got.TooSlow)
				}
				if got := summary(t, h, "p").Events; got != 8 {
					t.Errorf("%d events are held when all have read them, want 8", got)
				}
			})
		})
	}
}

func TestBroadcastBatch(t *testing.T) {
	var observed []string
	o := room.Observer{Broadcast: func(_ context.Context, i room.BroadcastInfo) {
		observed = append(observed, i.PlanID+" "+string(i.Type))
	}}
	bubble(t, &room.Options{Observer: o, MaxPayload: 100}, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		bob := roomtest.Join(t, h, "bob", "p")
		unread(t, alice)
		before, err := h.Position(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.BroadcastBatch(t.Context(), "p", nil); got != before || err != nil {
			t.Errorf("no events: %v, %v, want the position %v", got, err, before)
		}
		bad := append(tasks(2), protocol.TaskUpdated(strings.Repeat("x", 200)))
		if _, err := h.BroadcastBatch(t.Context(), "p", bad); !errors.Is(err, protocol.ErrEventTooLarge) || !strings.Contains(err.Error(), "event 3 of 3") {
			t.Errorf("an event that is too large: %v", err)
		}
		if _, err := h.BroadcastBatch(t.Context(), "", tasks(1)); !errors.Is(err, room.ErrPlanID) {
			t.Errorf("no plan: %v", err)
		}
		if _, err := h.BroadcastBatch(t.Context(), "p", tasks(1), room.ExceptUser(strings.Repeat("x", 2000))); !errors.Is(err, room.ErrUserID) {
			t.Errorf("a user ID that is too long: %v", err)
		}
		wantReceived(t, alice)
		if got, _ := h.Position(t.Context(), "p"); got != before {
			t.Errorf("position %v after errors, want %v", got, before)
		}

		after, err := h.BroadcastBatch(t.Context(), "p", tasks(3), room.By("bob"), room.ExceptUser("bob"), room.Mutation("m1"))
		if err != nil {
			t.Fatal(err)
		}
		last := before.Seq
		for n := range 3 {
			event, receipt := alice.Next(), bob.Next()
			if event.Prev != last || receipt.Seq != event.Seq || receipt.Type != protocol.TypeReceipt || receipt.MutationID != "m1" || event.By != "bob" {
				t.Errorf("event %d: alice got %+v, bob %+v", n, event, receipt)
			}
			last = event.Seq
		}
		if now, _ := h.Position(t.Context(), "p"); after != now || after.Seq != last {
			t.Errorf("BroadcastBatch returned %v, the last event has %d, the plan is at %v", after, last, now)
		}
		if len(observed) != 3 || h.Stats().Broadcasts != 3 {
			t.Errorf("observed %q, counted %d, want 3 events", observed, h.Stats().Broadcasts)
		}
	})
}
