package room_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// node is one hub of a cluster in memory.
type node struct {
	*room.Hub
	engine *enginetest.MemoryEngine
}

// nodes starts n hubs on one log, in a bubble, and waits until they are ready.
func nodes(t *testing.T, n int, o room.Options, test func(t *testing.T, m *enginetest.Memory, nodes []*node)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		list := make([]*node, n)
		for i := range list {
			list[i] = startNode(t, m, fmt.Sprintf("node-%d", i+1), o)
		}
		for _, n := range list {
			n.awaitReady(t)
		}
		test(t, m, list)
	})
}

// startNode starts a hub on a log.
func startNode(t *testing.T, m *enginetest.Memory, name string, o room.Options) *node {
	t.Helper()
	if o.Authorize == nil {
		o.Authorize = func(context.Context, auth.Identity, string) error { return nil }
	}
	n := &node{engine: m.Engine()}
	o.Engine, o.Cluster, o.Node = n.engine, "test", name
	n.Hub = room.NewHub(&o)
	t.Cleanup(func() {
		if err := n.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown of %s: %v", name, err)
		}
	})
	return n
}

// awaitReady waits until the node can serve clients.
func (n *node) awaitReady(t *testing.T) {
	t.Helper()
	for range 600 {
		if n.Ready() == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("not ready after a minute: %v", n.Ready())
}

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

func publish(t *testing.T, h *room.Hub, plan, title string, opts ...room.BroadcastOption) protocol.Position {
	t.Helper()
	at, err := h.BroadcastTaskUpdated(t.Context(), plan, map[string]string{"title": title}, opts...)
	if err != nil {
		t.Fatalf("Broadcast: %v", err)
	}
	return at
}

func wantTitle(t *testing.T, m *roomtest.Member, title string) {
	t.Helper()
	var data struct{ Task struct{ Title string } }
	m.In(t).WantEvent(protocol.TypeTaskUpdated, &data)
	if data.Task.Title != title {
		t.Errorf("got the event %q, want %q", data.Task.Title, title)
	}
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

func TestRevokeWaitsForASilentNodeOnce(t *testing.T) {
	nodes(t, 3, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		nodes[2].engine.Pause()
		defer nodes[2].engine.Resume()
		start := time.Now()
		if _, err := nodes[0].Revoke(t.Context(), "p", "alice"); err != nil {
			t.Errorf("Revoke: %v", err)
		}
		if took := time.Since(start); took < 9*time.Second || took > 15*time.Second {
			t.Errorf("Revoke took %v with a node that is silent, want its TTL of 12 s", took)
		}
		start = time.Now()
		if _, err := nodes[0].Revoke(t.Context(), "p", "bob"); err != nil {
			t.Errorf("Revoke: %v", err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("a second Revoke took %v", took)
		}
		if nodes[2].Ready() == nil {
			t.Error("the silent node says that it is ready")
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
