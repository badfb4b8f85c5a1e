package room

import (
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
		turn := c.turnLocked()
		c.mu.Unlock()
		if c.gate.open() {
			return true
		}
		select {
		case <-turn:
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
	c.waiting.Add(1)
	defer c.waiting.Add(-1)
	t := time.NewTimer(aheadTimeout)
	defer t.Stop()
	for {
		c.mu.Lock()
		if c.timeline.applied.Load() >= seq {
			c.mu.Unlock()
			return
		}
		if c.arrived == nil {
			c.arrived = make(chan struct{})
		}
		arrived := c.arrived
		c.mu.Unlock()
		select {
		case <-arrived:
		case <-t.C:
			return
		case <-c.ctx.Done():
			return
		}
	}
}
