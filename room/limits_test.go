package room_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

func TestRoomsPerConnection(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "alice", "")
		for n := range 64 {
			m.Join(fmt.Sprint("p", n), nil)
		}
		refused := func(plan string) {
			t.Helper()
			m.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan})
			wantError(t, m, plan, protocol.TypeJoinPlan, protocol.ErrorTooManyRooms)
		}
		refused("p64")
		m.Join("p0", nil) // the same plan, not another one
		refused("p64")
		m.Send(`{"type":"leave-plan","planId":"p0"}`)
		m.NextMessage()
		m.Join("p64", nil)
		refused("p0")
		if got := h.Stats().Rooms; got != 65 {
			t.Errorf("%d rooms, want 65: a refused join makes none", got)
		}
		update(t, h, "p64", 1)
		wantEvent(t, m, 1)
	})
}

func TestConnectionsPerUser(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		tabs := make([]*roomtest.Member, 20)
		for n := range tabs {
			tabs[n] = roomtest.Join(t, h, "alice", "p")
		}
		if _, err := h.Connect(t.Context(), auth.Identity{UserID: "alice"}, roomtest.NewSink(nil), nil); !errors.Is(err, room.ErrTooManyConnections) {
			t.Errorf("the 21st connection: %v, want ErrTooManyConnections", err)
		}
		connect(t, h, "bob", "")
		tabs[0].Cut()
		connect(t, h, "alice", "") // a lingering user has no connection
		if _, err := h.Connect(t.Context(), auth.Identity{UserID: "alice"}, roomtest.NewSink(nil), nil); !errors.Is(err, room.ErrTooManyConnections) {
			t.Errorf("the 21st connection: %v, want ErrTooManyConnections", err)
		}
	})
}

// Of many concurrent connects, exactly ConnectionsPerUser succeed.
func TestConnectionsPerUserAtOnce(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		var in, out atomic.Int64
		var wg sync.WaitGroup
		for range 70 {
			wg.Go(func() {
				k := roomtest.NewSink(nil)
				err := k.Connect(h, auth.Identity{UserID: "alice"}, nil)
				switch {
				case err == nil:
					in.Add(1)
					t.Cleanup(func() { k.End(protocol.CloseAbnormal) })
				case errors.Is(err, room.ErrTooManyConnections):
					out.Add(1)
				}
			})
		}
		wg.Wait()
		if in.Load() != 20 || out.Load() != 50 {
			t.Errorf("%d got in, %d were refused; want 20 and 50", in.Load(), out.Load())
		}
	})
}

func jsonOf(bytes int) json.RawMessage {
	return json.RawMessage(`"` + strings.Repeat("x", bytes-2) + `"`)
}

func TestPayload(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "alice", "p")
		broadcast := func(data json.RawMessage) error { return errorOf(h.BroadcastTaskUpdated(t.Context(), "p", data)) }
		before := m.Position()
		if err := broadcast(jsonOf(256<<10 + 1)); !errors.Is(err, protocol.ErrEventTooLarge) {
			t.Errorf("one byte too many: %v, want ErrEventTooLarge", err)
		}
		if _, err := h.Notify(t.Context(), "alice", protocol.Event{Type: "x", Data: jsonOf(256<<10 + 1)}); !errors.Is(err, protocol.ErrEventTooLarge) {
			t.Errorf("a notice with one byte too many: %v, want ErrEventTooLarge", err)
		}
		if err := broadcast(json.RawMessage(`{`)); !errors.Is(err, protocol.ErrEventData) {
			t.Errorf("no JSON: %v, want ErrEventData", err)
		}
		if _, err := h.BroadcastTaskUpdated(t.Context(), "p", func() {}); !errors.Is(err, protocol.ErrEventData) {
			t.Errorf("a function: %v, want ErrEventData", err)
		}
		wantReceived(t, m)
		if got, err := h.Position(t.Context(), "p"); got != before || err != nil {
			t.Errorf("position %v, %v after broadcasts that failed, want %v", got, err, before)
		}
		if err := broadcast(jsonOf(256 << 10)); err != nil {
			t.Errorf("data of exactly the limit: %v", err)
		}
		if got := m.Next(); len(got.Data) != len(`{"task":}`)+256<<10 {
			t.Errorf("got %d bytes of data", len(got.Data))
		}
	})
}

// recovers reports whether a client at that position receives the events that it missed.
func recovers(t *testing.T, h *room.Hub, plan string, since protocol.Position) bool {
	t.Helper()
	m := connect(t, h, "returning", "")
	defer m.Cut()
	m.Join(plan, &since)
	return m.Joined.Recovered
}

func position(t *testing.T, h *room.Hub, plan string) protocol.Position {
	t.Helper()
	p, err := h.Position(context.Background(), plan)
	if err != nil {
		t.Fatalf("Position(%q) = %v", plan, err)
	}
	return p
}

