package room_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

func TestEventsReachAllNodes(t *testing.T) {
	nodes(t, 3, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		members := make([]*roomtest.Member, len(nodes))
		for i, n := range nodes {
			members[i] = roomtest.Join(t, n.Hub, fmt.Sprintf("user-%d", i), "p")
		}
		synctest.Wait()
		for i, n := range nodes {
			publish(t, n.Hub, "p", fmt.Sprintf("from %d", i))
		}
		for _, m := range members {
			for i := range nodes {
				wantTitle(t, m, fmt.Sprintf("from %d", i))
			}
		}
	})
}

func TestResumeOnAnotherNode(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		publish(t, nodes[0].Hub, "p", "one")
		wantTitle(t, alice, "one")
		since := alice.Position()
		alice.Cut()
		publish(t, nodes[0].Hub, "p", "two")
		publish(t, nodes[1].Hub, "other", "elsewhere")

		alice = roomtest.Connect(t, nodes[1].Hub, auth.Identity{UserID: "alice"}, nil)
		alice.Join("p", &since)
		if !alice.Joined.Recovered {
			t.Fatal("alice has to load the plan")
		}
		wantTitle(t, alice, "two")
		synctest.Wait()
		alice.Silent()
	})
}

func TestQuietPlanKeepsItsPosition(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		publish(t, nodes[0].Hub, "other", "elsewhere")
		synctest.Wait()
		at, err := nodes[0].Position(t.Context(), "p") // without a room
		if err != nil {
			t.Fatal(err)
		}
		bob := roomtest.Connect(t, nodes[1].Hub, auth.Identity{UserID: "bob"}, nil)
		bob.Join("p", &at)
		if !bob.Joined.Recovered {
			t.Error("a position that another node has given is not accepted")
		}
		publish(t, nodes[0].Hub, "p", "one")
		wantTitle(t, bob, "one")
	})
}

func TestRevokeReachesAllNodes(t *testing.T) {
	nodes(t, 3, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		again := roomtest.Join(t, nodes[2].Hub, "alice", "p")
		start := time.Now()
		removed, err := nodes[0].Revoke(t.Context(), "p", "alice")
		if err != nil || removed != 2 {
			t.Errorf("Revoke = %d, %v, want 2 members of other nodes", removed, err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("Revoke took %v with all nodes alive", took)
		}
		publish(t, nodes[0].Hub, "p", "secret")
		synctest.Wait()
		for _, m := range []*roomtest.Member{alice, again} {
			m.WantEvent(protocol.TypeRemoved, nil)
			m.Silent()
		}
	})
}

func TestRevokeWaitsForADeadNodeOnce(t *testing.T) {
	nodes(t, 3, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		nodes[2].engine.Pause()
		defer nodes[2].engine.Resume()
		start := time.Now()
		if _, err := nodes[0].Revoke(t.Context(), "p", "alice"); err != nil {
			t.Errorf("Revoke: %v", err)
		}
		if took := time.Since(start); took < 9*time.Second || took > 15*time.Second {
			t.Errorf("Revoke took %v with a dead node, want its TTL of 12 s", took)
		}
		start = time.Now()
		if _, err := nodes[0].Revoke(t.Context(), "p", "bob"); err != nil {
			t.Errorf("Revoke: %v", err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("a second Revoke took %v", took)
		}
		if nodes[2].Ready() == nil {
			t.Error("the dead node says that it is ready")
		}
	})
}

func TestGateShutsWithTheTenure(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		nodes[0].engine.Pause()
		time.Sleep(10 * time.Second)
		if nodes[0].Ready() == nil {
			t.Error("ready without a tenure")
		}
		alice.Send(`{"type":"ping"}`)
		alice.WantEvent(protocol.TypePong, nil)
		publish(t, nodes[1].Hub, "p", "one")
		nodes[0].engine.Resume()
		wantTitle(t, alice, "one")
		nodes[0].awaitReady(t)
	})
}

func TestRestartMissesNothing(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		publish(t, nodes[1].Hub, "other", "elsewhere")
		synctest.Wait()
		if err := nodes[0].Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		receipt := alice.WantEvent(protocol.TypeReceipt, nil)
		alice.WantEvent(protocol.TypeGoodbye, nil)
		since := protocol.Position{Epoch: alice.Position().Epoch, Seq: receipt.Seq}
		publish(t, nodes[1].Hub, "p", "one")

		next := startNode(t, m, "node-3", room.Options{})
		next.awaitReady(t)
		alice = roomtest.Connect(t, next.Hub, auth.Identity{UserID: "alice"}, nil)
		alice.Join("p", &since)
		if !alice.Joined.Recovered {
			t.Error("alice has to load the plan")
		}
		wantTitle(t, alice, "one")
	})
}

func TestUncertainEventsAreReplacedByAReload(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		stalled := nodes[0].engine.Stall()
		start := time.Now()
		_, err := nodes[0].BroadcastTaskUpdated(t.Context(), "p", "old", room.Mutation("m"))
		if !errors.Is(err, room.ErrUncertain) || time.Since(start) != 15*time.Second {
			t.Fatalf("Broadcast = %v after %v, want ErrUncertain after 15 s", err, time.Since(start))
		}
		alice.WantEvent(protocol.TypeResync, nil)
		publish(t, nodes[0].Hub, "p", "new")
		wantTitle(t, alice, "new")
		stalled.Deliver() // the event comes late, behind a newer one
		synctest.Wait()
		publish(t, nodes[0].Hub, "p", "last")
		wantTitle(t, alice, "last")
	})
}

