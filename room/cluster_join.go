package room

import (
	"math"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// What a join of a client waits for on a node of a cluster.

const (
	gateTimeout  = 5 * time.Second // how long a join waits for the gate
	aheadTimeout = 2 * time.Second // how long a join waits for the position of its client
)

// admit waits until a join can be answered: until the gate is open, and the node has applied what
// its client has. It reports false if the node is not ready.
func (c *cluster) admit(since *protocol.Position) bool {
	if !c.awaitGate() {
		return false
	}
	if since != nil && since.Epoch == c.timeline.current() {
		c.awaitApplied(since.Seq)
	}
	return true
}

// awaitGate waits until the gate is open, but not longer than gateTimeout. It reports whether it
// is.
func (c *cluster) awaitGate() bool {
	if c.gate.open() {
		return true
	}
	t := time.NewTimer(gateTimeout)
	defer t.Stop()
	for {
		c.mu.Lock()
		change := c.nextChangeLocked()
		c.mu.Unlock()
		if c.gate.open() {
			return true
		}
		select {
		case <-change:
		case <-t.C:
			return c.gate.open()
		case <-c.ctx.Done():
			return false
		}
	}
}

// awaitApplied waits until the record with that seq is applied, but not longer than aheadTimeout.
func (c *cluster) awaitApplied(seq uint64) {
	if c.timeline.applied.Load() >= seq {
		return
	}
	arrived := make(chan struct{})
	c.mu.Lock()
	if c.joins == nil {
		c.joins = make(map[chan struct{}]uint64)
	}
	c.joins[arrived] = seq
	c.nearest.Store(min(c.nearest.Load(), seq))
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.joins, arrived)
		c.mu.Unlock()
	}()
	if c.timeline.applied.Load() >= seq {
		return // while nearest was higher
	}
	t := time.NewTimer(aheadTimeout)
	defer t.Stop()
	select {
	case <-arrived:
	case <-t.C:
	case <-c.ctx.Done():
	}
}

// wakeJoins wakes the joins that wait for a record up to applied. The others sleep on: clients may
// have named any position.
func (c *cluster) wakeJoins(applied uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	nearest := uint64(math.MaxUint64)
	for arrived, seq := range c.joins {
		if seq > applied {
			nearest = min(nearest, seq)
			continue
		}
		close(arrived)
		delete(c.joins, arrived)
	}
	c.nearest.Store(nearest)
}
