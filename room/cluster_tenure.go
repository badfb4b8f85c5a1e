package room

import (
	"context"

	"github.com/planrooms/planrooms/room/internal/record"
)

// The tenure of this node: its record in the log, when it opens the gate, and when the node ends it
// early. Package tenure has the rules.

// setGateLocked opens the gate until the end of the tenure, or shuts it. It is called whenever the
// tenure has changed. If that has ended before its time, writes may be under way with a deadline
// that is seconds away: only when these have ended, the notes say that the tenure has ended, or
// another one begins. Until then, the other nodes wait for this one.
func (c *cluster) setGateLocked() {
	now := c.now()
	c.own.Check(now)
	if pass := c.own.Pass(c.log.first); c.leaving || !pass.Open(now) {
		c.gate.set(nil)
	} else {
		c.gate.set(&pass)
	}
	if c.ending || !c.own.Writes(now.Mono) {
		return
	}
	c.ending = true
	node, number := c.log.node, c.own.Number()
	c.start(func() {
		c.replica.endWrites()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ending = false
		if c.log.node == node { // otherwise Open was called meanwhile, and own is that of another name
			c.own.WritesEnded(number)
		}
		c.setGateLocked()
	})
}

// endLocked ends the tenure, and with it the gate.
func (c *cluster) endLocked() {
	c.own.End()
	c.setGateLocked()
}

// openGateLocked opens the gate if the node has applied the record of its tenure, and has done all
// work for the records that end access and precede it: the other nodes do not wait for this work.
// It is called when either may have become true.
func (c *cluster) openGateLocked() {
	if o := c.opening; o.seq > 0 && c.controls.throughLocked(o.seq) >= o.seq {
		c.opening = ownRecord{}
		c.own.Recorded(o.tenure, o.seq)
		c.setGateLocked()
		c.changedLocked()
	}
}

// shut ends the tenure, and with it the gate, because the log has to be read again. Until it has
// been, a beat that is under way begins no other tenure.
func (c *cluster) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log.settled = false
	c.lapsedLocked()
	if left := c.gate.left(); left > 0 {
		c.lapse.excused = c.now().Mono + int64(left)
	}
	c.endLocked()
}

// lagsLocked ends the tenure of a node that has not applied, within ttl, the Last that a beat has
// shown. It reports whether the node still lags so far.
func (c *cluster) lagsLocked(now int64) bool {
	s, applied := &c.log, c.timeline.applied.Load()
	switch {
	case applied >= s.last:
		s.goal = 0
	case applied >= s.goal, s.goal > s.last:
		// The node has reached the goal, or the log has become shorter: another goal.
		s.goal, s.goalAt = s.last, now
	}
	if s.goal == 0 || now-s.goalAt < int64(nodeTTL) {
		return false
	}
	if c.own.Live(now) {
		c.endLocked()
		last := s.last
		c.start(func() { // not under the lock
			c.logger.Warn("room: the node lags behind the log, and does not write to clients until it has caught up",
				"applied", applied, "last", last)
		})
	}
	return true
}

// recordDueLocked reports whether the record of this node has to be appended again, so that nodes
// that read the log from its start find it.
func (c *cluster) recordDueLocked(now int64) bool {
	s, at, since := &c.log, c.own.RecordedAt(), now-c.log.recorded
	switch {
	case at == 0:
		return false
	case at < s.first: // so the gate is shut; see tenure.Own.Until
		return since >= int64(beatEvery)
	case since < int64(nodeTTL):
		return false
	}
	// In the older half of a log that has some records: the limits of the log may soon remove it.
	old := s.first > 1 && s.last-s.first >= 64 && at < s.first+(s.last-s.first)/2
	return old || since >= int64(c.historyAge/3)
}

// recordLocked appends the record of this node, in a goroutine. The gate opens when the node has
// applied it.
func (c *cluster) recordLocked(now int64) {
	s := &c.log
	s.recorded = now
	n := record.NodeRecord{Name: s.node, Tenure: c.own.Number(), Epoch: c.epoch, Since: c.since, Versions: record.Version}
	c.start(func() {
		ctx, cancel := context.WithTimeout(c.ctx, nodeTTL)
		defer cancel()
		if _, err := c.engine.Append(ctx, c.id(), c.record(record.KindNode, "", n.Append(nil))); err != nil && c.ctx.Err() == nil {
			c.logs.warn("engine", "node", "room: the record of this node cannot be stored in the log", "error", err)
			c.mu.Lock()
			if c.log.node == n.Name && c.own.Number() == n.Tenure && c.own.RecordedAt() == 0 {
				c.endLocked() // so that the next beat begins another tenure, with its record
			}
			c.mu.Unlock()
		}
	})
}
