package room_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

func TestRoom(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		if info, ok := h.Room("p"); ok {
			t.Errorf("Room of a plan without one = %+v", info)
		}
		start := time.Now()
		at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
		zoe := roomtest.Join(t, h, "zoe", "p")
		time.Sleep(time.Second)
		alice := roomtest.Join(t, h, "alice", "p")
		time.Sleep(time.Second)
		tab2 := roomtest.Join(t, h, "alice", "p") // at 2 s
		time.Sleep(time.Second)
		update(t, h, "p", 1) // at 3 s
		time.Sleep(time.Second)
		setState(zoe, "p", `1`) // a message at 4 s
		time.Sleep(time.Second)
		alice.Session().Seen() // bytes alone at 5 s
		zoe.Session().Seen()
		want := room.Info{
			Summary: room.Summary{
				PlanID: "p", Participants: 2, Connections: 3, Events: 1, Position: position(t, h, "p"), LastEvent: 1, LastActivity: at(3),
			},
			People: []room.Participant{
				{UserID: "zoe", UserName: "zoe", Connections: 1, JoinedAt: start, LastActivity: at(4), LastSeen: at(5), State: json.RawMessage("1")},
				{UserID: "alice", UserName: "alice", Connections: 2, JoinedAt: at(1), LastActivity: at(2), LastSeen: at(5)},
			},
		}
		got, _ := h.Room("p")
		got.HistoryBytes = 0 // see TestRooms
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Room (-want +got):\n%s", diff)
		}
		got.People[0].State[0] = 'x' // the caller's own
		if again, _ := h.Room("p"); string(again.People[0].State) != "1" {
			t.Error("what Room returns shares memory with the hub")
		}

		// The room keeps the times of a lingering user.
		tab2.Cut()
		alice.Cut()
		synctest.Wait()
		want.Connections = 1
		want.People[1].Connections = 0
		got, _ = h.Room("p")
		got.HistoryBytes = 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Room with a lingering user (-want +got):\n%s", diff)
		}
	})
}

func TestRooms(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		if got := h.Rooms(); len(got) != 0 {
			t.Errorf("Rooms of a new hub = %v", got)
		}
		b := roomtest.Join(t, h, "alice", "b")
		roomtest.Join(t, h, "alice", "c")
		update(t, h, "a", 1)
		b.Send(`{"type":"leave-plan","planId":"b"}`)
		synctest.Wait()
		epoch := position(t, h, "x").Epoch
		var want []room.Summary
		for _, plan := range []string{"a", "b", "c"} {
			s := room.Summary{PlanID: plan, LastActivity: time.Now()}
			s.Position.Epoch = epoch
			want = append(want, s)
		}
		want[0].Events, want[0].Position.Seq, want[0].LastEvent = 1, 1, 1
		want[2].Participants, want[2].Connections = 1, 1
		got, bytes := h.Rooms(), 0
		for i := range got {
			bytes += got[i].HistoryBytes
			got[i].HistoryBytes = 0
		}
		if total := h.Stats().HistoryBytes; bytes != total {
			t.Errorf("the rooms hold %d bytes, Stats.HistoryBytes is %d", bytes, total)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Rooms (-want +got):\n%s", diff)
		}
	})
}

func TestStats(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		roomtest.Join(t, h, "alice", "q")
		roomtest.Join(t, h, "bob", "p")
		update(t, h, "p", 1)
		wantEvent(t, alice, 1)
		alice.Resume()
		synctest.Wait()
		got := h.Stats()
		if got.HistoryBytes <= 2*1024 {
			t.Errorf("HistoryBytes = %d, want the bytes of two rooms and an event", got.HistoryBytes)
		}
		got.HistoryBytes = 0
		want := room.Stats{
			Connections: 3, Users: 2, Rooms: 2, Participants: 3, Connects: 4, Broadcasts: 1, Joins: 4, Recovered: 1,
			Closed: map[protocol.CloseCode]uint64{protocol.CloseAbnormal: 1}, Left: map[room.LeaveReason]uint64{room.LeaveClosed: 1},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Stats (-want +got):\n%s", diff)
		}
	})
}
