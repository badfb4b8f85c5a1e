package room_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// refusingEngine refuses some records.
type refusingEngine struct {
	room.Engine
	after atomic.Int64 // how many calls of Append succeed before
	calls atomic.Int64 // how many calls of Append fail then
	err   error        // with this
}

var errRefused = errors.New("the disk is full")

func (e *refusingEngine) Append(ctx context.Context, id string, data []byte) (uint64, error) {
	if e.after.Add(-1) < 0 && e.calls.Add(-1) >= 0 {
		return 0, e.err
	}
	return e.Engine.Append(ctx, id, data)
}

// startRefusing starts a node whose engine refuses records with an error.
func startRefusing(t *testing.T, m *enginetest.Memory, err error) (*node, *refusingEngine) {
	t.Helper()
	n := newNode(t, m, "refusing", room.Options{})
	e := &refusingEngine{Engine: n.engine, err: err}
	n.opts.Engine = e
	n.start(t)
	n.awaitReady(t)
	return n, e
}

// TestEventThatIsNotStored has an engine refuse an event, which describes what has happened: the
// clients of the plan load it, on all nodes.
func TestEventThatIsNotStored(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		n, e := startRefusing(t, m, errRefused)
		here, there := roomtest.Join(t, n.Hub, "alice", "p"), roomtest.Join(t, nodes[0].Hub, "bob", "p")
		e.calls.Store(1)
		if _, err := n.BroadcastTaskUpdated(t.Context(), "p", map[string]string{"title": "one"}); !errors.Is(err, errRefused) {
			t.Errorf("Broadcast = %v, want the error of the engine", err)
		}
		here.WantEvent(protocol.TypeResync, nil)
		there.WantEvent(protocol.TypeResync, nil)
	})
}

// TestBatchThatIsNotStored has an engine refuse the second event of a batch: the clients of the
// plan load it.
func TestBatchThatIsNotStored(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		n, e := startRefusing(t, m, errRefused)
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		e.after.Store(1)
		e.calls.Store(1)
		_, err := n.BroadcastBatch(t.Context(), "p", []protocol.Event{{Type: "a", Data: 1}, {Type: "b", Data: 2}})
		if !errors.Is(err, errRefused) {
			t.Errorf("BroadcastBatch = %v, want the error of the engine", err)
		}
		for alice.NextMessage().Type != protocol.TypeResync { // the first event, unless resync replaces it
			continue
		}
	})
}

// TestTooManyUncertainEvents publishes more events without an answer of the engine than a node
// remembers: the clients of all plans load them.
func TestTooManyUncertainEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, e := startRefusing(t, enginetest.NewMemory(nil), room.ErrUncertain)
		alice, bob := roomtest.Join(t, n.Hub, "alice", "p"), roomtest.Join(t, n.Hub, "bob", "q")
		e.calls.Store(math.MaxInt64)
		for i := range 1<<14 + 2 {
			if _, err := n.BroadcastTaskDeleted(t.Context(), "p", "1"); !errors.Is(err, room.ErrUncertain) {
				t.Fatalf("Broadcast = %v, want ErrUncertain", err)
			}
			if i == 0 {
				synctest.Wait() // the node has begun to append a record for this event
			}
		}
		e.calls.Store(0)
		alice.WantEvent(protocol.TypeResync, nil)
		bob.WantEvent(protocol.TypeResync, nil)
	})
}

// TestLateEventOfMany has more events of one plan be uncertain than one resync record can name, and
// the first of them be stored late: the nodes ignore it.
func TestLateEventOfMany(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		n := startNode(t, m, "other", room.Options{})
		n.awaitReady(t)
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		stalled := n.engine.Stall()
		var calls sync.WaitGroup
		publish1 := func(title string) {
			calls.Go(func() { _, _ = n.BroadcastTaskUpdated(t.Context(), "p", map[string]string{"title": title}) })
		}
		publish1("old")
		stalled.Wait()
		n.engine.Cut()
		for range 1100 {
			publish1("x")
		}
		calls.Wait()
		n.engine.Heal()
		time.Sleep(20 * time.Second)
		n.awaitReady(t)
		publish(t, nodes[0].Hub, "p", "new")
		unreadNow(t, alice)
		stalled.Deliver()
		if late := unreadNow(t, alice); len(late) > 0 {
			t.Errorf("%s %s came behind a newer event, and after resync", late[0].Type, late[0].Data)
		}
	})
}

