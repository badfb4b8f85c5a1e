package room_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// seen collects what an Observer gets. The zero value is ready.
type seen[T any] struct {
	mu   sync.Mutex // guards the following
	list []T
}

func (s *seen[T]) add(v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, v)
}

// take returns the calls since the last call of take.
func (s *seen[T]) take() []T {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.list
	s.list = nil
	return list
}

// The reason of a leave names what has ended the membership.
func TestLeaveReasons(t *testing.T) {
	var left seen[room.LeaveInfo]
	answer := &authorizer{}
	opts := &room.Options{
		Authorize: answer.authorize, ReauthorizeEvery: time.Minute, RemoveAfter: time.Minute, PingEvery: -1, IdleTimeout: time.Hour,
		Observer: room.Observer{Leave: left.add},
	}
	ends := []struct {
		want room.LeaveReason
		end  func(t *testing.T, h *room.Hub, m *roomtest.Member)
	}{
		{room.LeaveRequested, func(_ *testing.T, _ *room.Hub, m *roomtest.Member) { m.Send(`{"type":"leave-plan","planId":"p"}`) }},
		{room.LeaveClosed, func(_ *testing.T, _ *room.Hub, m *roomtest.Member) { m.Cut() }},
		{room.LeaveClosed, func(t *testing.T, h *room.Hub, _ *roomtest.Member) {
			if _, err := h.Disconnect(t.Context(), "ann"); err != nil {
				t.Fatal(err)
			}
		}},
		{room.LeaveRevoked, func(t *testing.T, h *room.Hub, _ *roomtest.Member) { revoke(t, h, "p", "ann") }},
		{room.LeaveForbidden, func(*testing.T, *room.Hub, *roomtest.Member) {
			answer.answer(room.ErrForbidden)
			time.Sleep(time.Minute)
		}},
		{room.LeaveRevoked, func(t *testing.T, h *room.Hub, _ *roomtest.Member) {
			if _, err := h.RevokeUser(t.Context(), "ann"); err != nil {
				t.Fatal(err)
			}
		}},
		{room.LeaveRevoked, func(t *testing.T, h *room.Hub, _ *roomtest.Member) {
			if _, err := h.ClosePlan(t.Context(), "p"); err != nil {
				t.Fatal(err)
			}
		}},
		{room.LeaveForbidden, func(t *testing.T, h *room.Hub, _ *roomtest.Member) {
			answer.answer(room.ErrUnauthenticated)
			if _, err := h.Recheck(t.Context(), "p"); err != nil {
				t.Fatal(err)
			}
		}},
		{room.LeaveForbidden, func(_ *testing.T, _ *room.Hub, m *roomtest.Member) {
			answer.answer(room.ErrForbidden)
			m.Send(`{"type":"join-plan","planId":"p"}`)
		}},
		{room.LeaveUnconfirmed, func(*testing.T, *room.Hub, *roomtest.Member) {
			answer.answer(errOutage)
			time.Sleep(2 * time.Minute)
		}},
		{room.LeaveClosed, func(_ *testing.T, h *room.Hub, _ *roomtest.Member) { _, _ = shutdown(h, time.Second) }},
	}
	for _, e := range ends {
		t.Run(string(e.want), func(t *testing.T) {
			bubble(t, opts, func(t *testing.T, h *room.Hub) {
				answer.answer(nil)
				m := roomtest.Join(t, h, "ann", "p")
				e.end(t, h, m)
				got := left.take()
				if len(got) != 1 || got[0].Reason != e.want || got[0].PlanID != "p" || got[0].Connection.UserID != "ann" {
					t.Errorf("observed %+v, want one leave of ann because of %q", got, e.want)
				}
				if diff := cmp.Diff(map[room.LeaveReason]uint64{e.want: 1}, h.Stats().Left); diff != "" {
					t.Errorf("Stats.Left (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// messageBytes returns the length of the next event of m.
func messageBytes(t *testing.T, m *roomtest.Member) int {
	t.Helper()
	e := m.Next()
	b, err := protocol.EncodeEvent(
		protocol.Event{Type: e.Type, Data: e.Data},
		protocol.EventMeta{PlanID: e.PlanID, By: e.By, MutationID: e.MutationID, Timestamp: e.Timestamp}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return len(b.Splice(e.Seq, e.Prev))
}

type traceKey struct{}

// Observer.Broadcast gives an audit log the event, its author, and the context of the request.
func TestBroadcastInfo(t *testing.T) {
	var sent seen[room.BroadcastInfo]
	var traces []any
	opts := &room.Options{Observer: room.Observer{Broadcast: func(ctx context.Context, b room.BroadcastInfo) {
		traces = append(traces, ctx.Value(traceKey{}))
		sent.add(b)
	}}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "ann", "p")
		ctx := context.WithValue(t.Context(), traceKey{}, "request 1")
		if _, err := h.BroadcastTaskDeleted(ctx, "p", "7", room.By("bob"), room.Mutation("m1")); err != nil {
			t.Fatal(err)
		}
		if _, err := h.BroadcastBatch(ctx, "p", []protocol.Event{protocol.TaskDeleted("8"), protocol.TaskDeleted("9")}); err != nil {
			t.Fatal(err)
		}
		end, err := h.Position(ctx, "p")
		if err != nil {
			t.Fatal(err)
		}
		got := sent.take()
		for i := range got {
			got[i].Bytes -= messageBytes(t, m)
			got[i].Timestamp = time.Time{} // see TestBroadcastTimestamp
		}
		at := func(back uint64) protocol.Position { return protocol.Position{Epoch: end.Epoch, Seq: end.Seq - back} }
		want := []room.BroadcastInfo{
			{PlanID: "p", Type: "task-deleted", Position: at(2), By: "bob", MutationID: "m1", Recipients: 1},
			{PlanID: "p", Type: "task-deleted", Position: at(1), Recipients: 1},
			{PlanID: "p", Type: "task-deleted", Position: at(0), Recipients: 1},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]any{"request 1", "request 1", "request 1"}, traces); diff != "" {
			t.Errorf("values of the contexts (-want +got):\n%s", diff)
		}
	})
}

// Notified also reports an event that reached no connection.
func TestNotifyInfo(t *testing.T) {
	var sent seen[room.NotifyInfo]
	opts := &room.Options{QueuePerConnection: 1, Observer: room.Observer{Notified: func(_ context.Context, n room.NotifyInfo) { sent.add(n) }}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		notify := func() {
			t.Helper()
			if _, err := h.Notify(t.Context(), "ann", protocol.Event{Type: "hello", Data: map[string]int{"n": 1}}); err != nil {
				t.Fatal(err)
			}
		}
		notify()
		roomtest.Connect(t, h, auth.Identity{UserID: "ann"}, nil)
		stalled := roomtest.Connect(t, h, auth.Identity{UserID: "ann"}, &roomtest.Options{SocketBuffer: 10})
		stalled.Stall()
		notify() // fills the socket of the stalled connection
		notify()
		notify()
		got := sent.take()
		size := got[0].Bytes
		want := func(queued, dropped int) room.NotifyInfo {
			return room.NotifyInfo{UserID: "ann", Type: "hello", Bytes: size, Queued: queued, Dropped: dropped}
		}
		if diff := cmp.Diff([]room.NotifyInfo{want(0, 0), want(2, 0), want(2, 0), want(1, 1)}, got); diff != "" || size < 30 {
			t.Errorf("observed, with %d bytes (-want +got):\n%s", size, diff)
		}
		if s := h.Stats(); s.NotifiesQueued != 5 || s.NotifiesDropped != 1 {
			t.Errorf("Stats has %d queued and %d dropped, want 5 and 1", s.NotifiesQueued, s.NotifiesDropped)
		}
	})
}

// Delivered describes each pass of a pump, with the time that its first event has waited.
func TestDeliveryInfo(t *testing.T) {
	var passes seen[room.DeliveryInfo]
	bubble(t, &room.Options{Observer: room.Observer{Delivered: passes.add}}, func(t *testing.T, h *room.Hub) {
		ann := roomtest.Join(t, h, "ann", "p")
		bob := roomtest.Connect(t, h, auth.Identity{UserID: "bob"}, &roomtest.Options{SocketBuffer: 10})
		bob.Join("p", nil)
		time.Sleep(time.Second) // the notice of bob's join
		passes.take()
		bob.Stall()
		unread(t, ann)
		update(t, h, "p", 1)
		want := []room.DeliveryInfo{{PlanID: "p", Events: 1, Bytes: messageBytes(t, ann), Connections: 2, Late: 1}}
		if diff := cmp.Diff(want, passes.take()); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
	})
}

// Evicted, Stats.Evicted and Stats.Participants.
func TestEvictionInfo(t *testing.T) {
	var evicted seen[room.EvictionInfo]
	opts := &room.Options{HistoryTotal: 8 << 10, Observer: room.Observer{Evicted: evicted.add}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		if _, err := h.BroadcastTaskUpdated(t.Context(), "old", map[string]string{"id": "1", "note": strings.Repeat("x", 2000)}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := h.BroadcastTaskUpdated(t.Context(), "new", map[string]string{"id": "1", "note": strings.Repeat("x", 2000)}); err != nil {
				t.Fatal(err)
			}
		}
		got := evicted.take()
		if diff := cmp.Diff([]room.EvictionInfo{{PlanID: "old", Events: 1}}, got); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
		if n := h.Stats().Evicted; n != 1 {
			t.Errorf("Stats.Evicted = %d, want 1", n)
		}
	})
}

// Stats counts the users of all rooms. A user in two rooms counts twice.
func TestStatsParticipants(t *testing.T) {
	bubble(t, &room.Options{Linger: time.Second}, func(t *testing.T, h *room.Hub) {
		want := func(n int) {
			t.Helper()
			synctest.Wait()
			if got := h.Stats().Participants; got != n {
				t.Errorf("Participants = %d, want %d", got, n)
			}
		}
		ann := roomtest.Join(t, h, "ann", "p")
		ann.Join("q", nil)
		roomtest.Join(t, h, "ann", "p")
		bob := roomtest.Join(t, h, "bob", "p")
		want(3)
		bob.Cut()
		want(3) // lingers
		time.Sleep(2 * time.Second)
		want(2)
		ann.Send(`{"type":"leave-plan","planId":"q"}`)
		want(1)
		time.Sleep(time.Hour) // the janitor deletes the room of q
		want(1)
	})
}

// While a hub shuts down, Stats shows the progress.
func TestStatsDuringShutdown(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := roomtest.Connect(t, h, auth.Identity{UserID: "ann"}, &roomtest.Options{SocketBuffer: 10})
		m.Join("p", nil)
		m.Stall()
		update(t, h, "p", 1)
		if s := h.Stats(); s.ShuttingDown || s.Closing != 0 || s.Connections != 1 {
			t.Errorf("before Shutdown: %+v", s)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = shutdown(h, 10*time.Second)
		}()
		synctest.Wait()
		if s := h.Stats(); !s.ShuttingDown || s.Closing+s.Connections != 1 {
			t.Errorf("during Shutdown: ShuttingDown %v, Closing %d, Connections %d", s.ShuttingDown, s.Closing, s.Connections)
		}
		<-done
		if s := h.Stats(); !s.ShuttingDown || s.Closing != 0 || s.Connections != 0 {
			t.Errorf("after Shutdown: ShuttingDown %v, Closing %d, Connections %d", s.ShuttingDown, s.Closing, s.Connections)
		}
	})
}

// The lag of a pass is that of its first event: here the second pass waits for the first.
func TestDeliveryLag(t *testing.T) {
	var passes seen[room.DeliveryInfo]
	bubble(t, &room.Options{Observer: room.Observer{Delivered: passes.add}}, func(t *testing.T, h *room.Hub) {
		bob, writing := openStopped(t, h, "bob")
		bob.join("p")
		time.Sleep(time.Second) // the notice of the join
		passes.take()
		writing.armed = true
		update(t, h, "p", 1)
		<-writing.reached
		time.Sleep(time.Second)
		update(t, h, "p", 2)
		time.Sleep(time.Second)
		update(t, h, "p", 3)
		close(writing.release)
		var got []string
		for _, p := range passes.take() {
			got = append(got, fmt.Sprint(p.Events, " events after ", p.Lag))
		}
		if diff := cmp.Diff([]string{"1 events after 2s", "2 events after 1s"}, got); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
	})
}

// A Delivered function that ends the goroutine of a pump does not stop the deliveries.
func TestGoexitInDelivered(t *testing.T) {
	exits := 0
	opts := &room.Options{Observer: room.Observer{Delivered: func(room.DeliveryInfo) {
		exits++
		runtime.Goexit()
	}}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "ann", "p")
		for n := range 3 {
			update(t, h, "p", n)
			wantEvent(t, m, n)
		}
		synctest.Wait()
		if exits < 3 {
			t.Errorf("Delivered was called %d times", exits)
		}
	})
}
