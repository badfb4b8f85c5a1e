package room_test

import (
	"context"
	"errors"
	"fmt"
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

const planDeleted = `removed p {"reason":"plan deleted","retry":false}`

// deleted is an Authorize that refuses plan p once it is deleted.
func deleted(g *authorizer) {
	g.set(func(_ context.Context, _ auth.Identity, planID string) error {
		if planID == "p" {
			return room.ErrForbidden
		}
		return nil
	})
}

func TestClosePlan(t *testing.T) {
	g := &authorizer{}
	eachSink(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub, of sinks) {
		g.set(anyone)
		tab1, tab2, bob := of.join(t, h, "alice", "p"), of.join(t, h, "alice", "p"), of.join(t, h, "bob", "p")
		bob.Join("q", nil)
		gone := roomtest.Join(t, h, "carol", "p")
		gone.Cut() // carol lingers
		update(t, h, "p", 1)
		for _, m := range []*roomtest.Member{tab1, tab2, bob} {
			unread(t, m)
		}
		written := position(t, h, "p").Seq
		deleted(g)
		if n, err := h.ClosePlan(t.Context(), "p"); n != 3 || err != nil {
			t.Errorf("ClosePlan = %d, %v, want 3", n, err)
		}
		if _, ok := h.Room("p"); ok || room.Lingering(h) != 0 {
			t.Errorf("the room exists: %v; %d users linger", ok, room.Lingering(h))
		}
		x, err := h.Explain("p", "bob", written)
		if err != nil || len(x.Connections) != 1 || x.Connections[0].Outcome != room.OutcomeWritten {
			t.Errorf("Explain of the last event: %+v, %v; want that it was written", x, err)
		}
		update(t, h, "p", 2)
		update(t, h, "q", 3)
		wantReceived(t, tab1, planDeleted)
		wantReceived(t, tab2, planDeleted)
		wantReceived(t, bob, planDeleted, `task-updated q {"task":{"id":3}}`)
		bob.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "p"})
		wantError(t, bob, "p", protocol.TypeJoinPlan, protocol.ErrorForbidden)
		bob.Request(protocol.Request{Type: protocol.TypeUpdatePresence, PlanID: "p"})
		wantError(t, bob, "p", protocol.TypeUpdatePresence, protocol.ErrorNotJoined)
		if diff := cmp.Diff([]string{"q"}, h.PlansOf("bob")); diff != "" {
			t.Errorf("bob is in (-want +got):\n%s", diff)
		}
		if n, err := h.ClosePlan(t.Context(), "p"); n != 0 || err != nil {
			t.Errorf("a second ClosePlan = %d, %v, want 0", n, err)
		}
		if _, err := h.ClosePlan(t.Context(), ""); !errors.Is(err, room.ErrPlanID) {
			t.Errorf("ClosePlan of no plan = %v", err)
		}
	})
}

// Positions from before ClosePlan are not valid after it, whether or not the plan had a room. If
// the plan ID is used again, no earlier event is replayed.
func TestClosePlanVoidsPositions(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		never := position(t, h, "never") // for a plan that never had a room
		if !recovers(t, h, "other", position(t, h, "other")) {
			t.Error("a position of a plan without a room is not valid before")
		}
		alice := roomtest.Join(t, h, "alice", "p")
		start := alice.Position()
		update(t, h, "p", 1)
		last := position(t, h, "p")
		for _, planID := range []string{"p", "never"} {
			if _, err := h.ClosePlan(t.Context(), planID); err != nil {
				t.Fatal(err)
			}
		}
		if recovers(t, h, "p", start) || recovers(t, h, "p", last) || recovers(t, h, "never", never) {
			t.Error("a position of a closed plan is still valid")
		}
		bob := roomtest.Join(t, h, "bob", "p")
		if now := position(t, h, "p"); bob.Joined.Recovered || now.Seq <= last.Seq {
			t.Errorf("joined at %v, want after %v", now, last)
		}
		update(t, h, "p", 2)
		wantEvent(t, bob, 2)
	})
}

