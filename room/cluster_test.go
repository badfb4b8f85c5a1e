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
