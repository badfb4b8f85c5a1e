package room

import (
	"context"
	"errors"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/internal/tenure"
)

// beats stores the note of this node once a beat until ctx ends. It ends the session, by cancel, if
// the log is another one.
func (c *cluster) beats(ctx context.Context, cancel context.CancelCauseFunc, node string) {
	t := time.NewTicker(c.timing.beat)
	defer t.Stop()
	for {
		if err := c.beat(ctx, node); errors.Is(err, ErrEpoch) {
			cancel(ErrEpoch)
			return
		} else if err != nil && ctx.Err() == nil {
			c.logs.warn("engine", "beat", "room: the engine does not answer", "error", err)
		}
		c.shareLists()
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// beat calls Engine.Beat once, and draws the conclusions: the tenure of this node, who is gone, and
// whether this node lags.
func (c *cluster) beat(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(ctx, c.timing.ttl)
	defer cancel()
	sent := c.now()
	nodes, w, err := c.engine.Beat(ctx, c.note())
	if err != nil {
		return err
	}
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.log
	if s.node != node {
		return nil
	}
	if w.Epoch != s.opened.Window.Epoch {
		return ErrEpoch
	}
	l := tenure.List{Asked: sent.Mono, Answered: now.Mono}
	for _, n := range nodes {
		own := n.Name == s.node
		if own {
			l.Complete = n.Number > s.beats
			s.beats = max(s.beats, n.Number)
		}
		hash, note, err := record.ParseNote(n.Note)
		if err != nil || hash != c.hash {
			continue
		}
		l.Nodes = append(l.Nodes, tenure.Listed{
			Name: n.Name, Number: n.Number, Tenure: note.Tenure, Shut: note.Shut, Silent: note.Silent,
			Fenced: note.Fenced, SameEpoch: note.Epoch == c.epoch && c.epoch != "",
		})
		c.sawLocked(n.Name, n.Number, &note, c.clock.Wall())
		if own {
			continue
		}
		seen, ok := s.numbers[n.Name]
		s.numbers[n.Name] = n.Number
		switch {
		case note.Tenure == 0 || note.Shut || note.Silent:
			delete(s.alive, n.Name)
		case ok && seen != n.Number:
			s.alive[n.Name] = now.Mono
		}
	}
	if l.Complete { // not from a store that lags
		c.forgetSeenLocked(nodes)
		s.first, s.last = w.First, w.Last // both are lower than before if the log has lost records
		if s.looked == 0 {
			s.looked = now.Mono
		}
	} else {
		s.first, s.last = max(s.first, w.First), max(s.last, w.Last)
	}
	c.limitLocked(w.MaxRecord)
	late := c.lagsLocked(now.Mono)
	if s.settled && !c.leaving && !late && c.own.Answered(sent, now) {
		c.recordLocked(now.Mono)
	}
	l.Judge = c.own.Live(now.Mono)
	c.peers.Listed(l)
	c.peers.Forget(s.first)
	c.setGateLocked()
	if c.own.Live(now.Mono) && c.recordDueLocked(now.Mono) {
		c.recordLocked(now.Mono)
	}
	c.changedLocked()
	return nil
}

// limitLocked takes the size of the largest record from a beat; 0: the engine does not know it.
func (c *cluster) limitLocked(maxRecord int) {
	was := c.log.opened.MaxRecord
	if maxRecord == 0 || maxRecord == was {
		return
	}
	c.log.opened.MaxRecord = maxRecord
	if err := c.fits(maxRecord); err != nil {
		c.start(func() { // not under the lock
			c.logs.warn("engine", "limit", "room: the engine does not store the largest events any more", "error", err)
		})
	}
}

// note is what this node tells the others now.
func (c *cluster) note() []byte {
	presence := c.rosters.number()
	c.mu.Lock()
	defer c.mu.Unlock()
	// A tenure that has passed counts as ended, too: the note may arrive although no answer comes
	// back, and would then tell the others that the node is alive.
	shut := c.own.Ended() || !c.own.Live(c.now().Mono)
	n := record.Note{
		Version: record.Version, Tenure: c.own.Number(), Shut: shut, Silent: c.leaving, Ready: c.gate.open(), Epoch: c.epoch,
		Applied: c.timeline.applied.Load(), Last: c.log.last, Presence: presence, Host: c.host,
	}
	n.Fenced = c.controls.throughLocked(n.Applied)
	return record.AppendNote(nil, c.hash, &n)
}

// lagsLocked ends the tenure of a node that has not applied, within ttl, the Last that a beat has
// shown. It reports whether the node still lags so far.
func (c *cluster) lagsLocked(now int64) bool {
	s, applied := &c.log, c.timeline.applied.Load()
	switch {
	case applied >= s.last:
		s.goal = 0
	case applied >= s.goal, s.goal > s.last: // another one: the node reads on, or the log is shorter
		s.goal, s.goalAt = s.last, now
	}
	if s.goal == 0 || now-s.goalAt < int64(c.timing.ttl) {
		return false
	}
	if c.own.Live(now) {
		c.own.End()
		last := s.last
		c.start(func() { // not under the lock
			c.logger.Warn("room: the node lags behind the log, and does not write to clients until it has caught up", "applied", applied, "last", last)
		})
	}
	return true
}

// setGateLocked opens the gate as far as the tenure allows.
func (c *cluster) setGateLocked() {
	c.own.Check(c.now())
	until := c.own.Until(c.log.first)
	if c.leaving {
		until = 0
	}
	c.gate.set(until)
}

// openGateLocked follows the record of an own tenure, and the end of the work for a record that
// ends access: the gate opens when all that precedes the record of the tenure is done. The other
// nodes do not wait for this one to do it.
func (c *cluster) openGateLocked() {
	if o := c.opening; o.seq > 0 && c.controls.throughLocked(o.seq) >= o.seq {
		c.opening = ownRecord{}
		c.own.Recorded(o.tenure, o.seq)
		c.setGateLocked()
		c.changedLocked()
	}
}

// shut ends the tenure.
func (c *cluster) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own.End()
	c.setGateLocked()
}

// recordDueLocked reports whether the record of this node has to be appended again, so that nodes
// that read the log from its start find it.
func (c *cluster) recordDueLocked(now int64) bool {
	s, at, since := &c.log, c.own.RecordedAt(), now-c.log.recorded
	switch {
	case at == 0:
		return false
	case at < s.first: // the gate is shut for it
		return since >= int64(c.timing.beat)
	case since < int64(c.timing.ttl):
		return false
	}
	old := s.first > 1 && s.last-s.first >= 64 && at < s.first+(s.last-s.first)/2
	return old || since >= int64(c.historyAge/3)
}

// recordLocked appends the record of this node, in a goroutine: its tenure begins to count when it
// has been applied.
func (c *cluster) recordLocked(now int64) {
	s := &c.log
	s.recorded = now
	n := record.NodeRecord{Name: s.node, Tenure: c.own.Number(), Epoch: c.epoch, Versions: record.Version}
	c.start(func() {
		ctx, cancel := context.WithTimeout(c.ctx, c.timing.ttl)
		defer cancel()
		if _, err := c.engine.Append(ctx, c.id(), c.record(record.KindNode, "", n.Append(nil))); err != nil && c.ctx.Err() == nil {
			c.logs.warn("engine", "node", "room: the record of this node cannot be stored in the log", "error", err)
			c.mu.Lock()
			if c.log.node == n.Name && c.own.Number() == n.Tenure && c.own.RecordedAt() == 0 {
				c.own.End() // so that the next beat begins another tenure, with its record
			}
			c.mu.Unlock()
		}
	})
}

// watch looks at the gate once a beat until the cluster ends, also while the engine does not
// return.
func (c *cluster) watch() {
	for c.ctx.Err() == nil {
		c.look()
		c.sleep(c.timing.beat)
	}
}

// look closes all connections of a node that has had no tenure for so long that another node is
// probably better off.
func (c *cluster) look() {
	c.mu.Lock()
	s, now := &c.log, c.now().Mono
	open := c.gate.open()
	switch {
	case open:
		s.dark = 0
	case s.dark == 0:
		s.dark = now
	}
	scatter := !open && now-s.dark >= int64(darkAfter) && (s.darkened == 0 || now-s.darkened >= int64(darkEvery)) && !c.leaving
	if scatter {
		s.darkened = now
	}
	c.mu.Unlock()
	if scatter {
		c.logger.Error("room: no tenure for a long time; all connections are closed, so that the clients connect to another node")
		c.replica.scatter(darkSpread)
	}
}

// shareLists passes the rosters what the last list of notes says. Nodes are not dropped before this
// node has had the time to find out who is present.
func (c *cluster) shareLists() {
	c.mu.Lock()
	node, present, said := c.log.node, c.peers.Present(), make(map[string]uint64, len(c.seen))
	for name, s := range c.seen {
		said[name] = s.note.Presence
	}
	complete := c.log.settled && c.now().Mono-c.peered >= int64(c.timing.ttl)
	c.mu.Unlock()
	c.rosters.beat(node, present, said, complete)
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
