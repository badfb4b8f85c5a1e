package room

import (
	"context"

	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/internal/tenure"
)

// How the nodes agree on the epoch of the log.
//
// The hubs' epoch is that of the positions of clients. It is not Window.Epoch, which the engine
// gives, and which ends with ErrEpoch. An epoch record begins an epoch; node records repeat its
// name and the seq of that record. A node that reads the log from its middle learns the epoch from
// them: it is the one that began last, however late the records of nodes were stored. A node may
// begin a tenure when it has settled that the log has lost nothing in the epoch:
//
//   - the engine knows that (Opened.Complete), or
//   - another node is alive that has a tenure, and so knows: it has stored a note since this node
//     has read the log. One that was alive before may have been the only one to know of a loss.
//
// Otherwise it appends an epoch record. Of several that end the same epoch, the first counts. A
// node that does not know the current epoch, and finds no other node that does, ends any epoch.

// applyNode applies the record of a node. Calls that end access wait for the node from here on.
func (c *cluster) applyNode(n *record.NodeRecord, seq uint64) {
	c.mu.Lock()
	own := n.Name == c.log.node
	// A record that was stored late may name an epoch that has ended, or one of a log that is gone.
	stale := n.Since <= c.stale || n.Since >= seq
	if c.epoch != n.Epoch && stale {
		if own {
			c.endLocked() // the next tenure has a record of this epoch
		}
		c.mu.Unlock()
		return
	}
	c.peers.Recorded(n.Name, n.Tenure, seq)
	if !own && !c.peers.Ended(n.Name) {
		defer c.rosters.add(n.Name) // without the lock of c
	}
	if own {
		c.opening = ownRecord{n.Tenure, seq}
		c.openGateLocked()
	}
	adopt := c.epoch != n.Epoch
	if adopt {
		c.epoch, c.since, c.begun = n.Epoch, n.Since, false
		if !own {
			// Its record names another epoch: nodes that know this one do not wait for it.
			c.endLocked()
		}
	}
	c.sure, c.stale = true, max(c.stale, c.since)
	c.changedLocked()
	c.mu.Unlock()
	if adopt {
		c.replica.adopt(n.Epoch)
	}
}

// anyEpoch is record.Epoch.Old of a node that does not know the current epoch: the record ends any
// that began up to record.Epoch.Since. No epoch has this name.
const anyEpoch = "*"

// applyEpoch applies the beginning of an epoch, unless an earlier record has ended the epoch that
// this one names as the old one, or another epoch has begun since a node sent it that knew none. If
// the start of the log is gone, the node does not know whether there was an earlier one: it applies
// the first record for each old epoch, until a node record names the current one.
func (c *cluster) applyEpoch(e *record.Epoch, seq uint64) {
	c.mu.Lock()
	late := c.sure && c.epoch != e.Old || !c.sure && c.begun && c.before == e.Old
	if e.Old == anyEpoch {
		late = e.Since < c.stale // another epoch has begun since the node sent it
	}
	if late {
		c.mu.Unlock()
		return
	}
	c.epoch, c.since, c.before, c.begun = e.New, seq, e.Old, true
	// With anyEpoch, the epoch is the current one unless another began that this node has not read.
	if c.sure = c.sure || e.Old == anyEpoch && e.Since >= c.floor; c.sure {
		c.stale = seq
	} else {
		c.stale = max(c.stale, e.Since)
	}
	opened := &c.log.opened
	newer := seq > opened.Window.Last
	if end := &c.log.end; end.short() && seq > end.last {
		newer = true
		opened.Window.Last = min(opened.Window.Last, seq) // what Open has shown behind it is lost
	}
	if newer {
		c.log.end = logEnd{seen: seq}
	}
	if newer || e.By == c.log.node {
		// The record is newer than the loss that this node may have found. Whatever the log had
		// lost before, no client has a position of this epoch from then.
		c.log.lost, opened.Complete = false, true
		c.peers.Doubt() // the lost part may have had records of nodes that have not noticed
	}
	// A loss that precedes the start of this node does not count, nor the first epoch of a log.
	if (newer || e.By == c.log.node) && e.Old != "" || c.lapse.closed {
		c.lapsedLocked()
	}
	if c.lapse.missed {
		c.endLocked() // nothing is written before reconnect has closed the connections
	}
	c.controls.resetLocked()
	c.changedLocked()
	c.mu.Unlock()
	c.replica.reset(e.New, seq)
	c.reconnect()
}

