package room

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/room/internal/tenure"
)

// gate says whether a node of a cluster may write what belongs to plans: entries, remainders of
// them, and replies about a plan, such as the answer to a join. Outlets ask it before each write.
// The gate shuts when the time of the tenure has passed, or when the machine was suspended, without
// a call of set: so the other nodes know when a node that has stopped no longer writes. The pings
// and pongs of the transport and the end of a connection do not ask it. Nor do replies without a
// plan, but replies are written in order: one of them waits behind a reply about a plan. A nil
// gate, of a hub without an engine, is always open. Methods may be called concurrently.
type gate struct {
	clock func() tenure.Moment // fixed at creation
	start func(func())         // starts a goroutine of the hub; fixed at creation

	pass atomic.Pointer[tenure.Pass] // nil: it is shut

	mu      sync.Mutex           // guards the following; taken last
	waiting map[*outlet]struct{} // outlets that have something to write
}

// open reports whether the gate is open.
func (g *gate) open() bool {
	if g == nil {
		return true
	}
	p := g.pass.Load()
	return p != nil && p.Open(g.clock())
}

// left returns how long the gate stays open unless set extends that. It is not positive if the gate
// is shut.
func (g *gate) left() time.Duration {
	if g == nil {
		return math.MaxInt64
	}
	p := g.pass.Load()
	if p == nil {
		return 0
	}
	return time.Duration(p.Left(g.clock()))
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

// set opens the gate as far as p says, or shuts it with nil. When it opens, one goroutine starts
// the outlets that wait, one after the other.
func (g *gate) set(p *tenure.Pass) {
	g.mu.Lock()
	g.pass.Store(p)
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
