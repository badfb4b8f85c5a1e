package room

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// gate says whether a node of a cluster may write what belongs to plans: entries, remainders of
// them, and answers to joins. Outlets ask it before each write. The gate shuts when the tenure of
// the node ends, without a call of set: so the other nodes know when a node that has stopped no
// longer writes. Pings, pongs, errors and goodbye do not ask it. A nil gate, of a hub without an
// engine, is always open. Methods may be called concurrently.
type gate struct {
	clock func() int64 // monotonic; fixed at creation
	start func(func()) // starts a goroutine of the hub; fixed at creation

	until atomic.Int64 // when it shuts, in nanoseconds by clock; 0: it is shut

	mu      sync.Mutex           // guards the following; taken last
	waiting map[*outlet]struct{} // outlets that have something to write
}

// open reports whether the gate is open.
func (g *gate) open() bool { return g == nil || g.clock() < g.until.Load() }

// left returns how long the gate stays open unless set extends that. It is not positive if the gate
// is shut.
func (g *gate) left() time.Duration {
	if g == nil {
		return math.MaxInt64
	}
	return time.Duration(g.until.Load() - g.clock())
}

// wait registers o: set calls o.start when the gate opens. It reports false if the gate is open.
func (g *gate) wait(o *outlet) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open() {
		return false
	}
	if g.waiting == nil {
		g.waiting = make(map[*outlet]struct{})
	}
	g.waiting[o] = struct{}{}
	return true
}

// forget removes an outlet that has ended.
func (g *gate) forget(o *outlet) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.waiting, o)
}

// set opens the gate until a moment, or shuts it with 0. When it opens, one goroutine starts the
// outlets that wait, one after the other.
func (g *gate) set(until int64) {
	g.mu.Lock()
	g.until.Store(until)
	if len(g.waiting) == 0 || !g.open() {
		g.mu.Unlock()
		return
	}
	waiting := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	g.start(func() {
		for o := range waiting {
			o.start()
		}
	})
}