// A client joins again at the moment at which ClosePlan has removed it from the room. That is a
// first join of a new room.
func TestRejoinDuringClosePlan(t *testing.T) {
	left := make(chan struct{})
	seamTest(t, &room.Options{Observer: room.Observer{Leave: func(room.LeaveInfo) {
		select {
		case left <- struct{}{}:
		default:
		}
	}}}, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
		left = make(chan struct{}, 1)
		writing.Arm()
		update(t, h, "p", 1)
		writing.Wait()
		closed := make(chan error, 1)
		go func() { closed <- errorOf(h.ClosePlan(context.Background(), "p")) }()
		<-left
		synctest.Wait() // ClosePlan waits for the write
		p.join("p", nil)
		synctest.Wait()
		if len(closed) != 0 {
			t.Error("ClosePlan has returned during a write of the plan")
		}
		writing.Release()
		synctest.Wait()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if got := p.types(); got != "[task-updated removed join-plan]" {
			t.Errorf("the client received %s", got)
		}
		if info, _ := h.Room("p"); info.Connections != 1 || info.Participants != 1 {
			t.Errorf("room %+v, want the client alone", info.Summary)
		}
		update(t, h, "p", 2)
		synctest.Wait()
		if got := p.types(); got != "[task-updated]" {
			t.Errorf("then the client received %s", got)
		}
	})
}

// ClosePlan of a large plan waits once for all stalled connections together, and calls
// Observer.Leave for each member.
func TestClosePlanOfALargePlan(t *testing.T) {
	members := atScale(10_000)
	var mu sync.Mutex
	var leaves, resyncs int // guarded by mu
	opts := &room.Options{PingEvery: -1, Observer: room.Observer{
		Leave:  func(room.LeaveInfo) { mu.Lock(); defer mu.Unlock(); leaves++ },
		Resync: func(room.ResyncInfo) { mu.Lock(); defer mu.Unlock(); resyncs++ },
	}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		guests := make([]*guest, members)
		for n := range guests {
			guests[n] = newGuest(t, h, fmt.Sprint("user", n), nil)
			guests[n].join("p")
		}
		stalled := stalledIn(t, h, sinks{}, "p", 50)
		synctest.Wait()
		before := h.Stats().HistoryBytes
		start := time.Now()
		if n, err := h.ClosePlan(t.Context(), "p"); n != members+50 || err != nil {
			t.Errorf("ClosePlan = %d, %v, want %d", n, err, members+50)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("ClosePlan took %v, want 100 ms at most for all that have stalled", took)
		}
		for _, p := range stalled {
			if _, closed := p.state(); !closed {
				t.Error("a stalled connection was not cut")
			}
		}
		synctest.Wait()
		for _, g := range guests {
			if got := g.got()[protocol.TypeRemoved]; got != 1 {
				t.Fatalf("a member received removed %d times", got)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if got := h.Stats(); leaves != members+50 || resyncs != 0 || got.Rooms != 0 || got.HistoryBytes != 0 {
			t.Errorf("%d leaves and %d resyncs observed, %d rooms, %d bytes of history (%d before)", leaves, resyncs, got.Rooms, got.HistoryBytes, before)
		}
	})
}

// ClosePlan runs concurrently with broadcasts, joins and other calls of ClosePlan.
func TestClosePlanUnderTraffic(t *testing.T) {
	h := newHub(t, nil)
	var wg sync.WaitGroup
	peers := make([]*peer, 8)
	for n := range peers {
		peers[n] = mustConnect(t, h, newPeer(1, 1<<10), fmt.Sprint("user", n%4))
		wg.Go(func() {
			for range 100 {
				peers[n].join("p", nil)
				peers[n].wait(time.Minute, func() bool { return true })
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for n := range 300 {
				if _, err := h.BroadcastTaskUpdated(context.Background(), "p", task(n)); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 100 {
				if _, err := h.ClosePlan(context.Background(), "p"); err != nil {
					t.Error(err)
				}
				_, _ = h.Recheck(context.Background(), "p")
			}
		})
	}
	wg.Wait()
	if _, err := h.ClosePlan(context.Background(), "p"); err != nil {
		t.Error(err)
	}
	if got := allMembers(h); got > len(peers) {
		t.Errorf("%d members", got)
	}
}
