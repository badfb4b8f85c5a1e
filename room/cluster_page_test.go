package room_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// TestPageOfAnOldNode loads a page from a node, and joins with its position on a node that was
// started later. The page has to be loaded again only if the log no longer has what it misses, or
// the epoch is another one; and then once.
func TestPageOfAnOldNode(t *testing.T) {
	for name, test := range map[string]struct {
		// then happens after the page was loaded at a position. It returns the node to join.
		then  func(t *testing.T, m *enginetest.Memory, old *node, at protocol.Position) *node
		loads int // after the one of the page
	}{
		"a fresh node": {then: func(t *testing.T, m *enginetest.Memory, _ *node, _ protocol.Position) *node {
			return readyNode(t, m)
		}},
		"a fresh node that is not ready yet": {then: func(t *testing.T, m *enginetest.Memory, _ *node, _ protocol.Position) *node {
			return startNode(t, m, "fresh", room.Options{})
		}},
		"a fresh node after a deploy": {then: func(t *testing.T, m *enginetest.Memory, old *node, _ protocol.Position) *node {
			fresh := readyNode(t, m)
			if err := old.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			return fresh
		}},
		"a fresh node after a crash": {then: func(t *testing.T, m *enginetest.Memory, old *node, _ protocol.Position) *node {
			fresh := readyNode(t, m)
			old.crash()
			time.Sleep(20 * time.Second)
			return fresh
		}},
		"its next record is the oldest": {then: func(t *testing.T, m *enginetest.Memory, _ *node, at protocol.Position) *node {
			m.Trim(at.Seq + 1)
			return readyNode(t, m)
		}},
		"its next record was trimmed": {loads: 1, then: func(t *testing.T, m *enginetest.Memory, _ *node, at protocol.Position) *node {
			m.Trim(at.Seq + 2)
			return readyNode(t, m)
		}},
		"everything was trimmed": {loads: 1, then: func(t *testing.T, m *enginetest.Memory, _ *node, _ protocol.Position) *node {
			m.Trim(m.Window().Last + 1)
			return readyNode(t, m)
		}},
		"trimmed while the fresh node reads the log": {loads: 1, then: func(t *testing.T, m *enginetest.Memory, _ *node, _ protocol.Position) *node {
			fresh := newNode(t, m, "fresh", room.Options{})
			fresh.engine.HoldTail()
			fresh.start(t)
			time.Sleep(time.Second)
			m.Trim(m.Window().Last + 1)
			fresh.engine.ReleaseTail()
			fresh.awaitReady(t)
			return fresh
		}},
		"no node was left, and the engine knows that no record is lost": {then: func(t *testing.T, m *enginetest.Memory, old *node, _ protocol.Position) *node {
			if err := old.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			return readyNode(t, m)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				publish(t, nodes[0].Hub, "p", "in the page")
				publish(t, nodes[0].Hub, "other", "elsewhere") // has the position of the page
				synctest.Wait()
				at, err := nodes[0].Position(t.Context(), "p")
				if err != nil {
					t.Fatal(err)
				}
				publish(t, nodes[0].Hub, "p", "one")
				publish(t, nodes[0].Hub, "p", "two")
				synctest.Wait()
				fresh := test.then(t, m, nodes[0], at)

				alice := fresh.connect(t, "alice")
				joinLater(alice, "p", &at)
				var a protocol.JoinAnswer
				mustDecode(t, alice.WantEvent(protocol.TypeJoinPlan, nil), &a)
				if a.Recovered != (test.loads == 0) {
					t.Errorf("recovered %v, want %d loads", a.Recovered, test.loads)
				}
				if a.Recovered {
					wantTitle(t, alice, "one")
					wantTitle(t, alice, "two")
				}
				// No resync follows, whatever the nodes find out about each other.
				time.Sleep(time.Minute)
				publish(t, fresh.Hub, "p", "three")
				wantTitle(t, alice, "three")
				synctest.Wait()
				alice.Silent()
			})
		})
	}
}

// readyNode starts a node and waits until it is ready.
func readyNode(t *testing.T, m *enginetest.Memory) *node {
	t.Helper()
	n := startNode(t, m, "fresh", room.Options{})
	n.awaitReady(t)
	return n
}

// TestManyPagesOnAFreshNode loads pages at every position of a node, and joins with all of them on
// a fresh node whose log begins in between.
func TestManyPagesOnAFreshNode(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		var pages []protocol.Position
		for i := range 30 {
			synctest.Wait()
			at, err := nodes[0].Position(t.Context(), "p")
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, at)
			publish(t, nodes[0].Hub, []string{"p", "other"}[i%2], "event")
		}
		first := pages[15].Seq
		m.Trim(first)
		fresh := readyNode(t, m)
		if err := nodes[0].Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		want := publish(t, fresh.Hub, "p", "last").Seq
		synctest.Wait()
		for _, at := range pages {
			alice := fresh.connect(t, "alice")
			alice.Join("p", &at)
			if complete := at.Seq+1 >= first; alice.Joined.Recovered != complete {
				t.Errorf("the page at %d, with a log from %d on: recovered %v", at.Seq, first, alice.Joined.Recovered)
			}
			unreadNow(t, alice)
			if got := alice.Position().Seq; got != want {
				t.Errorf("the page at %d has got to %d, want %d", at.Seq, got, want)
			}
			alice.Cut()
		}
	})
}
