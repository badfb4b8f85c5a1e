package room_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// joinLater sends a join that is not answered at once.
func joinLater(m *roomtest.Member, plan string, since *protocol.Position) {
	m.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan, Since: since})
}

// TestJoinAheadOfTheNode joins a node that has not applied yet what the client has from another
// one.
func TestJoinAheadOfTheNode(t *testing.T) {
	for name, test := range map[string]struct {
		released  time.Duration
		took      time.Duration
		recovered bool
	}{
		"the node catches up": {released: time.Second, took: time.Second, recovered: true},
		"it does not":         {released: 5 * time.Second, took: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
				publish(t, nodes[0].Hub, "p", "one")
				synctest.Wait()
				nodes[1].engine.HoldTail()
				publish(t, nodes[0].Hub, "p", "two")
				synctest.Wait()
				since, err := nodes[0].Position(t.Context(), "p")
				if err != nil {
					t.Fatal(err)
				}
				time.AfterFunc(test.released, nodes[1].engine.ReleaseTail)
				start := time.Now()
				alice := nodes[1].connect(t, "alice")
				alice.Join("p", &since)
				if took := time.Since(start); took != test.took || alice.Joined.Recovered != test.recovered {
					t.Errorf("recovered %v after %v, want %v after %v", alice.Joined.Recovered, took, test.recovered, test.took)
				}
				time.Sleep(5 * time.Second)
			})
		})
	}
}

// TestJoinOfANodeWithoutATenure joins a node whose gate is shut.
func TestJoinOfANodeWithoutATenure(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		nodes[0].engine.Pause()
		time.Sleep(10 * time.Second)
		alice := nodes[0].connect(t, "alice")
		start := time.Now()
		joinLater(alice, "p", nil)
		if got := alice.Refused(protocol.ErrorUnavailable); time.Since(start) != 5*time.Second {
			t.Errorf("%+v after %v, want it after 5 s", got, time.Since(start))
		}
		joinLater(alice, "p", nil)
		time.AfterFunc(time.Second, nodes[0].engine.Resume)
		alice.WantEvent(protocol.TypeJoinPlan, nil)
		if took := time.Since(start) - 5*time.Second; took < time.Second || took > 4*time.Second {
			t.Errorf("joined after %v, want it as soon as the gate is open", took)
		}
	})
}

// TestNodeWithoutATenureSendsItsClientsAway cuts a node off for long.
func TestNodeWithoutATenureSendsItsClientsAway(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		bob := roomtest.Join(t, nodes[1].Hub, "bob", "p")
		nodes[0].engine.Pause()
		start := time.Now()
		time.Sleep(30 * time.Second)
		alice.Silent()
		var goodbye protocol.Goodbye
		alice.WantEvent(protocol.TypeGoodbye, &goodbye)
		if took := time.Since(start); goodbye.Code != protocol.CloseShutdown || !goodbye.Reconnect || took < 35*time.Second || took > 45*time.Second {
			t.Errorf("%+v after %v, want 4503 some 40 s after the last beat", goodbye, took)
		}
		alice = nodes[0].connect(t, "alice")
		alice.Send(`{"type":"ping"}`)
		alice.WantEvent(protocol.TypePong, nil)
		time.Sleep(2 * time.Minute)
		alice.Silent() // not again so soon
		bob.Silent()
		nodes[0].engine.Resume()
		nodes[0].awaitReady(t)
	})
}

// TestNotReadyAtTheStart starts a node whose engine does not answer.
func TestNotReadyAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		n := newNode(t, m, "node", room.Options{})
		n.engine.Cut()
		n.start(t)
		if err := n.Ready(); err == nil {
			t.Error("ready without an engine")
		}
		if _, err := n.Position(t.Context(), "p"); err != nil {
			t.Errorf("Position: %v", err)
		}
		start := time.Now()
		if _, err := n.BroadcastTaskDeleted(t.Context(), "p", "1"); err == nil || time.Since(start) != 15*time.Second {
			t.Errorf("Broadcast = %v after %v, want an error after 15 s", err, time.Since(start))
		}
		n.engine.Heal()
		n.awaitReady(t)
		time.Sleep(time.Second) // for the resync of the event that failed
		synctest.Wait()
		alice := roomtest.Join(t, n.Hub, "alice", "p")
		publish(t, n.Hub, "p", "one")
		wantTitle(t, alice, "one")
	})
}

// jumpingClock is a clock whose wall time can be set.
type jumpingClock struct {
	start time.Time
	jump  atomic.Int64
}

func (c *jumpingClock) Wall() time.Time          { return time.Now().Add(time.Duration(c.jump.Load())) }
func (c *jumpingClock) Monotonic() time.Duration { return time.Since(c.start) }

// TestClockThatJumps sets the wall clock of a node, as a machine does that was suspended: its
// tenure ends, and a further one begins.
func TestClockThatJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &jumpingClock{start: time.Now()}
		n := startNode(t, enginetest.NewMemory(nil), "node", room.Options{Clock: clock})
		n.awaitReady(t)
		before, _ := n.Cluster()
		alice := roomtest.Join(t, n.Hub, "alice", "p")
		synctest.Wait()
		clock.jump.Store(int64(time.Hour))
		time.Sleep(5 * time.Second)
		n.awaitReady(t)
		after, _ := n.Cluster()
		if after.Tenure != before.Tenure+1 || after.Epoch != before.Epoch {
			t.Errorf("tenure %d of epoch %s after %d of %s, want the next one", after.Tenure, after.Epoch, before.Tenure, before.Epoch)
		}
		publish(t, n.Hub, "p", "one")
		wantTitle(t, alice, "one")
	})
}
