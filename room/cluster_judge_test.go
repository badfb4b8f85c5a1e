package room_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/internal/record"
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

// TestNodesThatEndBeforeTheirTenure starts nodes that read no record, and so begin no tenure. They
// are alive until they end: one shuts down, and one stops.
func TestNodesThatEndBeforeTheirTenure(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		others := [2]*node{}
		for i, name := range []string{"shuts down", "stops"} {
			others[i] = newNode(t, m, name, room.Options{})
			others[i].engine.HoldTail()
			others[i].start(t)
		}
		want := func(ended ...bool) {
			t.Helper()
			for i, n := range others {
				if got := nodes[0].ended(t, n); got != ended[i] {
					t.Errorf("ended is %v, want %v, for the node that %s", got, ended[i], n.opts.Node)
				}
			}
		}
		time.Sleep(30 * time.Second)
		want(false, false)
		if err := others[0].Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		others[1].engine.Pause()
		time.Sleep(5 * time.Second)
		want(true, false)
		time.Sleep(10 * time.Second)
		want(true, true)
		others[1].engine.Resume()
		time.Sleep(5 * time.Second)
		want(true, false)
	})
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

// TestListThatComesLate delays the answer to one beat for so long that the other node was cut off
// and has beaten again meanwhile: what counts is when the list was asked for.
func TestListThatComesLate(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		nodes[1].engine.Cut()
		time.Sleep(4500 * time.Millisecond)
		nodes[0].engine.SetDelay(0, 8*time.Second)
		time.Sleep(1500 * time.Millisecond) // the beat is sent
		nodes[1].engine.Heal()
		time.Sleep(7200 * time.Millisecond) // its answer has come
		if err := nodes[1].Ready(); err != nil {
			t.Fatalf("the other node has no tenure: %v", err)
		}
		if nodes[0].ended(t, nodes[1]) {
			t.Error("the other node counts as gone, although it has a tenure")
		}
	})
}

// TestTenureCountsFromTheQuestion delays the answers to beats: a tenure lasts for 9.6 s from when
// its beat was sent, so the answer to a slow beat extends it for less.
func TestTenureCountsFromTheQuestion(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		nodes[0].engine.SetDelay(0, 6*time.Second)
		time.Sleep(10 * time.Second)
		for range 100 {
			if info, _ := nodes[0].Cluster(); info.TenureLeft > 3600*time.Millisecond {
				t.Fatalf("%v are left of the tenure, after an answer that took 6 s", info.TenureLeft)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

// TestNotesThatDoNotCount has a node say in its notes that it has done everything, but in another
// epoch, or in another cluster. Revoke waits until it says so in this one.
func TestNotesThatDoNotCount(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		epoch := nodes[0].epochOf(t)
		other := newBareNode(t, m, "other", epoch)
		revoke := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := nodes[0].Revoke(ctx, "p", "alice")
			return err
		}
		other.beat(t, "test", record.Note{Tenure: 1, Epoch: "another", Fenced: 1 << 40})
		if revoke() == nil {
			t.Error("a note of another epoch counts")
		}
		other.beat(t, "another", record.Note{Tenure: 1, Epoch: epoch, Fenced: 1 << 40})
		if revoke() == nil {
			t.Error("a note of another cluster counts")
		}
		other.beat(t, "test", record.Note{Tenure: 1, Epoch: epoch, Fenced: 1 << 40})
		if err := revoke(); err != nil {
			t.Errorf("Revoke, with a note that counts: %v", err)
		}
	})
}
