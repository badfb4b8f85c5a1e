package room_test

import (
	"context"
	"fmt"
	"sync/atomic"
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

// TestGateWaitsForChecks stops a node for longer than its tenure. Recheck on another node does not
// wait for it, so it must not write to its members before it has checked them itself.
func TestGateWaitsForChecks(t *testing.T) {
	var forbidden atomic.Bool
	asked, answer := make(chan struct{}, 1), make(chan struct{})
	o := room.Options{Authorize: func(context.Context, auth.Identity, string) error {
		if !forbidden.Load() {
			return nil
		}
		asked <- struct{}{}
		<-answer
		return room.ErrForbidden
	}}
	nodes(t, 2, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		asked, answer = make(chan struct{}, 1), make(chan struct{}) // in the bubble
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		nodes[1].engine.Pause()
		time.Sleep(15 * time.Second)
		forbidden.Store(true)
		if _, err := nodes[0].Recheck(t.Context(), "p"); err != nil {
			t.Fatalf("Recheck: %v", err)
		}
		publish(t, nodes[0].Hub, "p", "secret")
		nodes[1].engine.Resume()
		<-asked
		time.Sleep(4 * time.Second) // below AuthorizeTimeout
		close(answer)
		alice.WantEvent(protocol.TypeRemoved, nil)
	})
}

// TestFullSocketBehindAShutGate has an answer wait for a socket that is full while the gate is
// shut. Time goes on only if no goroutine spins.
func TestFullSocketBehindAShutGate(t *testing.T) {
	eachKind := map[string]bool{"socket": false, "blocking": true}
	for name, blocking := range eachKind {
		t.Run(name, func(t *testing.T) {
			nodes(t, 1, room.Options{WriteTimeout: time.Minute}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
				p := sinks{blocking}.pipe(t, nodes[0].Hub, "alice", -1)
				p.read()
				nodes[0].engine.Cut()
				time.Sleep(15 * time.Second)
				p.open(10)
				p.send(`{"type":"ping"}`)
				time.Sleep(5 * time.Second)
				p.open(-1)
				if got, want := p.read(), "{\"type\":\"pong\"}\n"; len(got) < len(want) {
					t.Errorf("got %q, want the answer to a ping", got)
				}
			})
		})
	}
}

// TestRevokeWithoutAnswers loses the answers of the store to a node. Its notes arrive, and must not
// make the others wait for it.
func TestRevokeWithoutAnswers(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		nodes[1].engine.CutAnswers()
		began := time.Now()
		if _, err := nodes[0].Revoke(t.Context(), "p", "alice"); err != nil {
			t.Fatalf("Revoke, after %v: %v", time.Since(began), err)
		}
		nodes[1].engine.Heal()
	})
}

// TestTrimmedNodeRecords trims all records. The nodes append theirs again, and one that starts then
// learns the epoch from them.
func TestTrimmedNodeRecords(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		before, _ := nodes[0].Cluster()
		m.Trim(m.Window().Last + 1)
		nodes = append(nodes, startNode(t, m, "node-3", room.Options{}))
		time.Sleep(5 * time.Second)
		for i, n := range nodes {
			if err := n.Ready(); err != nil {
				t.Errorf("node %d: %v", i+1, err)
			}
			if now, _ := n.Cluster(); now.Epoch != before.Epoch {
				t.Errorf("node %d is in the epoch %s, want %s", i+1, now.Epoch, before.Epoch)
			}
		}
	})
}

// TestEpochWithoutNodes trims all records while no node runs: the next one begins another epoch,
// also for a node that comes back with the one from before.
func TestEpochWithoutNodes(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		before, _ := nodes[0].Cluster()
		nodes[0].engine.Cut()
		m.Trim(m.Window().Last + 1)
		time.Sleep(20 * time.Second)
		other := startNode(t, m, "node-2", room.Options{})
		other.awaitReady(t)
		nodes[0].engine.Heal()
		nodes[0].awaitReady(t)
		synctest.Wait()
		first, _ := nodes[0].Cluster()
		second, _ := other.Cluster()
		if first.Epoch != second.Epoch || first.Epoch == before.Epoch {
			t.Errorf("the nodes are in the epochs %s and %s, after %s", first.Epoch, second.Epoch, before.Epoch)
		}
	})
}

