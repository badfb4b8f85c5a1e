package room_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// The log loses records that the nodes which are left have not read.

// unsureEngine never knows whether the log is complete, as natsengine.
type unsureEngine struct {
	room.Engine
	once sync.Once
	beat chan struct{} // closed when Beat has succeeded
}

// newUnsureNode returns a node with an unsureEngine, without its hub.
func newUnsureNode(t *testing.T, m *enginetest.Memory, name string) (*node, *unsureEngine) {
	t.Helper()
	n := newNode(t, m, name, room.Options{})
	e := &unsureEngine{Engine: n.engine, beat: make(chan struct{})}
	n.opts.Engine = e
	return n, e
}

func (e *unsureEngine) Open(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
	opened, err := e.Engine.Open(ctx, o, receive)
	opened.Complete = false
	return opened, err
}

func (e *unsureEngine) Beat(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
	nodes, w, err := e.Engine.Beat(ctx, note)
	if err == nil {
		e.once.Do(func() { close(e.beat) })
	}
	return nodes, w, err
}

// lowEngine is an engine whose Beat says that the log has fewer records than it has.
type lowEngine struct {
	room.Engine
	fewer atomic.Uint64
}

func (e *lowEngine) Beat(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
	nodes, w, err := e.Engine.Beat(ctx, note)
	w.Last -= e.fewer.Load()
	return nodes, w, err
}

// publishLost publishes events that the client receives, and returns its position. They are lost
// afterwards.
func publishLost(t *testing.T, m *roomtest.Member, h *room.Hub, n int) *protocol.Position {
	t.Helper()
	for i := range n {
		publish(t, h, "p", fmt.Sprint("lost ", i))
	}
	synctest.Wait()
	unreadNow(t, m)
	since := m.Position()
	return &since
}

// TestLossWhileANodeReadsTheLog has a node read a long log. Meanwhile the only other node publishes
// events and dies, and the log loses them. That node was alive a moment before, but no node that is
// left knows of the loss.
func TestLossWhileANodeReadsTheLog(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		fresh, _ := newUnsureNode(t, m, "fresh")
		fresh.engine.HoldTail()
		fresh.start(t)
		time.Sleep(3500 * time.Millisecond)
		since := publishLost(t, alice, nodes[0].Hub, 5)
		nodes[0].crash()
		m.LoseTail(5)
		time.Sleep(3 * time.Second)
		fresh.engine.ReleaseTail()
		fresh.awaitReady(t)
		for i := range 5 {
			publish(t, fresh.Hub, "p", fmt.Sprint("new ", i))
		}
		back := fresh.connect(t, "alice")
		back.Join("p", since)
		if back.Joined.Recovered {
			t.Error("a position from the lost part is recovered")
		}
	})
}

// TestLossThatABeatHasShown loses records that a node has not read, since it lags, but whose seqs
// a beat has shown. The node that had read them is gone before its own next beat. New records take
// their seqs.
func TestLossThatABeatHasShown(t *testing.T) {
	for name, pause := range map[string]time.Duration{"one by one": time.Second, "in pairs": 400 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				gone := nodes[0]
				time.Sleep(500 * time.Millisecond) // so that the nodes beat half a second apart
				left := startNode(t, m, "left", room.Options{})
				left.awaitReady(t)
				time.Sleep(30 * time.Second) // so that it has no connection of before its first tenure
				alice := roomtest.Join(t, gone.Hub, "alice", "p")
				before := left.epochOf(t)
				time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(1100 * time.Millisecond)))
				left.holdTail(t, gone)
				since := publishLost(t, alice, gone.Hub, 5)
				time.Sleep(600 * time.Millisecond)
				gone.crash()
				m.LoseTail(5)
				left.engine.ReleaseTail()
				synctest.Wait()
				time.Sleep(time.Second) // a beat shows that the log is shorter
				for i := range 5 {
					publish(t, left.Hub, "p", fmt.Sprint("new ", i))
					time.Sleep(pause)
				}
				back := left.connect(t, "alice")
				back.Join("p", since)
				if back.Joined.Recovered {
					unreadNow(t, back)
					back.WantEvent(protocol.TypeResync, nil)
				}
				time.Sleep(4 * time.Second)
				if left.epochOf(t) == before {
					t.Error("the epoch goes on")
				}
			})
		})
	}
}

// TestLastThatIsLowerForAMoment has a beat show a Last that is too low, as a new leader of the
// engine's servers may. The log then has all records again: the epoch goes on.
func TestLastThatIsLowerForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, enginetest.NewMemory(nil), "node", room.Options{})
		e := &lowEngine{Engine: n.engine}
		n.opts.Engine = e
		n.start(t)
		n.awaitReady(t)
		alice := roomtest.Join(t, n.Hub, "alice", "p")
		for range 5 {
			publish(t, n.Hub, "p", "one")
		}
		time.Sleep(2 * time.Second)
		unreadNow(t, alice)
		before := n.epochOf(t)
		for _, fewer := range []uint64{3, 4, 4} {
			e.fewer.Store(fewer)
			time.Sleep(time.Second)
		}
		e.fewer.Store(0)
		time.Sleep(time.Minute)
		if n.epochOf(t) != before {
			t.Error("a new epoch has begun, although nothing was lost")
		}
		synctest.Wait()
		alice.Silent()
	})
}