func TestHistoryBytesPerRoom(t *testing.T) {
	const limit = 10_000
	fill := func(t *testing.T, h *room.Hub, plan string, bytes int) {
		t.Helper()
		if _, err := h.BroadcastTaskUpdated(t.Context(), plan, jsonOf(bytes)); err != nil {
			t.Fatalf("Broadcast: %v", err)
		}
	}
	// takes is the number of bytes that count for an event with that much data.
	takes := func(bytes int) int {
		h := newHub(t, nil)
		fill(t, h, "p", bytes)
		return h.Stats().HistoryBytes - 1024
	}
	const first = 100
	// This one fits together with the first.
	largest := sort.Search(limit, func(n int) bool { return takes(first)+takes(n+1) > limit })
	for _, over := range []int{0, 1} {
		t.Run(fmt.Sprint("over by ", over), func(t *testing.T) {
			bubble(t, &room.Options{HistoryBytes: limit}, func(t *testing.T, h *room.Hub) {
				before := position(t, h, "p")
				fill(t, h, "p", first)
				second := position(t, h, "p")
				fill(t, h, "p", largest+over)
				if got, want := recovers(t, h, "p", before), over == 0; got != want {
					t.Errorf("the first event is there: %v, want %v", got, want)
				}
				if !recovers(t, h, "p", second) {
					t.Error("the room has dropped more events than needed")
				}
				// A single event above the limit is kept.
				last := position(t, h, "p")
				fill(t, h, "p", 2*limit)
				if !recovers(t, h, "p", last) {
					t.Error("the newest event was dropped")
				}
			})
		})
	}
}

func TestHistoryAge(t *testing.T) {
	bubble(t, &room.Options{IdleTimeout: 24 * time.Hour}, func(t *testing.T, h *room.Hub) {
		roomtest.Join(t, h, "stay", "p")
		since := position(t, h, "p")
		update(t, h, "p", 1)
		time.Sleep(30 * time.Minute)
		if !recovers(t, h, "p", since) {
			t.Error("the event was dropped after exactly 30 min")
		}
		time.Sleep(time.Nanosecond)
		if recovers(t, h, "p", since) {
			t.Error("after more than 30 min the event is still there")
		}
		if !recovers(t, h, "p", position(t, h, "p")) {
			t.Error("the end of a log without events is not recovered from")
		}
		time.Sleep(5 * time.Minute)
		if got := h.Stats(); got.HistoryBytes != 1024 {
			t.Errorf("%d bytes of history, want the bytes of one room", got.HistoryBytes)
		}
	})
}

// The bytes of all rooms together are bounded, whatever the host broadcasts. The budget evicts the
// least recently used rooms.
func TestHistoryTotal(t *testing.T) {
	const total = 1 << 20
	bubble(t, &room.Options{HistoryTotal: total}, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "alice", "busy")
		var since [400]protocol.Position
		for n := range since {
			plan := fmt.Sprint("p", n)
			since[n] = position(t, h, plan)
			for range 4 {
				if _, err := h.BroadcastTaskUpdated(t.Context(), plan, jsonOf(1000)); err != nil {
					t.Fatalf("Broadcast: %v", err)
				}
			}
			update(t, h, "busy", n)
			wantEvent(t, m, n) // the room in use keeps all events that a member still needs
			time.Sleep(time.Millisecond)
			if got := h.Stats().HistoryBytes; got > total {
				t.Fatalf("%d bytes of history, want at most %d", got, total)
			}
		}
		if got := h.Stats(); got.Rooms >= 400 || got.HistoryBytes < total/2 {
			t.Errorf("%+v, want the oldest rooms evicted and the others kept", got)
		}
		if !recovers(t, h, "p399", since[399]) {
			t.Error("the room that was used last has lost its history")
		}
		if recovers(t, h, "p0", since[0]) {
			t.Error("the room that was used first recovers from an earlier position")
		}
	})
}

// Rooms count even without events.
func TestHistoryTotalOfEmptyRooms(t *testing.T) {
	const total = 100 << 10
	bubble(t, &room.Options{HistoryTotal: total}, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "alice", "")
		for n := range 300 {
			plan := fmt.Sprint("p", n)
			m.Join(plan, nil)
			m.Send(fmt.Sprintf(`{"type":"leave-plan","planId":%q}`, plan))
			m.NextMessage()
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if got := h.Stats(); got.HistoryBytes > total || got.Rooms > 100 {
			t.Errorf("%d bytes of history in %d rooms, want at most %d", got.HistoryBytes, got.Rooms, total)
		}
	})
}

// A room larger than the hub's limit keeps its newest event, so members that read miss nothing.
func TestHistoryTotalOfOneRoom(t *testing.T) {
	bubble(t, &room.Options{HistoryTotal: 10_000}, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "alice", "p")
		for n := range 50 {
			if _, err := h.BroadcastTaskUpdated(t.Context(), "p", jsonOf(6000)); err != nil {
				t.Fatalf("Broadcast: %v", err)
			}
			if got := m.Next(); got.Type != protocol.TypeTaskUpdated {
				t.Fatalf("got %s as event %d", got.Type, n)
			}
		}
		if got := h.Stats().HistoryBytes; got > 10_000 {
			t.Errorf("%d bytes of history", got)
		}
	})
}