func TestOnceInACluster(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		first := publish(t, nodes[0].Hub, "p", "one", room.Once("message 1"))
		if second := publish(t, nodes[1].Hub, "p", "one", room.Once("message 1")); second != first {
			t.Errorf("positions %v and %v of one event", first, second)
		}
		publish(t, nodes[1].Hub, "p", "two", room.Once("message 2"))
		publish(t, nodes[1].Hub, "other", "one", room.Once("message 1"))
		wantTitle(t, alice, "one")
		wantTitle(t, alice, "two")
		synctest.Wait()
		alice.Silent()
	})
}

func TestDisconnectReachesAllNodes(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		here := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		there := roomtest.Join(t, nodes[1].Hub, "alice", "q")
		if closed, err := nodes[0].Disconnect(t.Context(), "alice"); err != nil || closed != 2 {
			t.Errorf("Disconnect = %d, %v, want 2", closed, err)
		}
		for _, m := range []*roomtest.Member{here, there} {
			m.WantEvent(protocol.TypeGoodbye, nil)
		}
	})
}

func TestRecheckReachesAllNodes(t *testing.T) {
	var deny atomic.Bool
	o := room.Options{Authorize: func(_ context.Context, id auth.Identity, _ string) error {
		if deny.Load() && id.UserID == "alice" {
			return room.ErrForbidden
		}
		return nil
	}}
	nodes(t, 2, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		roomtest.Join(t, nodes[0].Hub, "bob", "p")
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		deny.Store(true)
		got, err := nodes[0].Recheck(t.Context(), "p")
		if want := (room.Rechecked{Kept: 1, Removed: 1}); err != nil || got != want {
			t.Errorf("Recheck = %+v, %v, want %+v", got, err, want)
		}
		alice.WantEvent(protocol.TypeRemoved, nil)
	})
}

func TestClosePlanReachesAllNodes(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		publish(t, nodes[1].Hub, "p", "one")
		wantTitle(t, alice, "one")
		since := alice.Position()
		if removed, err := nodes[0].ClosePlan(t.Context(), "p"); err != nil || removed != 1 {
			t.Errorf("ClosePlan = %d, %v", removed, err)
		}
		alice.WantEvent(protocol.TypeRemoved, nil)
		bob := roomtest.Connect(t, nodes[1].Hub, auth.Identity{UserID: "bob"}, nil)
		bob.Join("p", &since)
		if bob.Joined.Recovered {
			t.Error("a position from before ClosePlan is accepted")
		}
	})
}

// TestLostRecordsAreTold lets the store lose acknowledged records, in several ways: the clients
// that are connected get resync, and a position from before is not accepted.
func TestLostRecordsAreTold(t *testing.T) {
	for name, lose := range map[string]func(m *enginetest.Memory, old *enginetest.Snapshot){
		"the end":     func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.LoseTail(2) },
		"an old copy": func(m *enginetest.Memory, old *enginetest.Snapshot) { m.Restore(old) },
		"everything":  func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.Wipe() },
	} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
				publish(t, nodes[1].Hub, "p", "one")
				wantTitle(t, alice, "one")
				old := m.Snapshot()
				publish(t, nodes[1].Hub, "p", "two")
				publish(t, nodes[1].Hub, "p", "three")
				wantTitle(t, alice, "two")
				wantTitle(t, alice, "three")
				since := alice.Position()
				synctest.Wait()
				lose(m, old)

				resync := alice.WantEvent(protocol.TypeResync, nil)
				_ = resync
				for _, n := range nodes {
					n.awaitReady(t)
				}
				bob := roomtest.Connect(t, nodes[1].Hub, auth.Identity{UserID: "bob"}, nil)
				bob.Join("p", &since)
				if bob.Joined.Recovered {
					t.Error("a position from before the loss is accepted")
				}
				for alice.Position().Epoch != bob.Position().Epoch { // each node that notices may begin an epoch
					alice.WantEvent(protocol.TypeResync, nil)
				}
				publish(t, nodes[0].Hub, "p", "four")
				wantTitle(t, alice, "four")
				wantTitle(t, bob, "four")
			})
		})
	}
}

func TestTrimmedLogIsTold(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		nodes[0].engine.HoldTail()
		var at protocol.Position
		for i := range 10 {
			at = publish(t, nodes[1].Hub, "p", fmt.Sprint(i))
		}
		m.Trim(at.Seq)
		nodes[0].engine.ReleaseTail()
		since := alice.Position()
		alice.WantEvent(protocol.TypeGoodbye, nil) // the part may have had a Disconnect
		nodes[0].awaitReady(t)
		alice = nodes[0].connect(t, "alice")
		alice.Join("p", &since)
		if alice.Joined.Recovered {
			t.Error("a position before the part that the node has not read is accepted")
		}
		publish(t, nodes[1].Hub, "p", "last")
		for {
			var data struct{ Task struct{ Title string } }
			alice.WantEvent(protocol.TypeTaskUpdated, &data)
			if data.Task.Title == "last" {
				return
			}
		}
	})
}

// TestPlansOfOtherNodesAreEvictedFirst fills the history with events of plans that have no member
// on the node.
func TestPlansOfOtherNodesAreEvictedFirst(t *testing.T) {
	nodes(t, 1, room.Options{HistoryTotal: 64 << 10}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		hub := nodes[0].Hub
		alice := roomtest.Join(t, hub, "alice", "p")
		publish(t, hub, "p", "one")
		wantTitle(t, alice, "one")
		for i := range 200 {
			publish(t, hub, fmt.Sprintf("other-%d", i), "event")
			synctest.Wait()
		}
		if info, ok := hub.Room("p"); !ok || info.Events != 1 {
			t.Errorf("room %+v, want its event", info.Summary)
		}
		if _, ok := hub.Room("other-1"); ok {
			t.Error("a plan without members is still held")
		}
		if _, ok := hub.Room("other-199"); !ok {
			t.Error("the newest plan is not held")
		}
	})
}
