package room_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// ended reports whether n waits no more for another node.
func (n *node) ended(t *testing.T, other *node) bool {
	t.Helper()
	info, _ := n.Cluster()
	name, _ := other.Cluster()
	for _, o := range info.Nodes {
		if o.Name == name.Node {
			return o.Ended
		}
	}
	t.Fatalf("the node does not know of %s", name.Node)
	return false
}

// TestListsThatAreOld answers all beats with the same notes, as a store does whose replica lags.
// The other node is alive.
func TestListsThatAreOld(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		roomtest.Join(t, nodes[1].Hub, "alice", "p")
		wantPeople(t, nodes, "alice:1")
		m.FreezeLists()
		time.Sleep(30 * time.Second)
		for i, n := range nodes {
			if err := n.Ready(); err != nil {
				t.Errorf("node %d: %v", i+1, err)
			}
		}
		wantPeople(t, nodes, "alice:1")
		nodes[1].engine.HoldTail()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := nodes[0].Revoke(ctx, "p", "alice"); err == nil {
			t.Error("Revoke does not wait for a node that has not applied its record")
		}
		m.ThawLists()
		nodes[1].engine.ReleaseTail()
		wantPeople(t, nodes, "")
	})
}

// TestNodeThatLagsDoesNotJudge stops a node. The other one lags and has no tenure, so it does not
// say that the first one is gone. It does once it has had a tenure for the time to live.
func TestNodeThatLagsDoesNotJudge(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		synctest.Wait()
		nodes[0].engine.HoldTail()
		publish(t, nodes[1].Hub, "p", "one")
		time.Sleep(15 * time.Second)
		nodes[1].engine.Pause()
		time.Sleep(30 * time.Second)
		if nodes[0].ended(t, nodes[1]) {
			t.Error("a node without a tenure judges another one")
		}
		nodes[0].engine.ReleaseTail()
		nodes[0].awaitReady(t)
		time.Sleep(15 * time.Second)
		if !nodes[0].ended(t, nodes[1]) {
			t.Error("a node with a tenure does not see that another one is gone")
		}
	})
}

// TestRevokeWaitsForANodeThatLags revokes access while the other node gets no records. That node
// ends its tenure as soon as it has lagged for the time to live, and Revoke waits no longer.
func TestRevokeWaitsForANodeThatLags(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		synctest.Wait()
		nodes[1].engine.HoldTail()
		start := time.Now()
		if _, err := nodes[0].Revoke(t.Context(), "p", "alice"); err != nil {
			t.Errorf("Revoke: %v", err)
		}
		if took := time.Since(start); took < 12*time.Second || took > 16*time.Second {
			t.Errorf("Revoke took %v, want 12 s and a few beats", took)
		}
		if nodes[1].Ready() == nil {
			t.Error("a node is ready that lags")
		}
	})
}