// TestLossBehindANodeThatLags makes the log lose records that a node knows of but has not applied.
// The node does not wait for them.
func TestLossBehindANodeThatLags(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		nodes[1].engine.HoldTail()
		for i := range 20 {
			publish(t, nodes[0].Hub, "p", fmt.Sprint(i))
		}
		time.Sleep(20 * time.Second)
		m.LoseTail(15)
		time.Sleep(5 * time.Second)
		nodes[1].engine.ReleaseTail()
		nodes[1].awaitReady(t)
		publish(t, nodes[1].Hub, "p", "last")
	})
}

// TestNodeThatLagsBeginsNoTenure has a node lag for long. Its tenure ends, and none begins: each
// would store a record.
func TestNodeThatLagsBeginsNoTenure(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		before, _ := nodes[1].Cluster()
		nodes[1].engine.HoldTail()
		for range 2 { // one that its Tail holds, and one behind it
			publish(t, nodes[0].Hub, "p", "one")
			synctest.Wait()
		}
		time.Sleep(30 * time.Second)
		if info, _ := nodes[1].Cluster(); info.Open || info.Tenure != before.Tenure {
			t.Errorf("open %v, tenure %d after %d; want no further one", info.Open, info.Tenure, before.Tenure)
		}
	})
}

// TestRecordOfAQuietNode trims all records that are as old as most of the history. The node has
// appended its own record again in time, so its gate stays open although it cannot read the log
// now.
func TestRecordOfAQuietNode(t *testing.T) {
	nodes(t, 1, room.Options{HistoryAge: 30 * time.Minute}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		last := m.Window().Last
		time.Sleep(25 * time.Minute)
		nodes[0].engine.HoldTail()
		m.Trim(last + 1)
		time.Sleep(3 * time.Second)
		if err := nodes[0].Ready(); err != nil {
			t.Errorf("the record of the node was trimmed: %v", err)
		}
	})
}

// TestLateRecordOfTheOwnTenure stores a record that a node has sent in an epoch that has ended: its
// tenure ends, and its gate shuts at once.
func TestLateRecordOfTheOwnTenure(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		info, _ := nodes[0].Cluster()
		old := record.NodeRecord{Name: info.Node, Tenure: info.Tenure, Epoch: info.Epoch, Versions: record.Version}
		storeRecord(m, record.KindEpoch, (&record.Epoch{Old: info.Epoch, New: "renewed", By: "another"}).Append(nil))
		synctest.Wait()
		if info, _ = nodes[0].Cluster(); !info.Open || info.Epoch != "renewed" {
			t.Fatalf("epoch %s, open: %v", info.Epoch, info.Open)
		}
		storeRecord(m, record.KindNode, old.Append(nil))
		synctest.Wait()
		if info, _ = nodes[0].Cluster(); info.Open {
			t.Error("the gate is open after the end of the tenure")
		}
	})
}

// TestNodeThatAdoptsAnotherEpoch starts a node when the log has nothing but a late record of an
// epoch that has ended. The record of this node then names that epoch, so the other node does not
// wait for it. When it reads in which epoch the other one is, it begins another tenure.
func TestNodeThatAdoptsAnotherEpoch(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		a := nodes[0]
		first := a.epochOf(t)
		storeRecord(m, record.KindEpoch, (&record.Epoch{Old: first, New: "renewed", By: "another", Since: 1}).Append(nil))
		time.Sleep(20 * time.Second)
		late := record.NodeRecord{Name: "c", Tenure: 1, Epoch: first, Since: 1, Versions: record.Version}
		storeRecord(m, record.KindNode, late.Append(nil))
		a.engine.SetDelay(2*time.Second, 0) // it appends its record again, which takes long
		m.Trim(m.Window().Last)
		b := startNode(t, m, "b", room.Options{})
		time.AfterFunc(5*time.Second, func() { a.engine.SetDelay(0, 0) })
		for info, _ := b.Cluster(); info.Epoch != "renewed"; info, _ = b.Cluster() {
			time.Sleep(10 * time.Millisecond)
		}
		a.awaitReady(t)
		b.awaitReady(t)
		b.engine.Pause()
		if _, err := a.Revoke(t.Context(), "p", "alice"); err != nil {
			t.Fatal(err)
		}
		if info, _ := b.Cluster(); info.Open {
			t.Error("Revoke has returned, and the other node may write and has not applied its record")
		}
		b.engine.Resume()
	})
}
