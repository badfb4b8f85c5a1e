package room_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/internal/record"
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
		alice.WantEvent(protocol.TypeGoodbye, nil)
		for _, n := range nodes {
			n.awaitReady(t)
		}
		alice = roomtest.Join(t, nodes[0].Hub, "alice", "p")
		publish(t, nodes[1].Hub, "p", "three")
		wantTitle(t, alice, "three")
	})
}

// brokenTail is an engine whose Tail fails while broken is set. It counts the records that the node
// appends.
type brokenTail struct {
	room.Engine
	broken  atomic.Bool
	appends atomic.Int32
}

func (e *brokenTail) Tail(ctx context.Context, after uint64, apply func([]room.Record)) error {
	if e.broken.Load() {
		return errors.New("the log cannot be read")
	}
	return e.Engine.Tail(ctx, after, apply)
}

func (e *brokenTail) Append(ctx context.Context, id string, data []byte) (uint64, error) {
	e.appends.Add(1)
	return e.Engine.Append(ctx, id, data)
}

// TestNewEpochOfALogThatCannotBeRead starts a node on a log that is empty and cannot be read for a
// minute. The node begins a new epoch, and does so once at a time, however often it calls Tail.
func TestNewEpochOfALogThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		m.Trim(m.Store([]byte("a record that has left the log")) + 1)
		n := newNode(t, m, "node", room.Options{})
		e := &brokenTail{Engine: n.engine}
		e.broken.Store(true)
		n.opts.Engine = e
		n.start(t)
		time.Sleep(time.Minute)
		if got := e.appends.Load(); got == 0 || got > 30 {
			t.Errorf("%d records of a new epoch in a minute, want one for each time that the node has waited for it in vain, 2 s", got)
		}
		e.broken.Store(false)
		n.awaitReady(t)
	})
}

// TestLateRecordsForANewNode stores node records that name other epochs late: one that ended before
// the records of the log, and one of a log that is gone. A node that has not seen the current epoch
// begin does not take them for it.
func TestLateRecordsForANewNode(t *testing.T) {
	for name, since := range map[string]uint64{"an epoch that ended": 1, "an epoch of a log that is gone": 1 << 40} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				m.LoseTail(1) // so that the epoch began behind seq 1
				time.Sleep(5 * time.Second)
				nodes[0].awaitReady(t)
				m.Trim(m.Window().Last + 1)
				time.Sleep(5 * time.Second) // the node appends its record again
				want := nodes[0].epochOf(t)
				late := record.NodeRecord{Name: "other", Tenure: 1, Epoch: "ended", Since: since, Versions: record.Version}
				storeRecord(m, record.KindNode, late.Append(nil))
				fresh := startNode(t, m, "fresh", room.Options{})
				fresh.awaitReady(t)
				for _, n := range []*node{nodes[0], fresh} {
					if got := n.epochOf(t); got != want {
						t.Errorf("epoch %q, want %q", got, want)
					}
				}
			})
		})
	}
}

// TestLateEpochRecord stores the record by which a node without an epoch has begun one late, when
// the node has long repeated it: it resets nothing.
func TestLateEpochRecord(t *testing.T) {
	for name, late := range map[string]time.Duration{"at once": 0, "minutes later": 5 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				nodes[0].crash()
				m.Trim(m.Window().Last + 1)
				time.Sleep(2 * time.Hour)
				n := newNode(t, m, "node", room.Options{})
				stalled := n.engine.Stall()
				n.start(t)
				stalled.Wait()
				n.awaitReady(t)
				alice := roomtest.Join(t, n.Hub, "alice", "p")
				time.Sleep(late)
				before := n.epochOf(t)
				stalled.Deliver()
				time.Sleep(10 * time.Second)
				if n.epochOf(t) != before {
					t.Error("the late record begins another epoch")
				}
				synctest.Wait()
				alice.Silent()
			})
		})
	}
}

// TestElectionWhileANodeStarts has the engine answer no node for a while, just after a node has
// read the first list of notes. The other node is alive: no client loads a plan.
func TestElectionWhileANodeStarts(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		before := nodes[0].epochOf(t)
		synctest.Wait()
		time.Sleep(300 * time.Millisecond)
		fresh, e := newUnsureNode(t, m, "fresh")
		fresh.engine.SetDelay(time.Millisecond, 0)
		fresh.start(t)
		<-e.beat
		nodes[0].engine.Cut()
		fresh.engine.Cut()
		time.Sleep(6 * time.Second)
		nodes[0].engine.Heal()
		fresh.engine.Heal()
		time.Sleep(20 * time.Second)
		fresh.awaitReady(t)
		if nodes[0].epochOf(t) != before {
			t.Error("all clients load their plans, although nothing was lost")
		}
		synctest.Wait()
		alice.Silent()
	})
}
