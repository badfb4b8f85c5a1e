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
	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/roomtest"
)

// The nodes of the tests of a cluster, and what the tests do with them.

// node is one hub of a cluster in memory.
type node struct {
	*room.Hub
	engine *enginetest.MemoryEngine
	opts   room.Options
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
		// After the beginning of an epoch, calls of Revoke wait for nodes that may not have
		// noticed, and nodes that have begun a second tenure have just had a lapse.
		time.Sleep(30 * time.Second)
		synctest.Wait() // for the beats of this moment
		test(t, m, list)
	})
}

// startNode starts a hub on a log.
func startNode(t *testing.T, m *enginetest.Memory, name string, o room.Options) *node {
	t.Helper()
	n := newNode(t, m, name, o)
	n.start(t)
	return n
}

// newNode returns a node without its hub.
func newNode(t *testing.T, m *enginetest.Memory, name string, o room.Options) *node {
	t.Helper()
	if o.Authorize == nil {
		o.Authorize = func(context.Context, auth.Identity, string) error { return nil }
	}
	n := &node{engine: m.Engine()}
	o.Engine, o.Cluster, o.Node = n.engine, "test", name
	n.opts = o
	return n
}

// start starts the hub. The end of the test shuts it down.
func (n *node) start(t *testing.T) {
	t.Helper()
	n.Hub = room.NewHub(&n.opts)
	t.Cleanup(func() {
		n.engine.Resume()
		n.engine.Heal()
		n.engine.ReleaseTail()
		if err := n.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown of %s: %v", n.opts.Node, err)
		}
	})
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

// crash ends a node without a word to the others and to its clients, which the caller has cut.
func (n *node) crash() {
	_ = n.engine.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.Shutdown(ctx) // its error is that of ctx
}

// connect connects a user to a node.
func (n *node) connect(t *testing.T, user string) *roomtest.Member {
	t.Helper()
	return roomtest.Connect(t, n.Hub, auth.Identity{UserID: user}, nil)
}

// epochOf returns the epoch of the log as the node knows it.
func (n *node) epochOf(t *testing.T) string {
	t.Helper()
	info, ok := n.Cluster()
	if !ok || info.Epoch == "" {
		t.Fatal("the node knows no epoch")
	}
	return info.Epoch
}

// loseTenure delays the answers to beats until the gate of the node is shut, and from then on. The
// node gets records and messages as ever.
func (n *node) loseTenure(t *testing.T) {
	t.Helper()
	n.engine.SetDelay(0, time.Hour)
	time.Sleep(11 * time.Second)
	if n.Ready() == nil {
		t.Fatal("the node still has a tenure")
	}
}

// holdTail makes the node apply nothing that comes after this call, until ReleaseTail. other
// publishes an event, since a Tail that waits holds only behind the next record.
func (n *node) holdTail(t *testing.T, other *node) {
	t.Helper()
	n.engine.HoldTail()
	publish(t, other.Hub, "other", "wakes the Tail, which then holds")
	synctest.Wait()
}

// lagBehind makes the node end its tenure, since it does not apply what other publishes, until
// ReleaseTail.
func (n *node) lagBehind(t *testing.T, other *node) {
	t.Helper()
	n.holdTail(t, other)
	publish(t, other.Hub, "other", "is not applied")
	for range 600 {
		if info, _ := n.Cluster(); !info.Open {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the node has a tenure although it has lagged for a minute")
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

// bareNode is a node without a hub: a test stores its record and its notes.
type bareNode struct {
	engine *enginetest.MemoryEngine
	epoch  string
}

// newBareNode opens the log, and stores the record of a first tenure.
func newBareNode(t *testing.T, m *enginetest.Memory, name, epoch string) *bareNode {
	t.Helper()
	s := &bareNode{m.Engine(), epoch}
	o := room.OpenOptions{Cluster: "test", Node: name}
	if _, err := s.engine.Open(t.Context(), o, func(string, []byte) {}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.engine.Close() })
	first := record.NodeRecord{Name: name, Tenure: 1, Epoch: epoch, Versions: record.Version}
	storeRecord(m, record.KindNode, first.Append(nil))
	synctest.Wait()
	return s
}

// beat stores a note.
func (s *bareNode) beat(t *testing.T, cluster string, n record.Note) {
	t.Helper()
	n.Version = record.Version
	note := record.AppendNote(nil, record.ClusterHash(cluster), &n)
	if _, _, err := s.engine.Beat(t.Context(), note); err != nil {
		t.Fatal(err)
	}
}
