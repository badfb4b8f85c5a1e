package room_test

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// wantRooms fails the test unless the hub has that many rooms.
func wantRooms(t *testing.T, h *room.Hub, want int) {
	t.Helper()
	synctest.Wait()
	if got := h.Stats().Rooms; got != want {
		t.Errorf("%d rooms, want %d", got, want)
	}
}

func TestEmptyRoomIsDeleted(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "alice", "p")
		update(t, h, "p", 1)
		wantEvent(t, m, 1)
		since := m.Position()
		m.Cut()
		update(t, h, "p", 2) // an empty room still logs events
		time.Sleep(29 * time.Minute)
		wantRooms(t, h, 1)
		if !recovers(t, h, "p", since) {
			t.Error("the log of the empty room was deleted too early")
		}
		time.Sleep(30 * time.Minute) // from when the room was empty again
		wantRooms(t, h, 1)
		time.Sleep(6 * time.Minute)
		wantRooms(t, h, 0)
		if got := h.Stats().HistoryBytes; got != 0 {
			t.Errorf("%d bytes of history without a room", got)
		}
		if _, ok := h.Room("p"); ok || len(h.Rooms()) != 0 {
			t.Errorf("Rooms() = %v", h.Rooms())
		}
		if recovers(t, h, "p", since) {
			t.Error("recovered from a deleted log")
		}
	})
}

// A connected viewer stays, even if no event happens for a long time.
func TestIdleViewerStays(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		m := of.join(t, h, "alice", "p")
		time.Sleep(24 * time.Hour)
		wantRooms(t, h, 1)
		update(t, h, "p", 1)
		wantEvent(t, m, 1)
	})
}

// With pings off, the janitor closes silent connections.
func TestSilentConnectionIsClosed(t *testing.T) {
	eachSink(t, &room.Options{PingEvery: -1}, func(t *testing.T, h *room.Hub, of sinks) {
		silent, bob := of.join(t, h, "alice", "p"), of.join(t, h, "bob", "p")
		unread(t, silent)
		for range 6 {
			time.Sleep(5*time.Minute - time.Second)
			bob.Session().Seen() // one byte is enough, for example of a pong
			wantConnections(t, h, 2)
		}
		time.Sleep(5*time.Minute + 6*time.Second) // the round at 35 minutes
		wantConnections(t, h, 1)
		wantClosed(t, silent, protocol.CloseTimeout)
		wantReceived(t, bob, left("p", "alice", 1))
	})
}

// A log without a member is kept for 2 min after its last event, for pages that have just loaded
// the plan.
func TestUnjoinedRoom(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		update(t, h, "p", 1)
		time.Sleep(time.Minute)
		update(t, h, "p", 2)
		time.Sleep(2*time.Minute - 1)
		wantRooms(t, h, 1)
		time.Sleep(time.Nanosecond)
		wantRooms(t, h, 0)
		if got := h.Stats().HistoryBytes; got != 0 {
			t.Errorf("%d bytes of history without a room", got)
		}

		since := position(t, h, "p")
		update(t, h, "p", 3)
		time.Sleep(time.Minute)
		m := connect(t, h, "alice", "")
		m.Join("p", &since)
		wantEvent(t, m, 3)
		time.Sleep(time.Hour)
		wantRooms(t, h, 1)
	})
}

// sharesFloor returns a plan for which the hub keeps one floor with the plan p.
func sharesFloor() string {
	for n := 0; ; n++ {
		if q := fmt.Sprint("q", n); room.SameFloor("p", q) {
			return q
		}
	}
}

func TestPositions(t *testing.T) {
	q := sharesFloor()
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		start := position(t, h, "p")
		if start.Seq != 0 || start.Epoch == "" || len(start.Epoch) > protocol.MaxEpochBytes {
			t.Errorf("position %v of a new hub, want 0 of an epoch", start)
		}
		wantRooms(t, h, 0) // Position never makes a room
		if _, err := h.Position(t.Context(), ""); err != room.ErrPlanID {
			t.Errorf("Position of no plan = %v, want ErrPlanID", err)
		}

		// A log without events: only its floor is recovered.
		m := connect(t, h, "alice", "")
		m.Join("p", &start)
		if !m.Joined.Recovered || m.Joined.Position != start {
			t.Errorf("since the floor: %+v, want recovered", m.Joined)
		}
		m.Join("p", &protocol.Position{Epoch: start.Epoch, Seq: 1})
		if m.Joined.Recovered {
			t.Error("recovered from a position that was never issued")
		}

		// A load without a gap: first the position, then the plan, then the join.
		update(t, h, q, 1)
		since := position(t, h, q)
		update(t, h, q, 2)
		m.Join(q, &since)
		wantEvent(t, m, 2)

		// A plan without a room is at the floor, which deleted logs of its stripe raise.
		m.Cut()
		time.Sleep(time.Hour)
		wantRooms(t, h, 0)
		floor := position(t, h, "p")
		if last := m.Position(); floor != last {
			t.Errorf("floor %v, want %v, the last position of a deleted log", floor, last)
		}
		if recovers(t, h, "p", start) {
			t.Error("recovered from below the floor")
		}
		if !recovers(t, h, "p", floor) {
			t.Error("not recovered from the floor")
		}
	})
}

