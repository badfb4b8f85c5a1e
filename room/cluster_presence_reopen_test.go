package room_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A node that has lost its place in the log knows no other node at first: the users of the others
// stay until it knows which nodes are gone.

// TestParticipantsAfterAGap has a node miss the records of the others, which they append again. One
// of them is cut off meanwhile, for less than its tenure.
func TestParticipantsAfterAGap(t *testing.T) {
	nodes(t, 3, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		shared()
		roomtest.Join(t, nodes[1].Hub, "bob", "p")
		shared()
		presenceNotices(t, alice)
		loseUnread(t, m, nodes[0], nodes[1])
		nodes[1].engine.Cut()
		wantGoodbye(t, alice)
		time.Sleep(6 * time.Second)
		nodes[0].awaitReady(t)
		alice = roomtest.Join(t, nodes[0].Hub, "alice", "p")
		shared()
		wantPeople(t, nodes[:1], "bob:1 alice:1")
		nodes[1].engine.Heal()
		time.Sleep(20 * time.Second)
		wantPeople(t, nodes, "bob:1 alice:1")
		wantNotices(t, alice)
	})
}

// TestParticipantsAfterALoss has a node open the log again because it has lost a record, which the
// other node has not read. That one keeps its name.
func TestParticipantsAfterALoss(t *testing.T) {
	for name, test := range map[string]struct {
		trim      bool // the record of the other node
		cut, hold time.Duration
	}{
		"the other node is cut off":    {trim: true, cut: 6 * time.Second},
		"the node reads the log later": {hold: 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
				shared()
				bob := roomtest.Join(t, nodes[1].Hub, "bob", "p")
				shared()
				presenceNotices(t, alice)
				nodes[1].holdTail(t, nodes[0])
				at := publish(t, nodes[0].Hub, "other", "lost")
				synctest.Wait()
				if test.trim {
					m.Trim(at.Seq)
				}
				if test.hold > 0 {
					nodes[0].engine.HoldTail()
				}
				if test.cut > 0 {
					nodes[1].engine.Cut()
				}
				m.LoseTail(1)
				nodes[1].engine.ReleaseTail()
				time.Sleep(test.cut + test.hold)
				wantPeople(t, nodes[:1], "alice:1 bob:1")
				nodes[1].engine.Heal()
				nodes[0].engine.ReleaseTail()
				time.Sleep(20 * time.Second)
				// A node that has skipped a part of the log, or had no tenure for long, has closed
				// its connections. Those of the other one stay.
				closed, stays, user, on, people := alice, bob, "alice", nodes[0], "bob:1 alice:1"
				if test.trim {
					closed, stays, user, on, people = bob, alice, "bob", nodes[1], "alice:1 bob:1"
				}
				wantGoodbye(t, closed)
				for _, notice := range presenceNotices(t, stays) {
					if !contains(notice, "resync") && !contains(notice, user) {
						t.Errorf("got the notice %q", notice)
					}
				}
				roomtest.Join(t, on.Hub, user, "p")
				shared()
				wantPeople(t, nodes, people)
			})
		})
	}
}

// TestLeaveBehindAShutGate has a user leave while the gate of the node is shut: the other clients
// get the notice when it opens.
func TestLeaveBehindAShutGate(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		bob := roomtest.Join(t, nodes[0].Hub, "bob", "p")
		presenceNotices(t, alice)
		nodes[0].engine.Cut()
		time.Sleep(10 * time.Second)
		bob.Cut()
		time.Sleep(10 * time.Second) // longer than bob lingers
		wantNotices(t, alice)
		nodes[0].engine.Heal()
		nodes[0].awaitReady(t)
		wantNotices(t, alice, `leave-plan "bob"`)
	})
}