// caughtUp is called when the node has applied what the log held when it was opened, or read again.
// In a goroutine it calls settle until the epoch is settled.
func (c *cluster) caughtUp(ctx context.Context) {
	c.mu.Lock()
	c.log.lists = 0
	clear(c.log.numbers)
	clear(c.log.alive)
	if !c.log.lost && c.inDoubtLocked() {
		select {
		case c.beatNow <- struct{}{}:
		default:
		}
	}
	c.mu.Unlock()
	c.start(func() {
		for ctx.Err() == nil && !c.settle(ctx) {
			c.sleep(beatEvery / 10)
		}
	})
}

// settle settles the epoch, or begins another one. It returns false if it has to be called again.
func (c *cluster) settle(ctx context.Context) bool {
	c.mu.Lock()
	s := &c.log
	if s.settled {
		c.mu.Unlock()
		return true
	}
	if c.timeline.applied.Load() < s.opened.Window.Last {
		c.mu.Unlock()
		return true // resetTo was called meanwhile, so caughtUp will be called again
	}
	if !s.lost && c.inDoubtLocked() {
		live := c.othersLiveLocked()
		// Several lists show whether a number grows; without other notes, one list is enough.
		unclear := s.lists == 0 || s.lists < fewestLists && len(s.numbers) > 0
		if !live && unclear || live && !c.sure { // a record of the live node will name the epoch
			c.mu.Unlock()
			return false
		}
		s.lost = !live
	}
	if c.epoch != "" && c.sure && !s.lost {
		s.settled = true
		c.changedLocked()
		c.mu.Unlock()
		return true
	}
	e := record.Epoch{Old: c.epoch, Since: c.since, New: newEpoch(), By: s.node}
	if !c.sure {
		e.Old, e.Since = anyEpoch, c.timeline.applied.Load()
	}
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, c.ownAppend())
	defer cancel()
	seq, err := c.engine.Append(ctx, c.id(), c.record(record.KindEpoch, "", e.Append(nil)))
	if err != nil {
		c.logs.warn("engine", "epoch", "room: a new epoch cannot be stored in the log", "error", err)
		return false
	}
	c.awaitApplied(seq)
	return false
}

// fewestLists is how many lists have to show that no other node stores notes. Lists count, not
// time: while the engine elects a leader, no node can store any. If the engine answers this node
// alone, the node begins an epoch although others are alive; that costs the clients a load. To wait
// for nodeTTL would hold up each start after a crash of all nodes.
const fewestLists = 4

// inDoubtLocked reports whether other nodes have to show that the epoch is known, and that the log
// has lost nothing in it.
func (c *cluster) inDoubtLocked() bool {
	return !c.sure || c.epoch != "" && !c.log.opened.Complete
}

// listedLocked takes a complete list: it shows which other nodes are alive.
func (c *cluster) listedLocked(l *tenure.List) {
	s := &c.log
	s.lists++
	for i := range l.Nodes {
		n := &l.Nodes[i]
		if n.Name == s.node {
			continue
		}
		seen, ok := s.numbers[n.Name]
		s.numbers[n.Name] = n.Number
		switch {
		case n.Tenure == 0 || n.Shut || n.Silent:
			delete(s.alive, n.Name)
		case ok && seen != n.Number:
			s.alive[n.Name] = l.Answered
		}
	}
}

// othersLiveLocked reports whether another node is alive that has a tenure, and so knows the
// epoch, and whether the log has lost anything.
func (c *cluster) othersLiveLocked() bool {
	now := c.now().Mono
	for _, at := range c.log.alive {
		if now-at < int64(nodeTTL) {
			return true
		}
	}
	return false
}