// TestManyPlansMissEvents has an engine refuse events of more plans than a node remembers: it
// remembers no more, and the clients of all plans load them.
func TestManyPlansMissEvents(t *testing.T) {
	const most = 1<<14 + 2 // with that whose record is being appended, and all others as one
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		n, e := startRefusing(t, m, errRefused)
		alice := roomtest.Join(t, n.Hub, "alice", "quiet")
		e.calls.Store(math.MaxInt64)
		for i := range most + 1000 {
			_, _ = n.BroadcastTaskDeleted(t.Context(), fmt.Sprint("plan-", i), "1")
		}
		if info, _ := n.Cluster(); info.Uncertain > most {
			t.Errorf("%d plans wait for a resync, want at most %d", info.Uncertain, most)
		}
		e.calls.Store(0)
		time.Sleep(2 * time.Second)
		alice.WantEvent(protocol.TypeResync, nil)
	})
}

// TestBroadcastToPlansWithoutEngine broadcasts to many plans while the engine does not answer: it
// waits once, and the clients of each plan load it.
func TestBroadcastToPlansWithoutEngine(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		plans := []string{"a", "b", "", "c"}
		members := []*roomtest.Member{}
		for _, plan := range []string{"a", "b", "c"} {
			members = append(members, roomtest.Join(t, nodes[1].Hub, "alice", plan))
		}
		nodes[0].engine.Cut()
		start := time.Now()
		err := nodes[0].BroadcastToPlans(t.Context(), plans, protocol.Event{Type: "a", Data: 1})
		if took := time.Since(start); took != 15*time.Second {
			t.Errorf("it took %v, want 15 s", took)
		}
		if !errors.Is(err, room.ErrPlanID) || strings.Count(err.Error(), "broadcast to plan") != len(plans) {
			t.Errorf("the error is %v, want one for each plan", err)
		}
		nodes[0].engine.Heal()
		nodes[0].awaitReady(t)
		for _, m := range members {
			m.WantEvent(protocol.TypeResync, nil)
		}
	})
}

// TestUncertainPlans publishes to several plans while the engine does not answer, and counts the
// plans whose clients have to load.
func TestUncertainPlans(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		want := func(plans int) {
			t.Helper()
			synctest.Wait()
			if info, _ := nodes[0].Cluster(); info.Uncertain != plans {
				t.Errorf("%d plans are uncertain, want %d", info.Uncertain, plans)
			}
		}
		nodes[0].engine.Cut()
		for i, plan := range []string{"p", "q", "r"} {
			for range 2 {
				_, _ = nodes[0].BroadcastTaskDeleted(t.Context(), plan, "7")
				want(i + 1)
			}
		}
		nodes[0].engine.Heal()
		nodes[0].awaitReady(t)
		time.Sleep(2 * time.Second)
		want(0)
	})
}

// TestMoveWithoutEngine moves a task while the engine does not answer: the clients of both plans
// load them.
func TestMoveWithoutEngine(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		from, to := roomtest.Join(t, nodes[1].Hub, "alice", "from"), roomtest.Join(t, nodes[1].Hub, "bob", "to")
		nodes[0].engine.Cut()
		err := nodes[0].BroadcastTaskMoved(t.Context(), room.TaskMove{From: "from", To: "to", TaskID: "7", Task: 1})
		if !errors.Is(err, room.ErrUncertain) {
			t.Errorf("BroadcastTaskMoved = %v, want ErrUncertain", err)
		}
		nodes[0].engine.Heal()
		nodes[0].awaitReady(t)
		to.WantEvent(protocol.TypeResync, nil)
		from.WantEvent(protocol.TypeResync, nil)
	})
}

// TestOnceAfterUncertain uses an ID of Once again long after an event with it was uncertain: that
// is another event.
func TestOnceAfterUncertain(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		n, e := startRefusing(t, m, room.ErrUncertain)
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		e.calls.Store(1)
		_, err := n.BroadcastTaskUpdated(t.Context(), "p", map[string]string{"title": "one"}, room.Once("job"))
		if !errors.Is(err, room.ErrUncertain) {
			t.Fatal(err)
		}
		alice.WantEvent(protocol.TypeResync, nil)
		time.Sleep(time.Hour)
		publish(t, n.Hub, "p", "two", room.Once("job"))
		wantTitle(t, alice, "two")
	})
}