// A room that was deleted and created again never accepts an old position as one of its new log.
func TestRecreatedRoom(t *testing.T) {
	q := sharesFloor()
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		var old []protocol.Position
		for n := range 5 {
			old = append(old, position(t, h, "p"))
			update(t, h, "p", n)
			update(t, h, q, n)
		}
		end := position(t, h, "p")
		last := position(t, h, q)
		time.Sleep(2 * time.Minute)
		wantRooms(t, h, 0)
		floor := position(t, h, "p")
		if floor != last {
			t.Errorf("floor %v, want %v", floor, last)
		}

		update(t, h, "p", 10)
		m := connect(t, h, "alice", "")
		for _, since := range append(old, end) {
			if m.Join("p", &since); m.Joined.Recovered {
				t.Errorf("recovered from %v, of the log that was deleted", since)
			}
		}
		m.Join("p", &floor)
		if got := wantEvent(t, m, 10); !m.Joined.Recovered || got.Prev != floor.Seq || got.Seq <= floor.Seq {
			t.Errorf("event %d after %d, want it to follow the floor, %d", got.Seq, got.Prev, floor.Seq)
		}
	})
}

func TestResync(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m, away := roomtest.Join(t, h, "alice", "p"), roomtest.Join(t, h, "bob", "p")
		update(t, h, "p", 1)
		wantEvent(t, m, 1)
		wantEvent(t, away, 1)
		away.Cut()
		update(t, h, "p", 2)
		wantEvent(t, m, 2)
		if err := h.Resync(t.Context(), "p"); err != nil {
			t.Fatalf("Resync: %v", err)
		}
		got := m.Next()
		var data protocol.Resync
		mustDecode(t, got, &data)
		if got.Type != protocol.TypeResync || got.PlanID != "p" || data.Position != position(t, h, "p") || data.Reason == "" {
			t.Errorf("got %s, want resync to %v", words(got), position(t, h, "p"))
		}
		away.Resume()
		if away.Joined.Recovered {
			t.Error("a client that joins again after a Resync is recovered")
		}
		update(t, h, "p", 3)
		wantEvent(t, m, 3)
		wantEvent(t, away, 3)
		wantReceived(t, away)
		if got := h.Stats().Resyncs; got != 1 {
			t.Errorf("Resyncs = %d, want 1", got)
		}

		// The same holds for a plan without a room: an earlier position is void.
		before := position(t, h, "q")
		if err := h.Resync(t.Context(), "q"); err != nil {
			t.Fatalf("Resync: %v", err)
		}
		if recovers(t, h, "q", before) {
			t.Error("recovered over a Resync")
		}
		if err := h.Resync(t.Context(), "\x00"); err != room.ErrPlanID {
			t.Errorf("Resync of no plan = %v, want ErrPlanID", err)
		}
	})
}

// The members of a crowded room spread their loads over a time that has a limit. A single member
// loads immediately.
func TestResyncSpreadsTheLoads(t *testing.T) {
	for _, test := range []struct{ members, want int }{{1, 0}, {2, 10}, {150, 1490}, {1100, 10_000}} {
		t.Run(strconv.Itoa(test.members), func(t *testing.T) {
			bubble(t, &room.Options{ConnectionsPerUser: 2000}, func(t *testing.T, h *room.Hub) {
				var m *roomtest.Member
				for range test.members {
					m = roomtest.Join(t, h, "alice", "p")
				}
				if err := h.Resync(t.Context(), "p"); err != nil {
					t.Fatalf("Resync: %v", err)
				}
				got := m.Next()
				var data protocol.Resync
				mustDecode(t, got, &data)
				if got.Type != protocol.TypeResync || data.SpreadMs != int64(test.want) {
					t.Errorf("got %s with spreadMs %d, want resync with %d", words(got), data.SpreadMs, test.want)
				}
			})
		})
	}
}

// After all users have left and the janitor has run, the hub holds nothing.
func TestReturnToBaseline(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		for range 3 {
			var members []*roomtest.Member
			for _, user := range []string{"alice", "bob", "carol"} {
				m := of.connect(t, h, user, roomtest.Options{ClientID: "tab"})
				for _, plan := range []string{"p", "q", "r"} {
					m.Join(plan, nil)
					setState(m, plan, `1`)
					update(t, h, plan, 1)
				}
				members = append(members, m)
			}
			update(t, h, "unjoined", 1)
			members[0].Cut()
			members[1].Send(`{"type":"leave-plan","planId":"p"}`)
			closeByPeer(members[1], protocol.CloseNormal)
			revoke(t, h, "q", "carol")
			if _, err := h.Disconnect(t.Context(), "carol"); err != nil {
				t.Fatalf("Disconnect: %v", err)
			}
			time.Sleep(36 * time.Minute)
			synctest.Wait()
			got := h.Stats()
			if got.Connections != 0 || got.Users != 0 || got.Rooms != 0 || got.HistoryBytes != 0 {
				t.Errorf("%+v, want nothing held", got)
			}
		}
	})
}
