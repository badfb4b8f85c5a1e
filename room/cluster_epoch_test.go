package room_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A node that is alone, and whose engine cannot know whether the log lost records, begins one
// epoch, not one after the other.
func TestLoneNodeBeginsOneEpoch(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		before, err := nodes[0].Position(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		m.LoseTail(1)
		time.Sleep(5 * time.Second)
		nodes[0].awaitReady(t)
		renewed, err := nodes[0].Position(t.Context(), "p")
		if err != nil || renewed.Epoch == before.Epoch {
			t.Errorf("epoch %q follows %q (%v), want another one", renewed.Epoch, before.Epoch, err)
		}
		time.Sleep(time.Minute)
		if after, err := nodes[0].Position(t.Context(), "p"); err != nil || after.Epoch != renewed.Epoch {
			t.Errorf("epoch %q follows %q (%v), want the same", after.Epoch, renewed.Epoch, err)
		}
	})
}

// TestTrimmedLogOfAllNodes trims the log while all nodes lag, so that none of them knows the epoch
// any more: they begin another one, and do not wait for each other.
func TestTrimmedLogOfAllNodes(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		for _, n := range nodes {
			synctest.Wait()
			n.engine.HoldTail()
		}
		publish(t, nodes[0].Hub, "q", "one") // wakes the Tails, which then hold
		synctest.Wait()
		at := publish(t, nodes[0].Hub, "p", "two")
		m.Trim(at.Seq + 1)
		for _, n := range nodes {
			n.engine.ReleaseTail()
		}
		alice.WantEvent(protocol.TypeResync, nil)
		for _, n := range nodes {
			n.awaitReady(t)
		}
		publish(t, nodes[1].Hub, "p", "three")
		for {
			if msg := alice.NextMessage(); msg.Type == protocol.TypeTaskUpdated {
				return
			}
		}
	})
}
