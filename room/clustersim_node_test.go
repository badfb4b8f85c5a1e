package room_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// clusterNode is one hub of a simulated cluster.
type clusterNode struct {
	*room.Hub
	name   string
	engine *enginetest.MemoryEngine
	clock  *jumpingClock

	ended atomic.Bool

	paused, cut, held, slow bool
	disturbed               time.Time // when its last fault ended; the present moment while it has one
}

// faults reports whether the node cannot do its work now.
func (n *clusterNode) faults() bool { return n.paused || n.cut || n.held || n.slow }

// start starts a node.
func (s *clusterSim) start() {
	s.started++
	n := &clusterNode{
		name: fmt.Sprintf("node-%d", s.started), engine: s.store.Engine(), clock: &jumpingClock{start: time.Now()}, disturbed: time.Now(),
	}
	s.note("start %s", n.name)
	n.Hub = room.NewHub(&room.Options{
		Engine: n.engine, Cluster: "test", Node: n.name, Clock: n.clock, Authorize: s.authorize, HistoryEvents: 8,
	})
	s.nodes = append(s.nodes, n)
}

// forget removes a node that has ended. The doubts that it had about its events end with it.
func (s *clusterSim) forget(n *clusterNode) {
	s.nodes = slices.DeleteFunc(s.nodes, func(o *clusterNode) bool { return o == n })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.node == n && e.status != eventStored && e.status != eventRefused {
			e.excused = true
		}
	}
}

// crash ends a node without a word to the other nodes, and to its clients.
func (s *clusterSim) crash(n *clusterNode) {
	s.note("crash %s", n.name)
	for _, c := range s.clients {
		if c.node == n {
			s.drop(c)
		}
	}
	n.ended.Store(true)
	_ = n.engine.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.Shutdown(ctx) // its error is that of ctx
	s.forget(n)
}

// shutdown ends a node that has no fault, as a deploy does.
func (s *clusterSim) shutdown(n *clusterNode) {
	s.note("shut down %s", n.name)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := n.Shutdown(ctx); err != nil {
		s.fail("C5: Shutdown of %s: %v", n.name, err)
	}
	synctest.Wait()
	for _, c := range s.clients {
		if c.node == n {
			s.receiveAll(c)
		}
	}
	s.forget(n)
}

// mend ends all faults of a node.
func (n *clusterNode) mend() {
	if n.faults() {
		n.disturbed = time.Now()
	}
	n.engine.Resume()
	n.engine.Heal()
	n.engine.ReleaseTail()
	n.engine.SetDelay(0, 0)
	n.engine.Unstall()
	n.paused, n.cut, n.held, n.slow = false, false, false, false
}

// breakNode gives a node a fault.
func (s *clusterSim) breakNode() {
	n := pick(s.rnd, s.nodes)
	switch s.rnd.IntN(8) {
	case 0, 1:
		s.note("pause %s", n.name)
		n.paused = true
		n.engine.Pause()
	case 2:
		s.note("cut %s", n.name)
		n.cut = true
		n.engine.Cut()
	case 3:
		s.note("cut the answers to %s", n.name)
		n.cut = true
		n.engine.CutAnswers()
	case 4:
		s.note("hold the records for %s", n.name)
		n.held = true
		n.engine.HoldTail()
	case 5:
		request, answer := time.Duration(s.rnd.IntN(9000))*time.Millisecond, time.Duration(s.rnd.IntN(9000))*time.Millisecond
		s.note("delay %s by %v and %v", n.name, request, answer)
		n.slow = true
		n.engine.SetDelay(request, answer)
	case 6:
		d := pick(s.rnd, []time.Duration{-time.Hour, -3 * time.Second, time.Second, 3 * time.Second, time.Hour})
		s.note("clock of %s jumps by %v", n.name, d)
		n.clock.jump.Add(int64(d))
		n.disturbed = time.Now()
	case 7:
		s.note("hold up the next record of %s", n.name)
		s.stalled = append(s.stalled, n.engine.Stall())
	}
}

func (s *clusterSim) mendNode() {
	broken := slices.DeleteFunc(slices.Clone(s.nodes), func(n *clusterNode) bool { return !n.faults() })
	if len(broken) == 0 {
		return
	}
	n := pick(s.rnd, broken)
	s.note("mend %s", n.name)
	n.mend()
}

// mendPublish delivers the records that are held up, or loses them.
func (s *clusterSim) mendPublish() {
	for _, held := range s.stalled {
		deliver := s.rnd.IntN(2) == 0
		s.note("deliver what was held up: %v", deliver)
		if deliver && held.Held() {
			held.Deliver()
		}
	}
	s.stalled = nil
}

// replaceNode crashes or restarts a node, or adds one.
func (s *clusterSim) replaceNode() {
	n := pick(s.rnd, s.nodes)
	what := s.rnd.IntN(4)
	switch {
	case len(s.nodes) < 2 || what == 0 && len(s.nodes) < 4:
		s.start()
	case what == 1:
		s.crash(n)
	case what == 2 && !n.faults() && time.Since(n.disturbed) > callTime && time.Since(s.disturbed) > callTime:
		s.start()
		s.shutdown(n)
	default:
		s.crash(n)
		s.start()
	}
}
