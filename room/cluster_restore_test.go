package room_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestOldCopyOfTheLog brings the log back with a copy that lacks events, whose seqs are then given
// again. Every viewer loads, whether connected or not, and none receives an event as if it were the
// one that it misses.
func TestOldCopyOfTheLog(t *testing.T) {
	restore := func(_ *testing.T, m *enginetest.Memory, old *enginetest.Snapshot, nodes []*node) []*node {
		m.Restore(old)
		return nodes
	}
	for name, come := range map[string]func(t *testing.T, m *enginetest.Memory, old *enginetest.Snapshot, nodes []*node) []*node{
		"all nodes run": restore,
		"a node is cut off": func(t *testing.T, m *enginetest.Memory, old *enginetest.Snapshot, nodes []*node) []*node {
			nodes[2].engine.Cut()
			m.Restore(old)
			time.AfterFunc(25*time.Second, nodes[2].engine.Heal)
			return nodes
		},
		"a node lags": func(t *testing.T, m *enginetest.Memory, old *enginetest.Snapshot, nodes []*node) []*node {
			nodes[1].engine.HoldTail()
			m.Restore(old)
			time.AfterFunc(5*time.Second, nodes[1].engine.ReleaseTail)
			return nodes
		},
		"a fresh node joins": func(t *testing.T, m *enginetest.Memory, old *enginetest.Snapshot, nodes []*node) []*node {
			m.Restore(old)
			return append(nodes, startNode(t, m, "fresh", room.Options{}))
		},
		"all nodes are fresh": func(t *testing.T, m *enginetest.Memory, old *enginetest.Snapshot, nodes []*node) []*node {
			for _, n := range nodes {
				n.crash()
			}
			m.Restore(old)
			return []*node{startNode(t, m, "fresh-1", room.Options{}), startNode(t, m, "fresh-2", room.Options{})}
		},
	} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 3, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				testOldCopy(t, m, nodes, func(old *enginetest.Snapshot) []*node { return come(t, m, old, nodes) })
			})
		})
	}
}

func testOldCopy(t *testing.T, m *enginetest.Memory, nodes []*node, come func(old *enginetest.Snapshot) []*node) {
	viewers := make([]*roomtest.Member, 2*len(nodes))
	for i := range viewers {
		viewers[i] = roomtest.Join(t, nodes[i%len(nodes)].Hub, fmt.Sprint("viewer-", i), "p")
	}
	publishMany := func(on []*node, what string, n int) (all []protocol.Position) {
		for i := range n {
			all = append(all, publish(t, on[i%len(on)].Hub, "p", fmt.Sprintf("%s %d", what, i)))
			publish(t, on[i%len(on)].Hub, "other", "elsewhere")
		}
		synctest.Wait()
		return all
	}
	positions := publishMany(nodes, "kept", 5)
	old := m.Snapshot()
	positions = append(positions, publishMany(nodes, "lost", 5)...)
	for _, v := range viewers {
		unreadNow(t, v)
	}

	left := come(old)
	time.Sleep(time.Minute)
	for _, n := range left {
		n.awaitReady(t)
	}
	again := publishMany(left, "new", 10)
	if last := positions[len(positions)-1].Seq; again[len(again)-1].Seq <= last {
		t.Fatalf("the seqs end at %d, and were not given again up to %d", again[len(again)-1].Seq, last)
	}
	for i, v := range viewers {
		if slices.Contains(left, nodes[i%len(nodes)]) {
			wantLoaded(t, v)
		}
	}
	// Clients that were away come back, from each position.
	for _, since := range positions {
		for _, n := range left {
			back := n.connect(t, "back")
			back.Join("p", &since)
			if back.Joined.Recovered {
				t.Errorf("the position %v of before is recovered on %s", since, n.opts.Node)
			}
			if got := unreadNow(t, back); len(got) > 0 && got[0].Seq > 0 {
				t.Errorf("a client that loads the plan has received %s", words(got[0]))
			}
			back.Cut()
		}
	}
}

// wantLoaded fails the test unless a viewer was asked to load its plan, and has then received the
// new events in their order, and no other ones. A node that had no tenure may have closed the
// connection instead, and has then sent nothing before.
func wantLoaded(t *testing.T, v *roomtest.Member) {
	t.Helper()
	if v.Sink().State().Over {
		v.WantEvent(protocol.TypeGoodbye, nil)
		return
	}
	loads := 0
	var titles []string
	for _, msg := range unreadNow(t, v) {
		switch msg.Type {
		case protocol.TypeResync:
			loads++
			titles = nil
		case protocol.TypeTaskUpdated:
			var data struct{ Task struct{ Title string } }
			if err := json.Unmarshal(msg.Data, &data); err != nil {
				t.Fatal(err)
			}
			if loads == 0 {
				t.Errorf("%q came before a load", data.Task.Title)
			}
			titles = append(titles, data.Task.Title)
		}
	}
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint("new ", i))
	}
	if loads == 0 || !slices.Equal(titles, want) {
		t.Errorf("%d loads, and then %q; want a load, and the new events", loads, titles)
	}
}
