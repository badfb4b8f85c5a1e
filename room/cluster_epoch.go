package room

import (
	"context"

	"github.com/planrooms/planrooms/room/internal/record"
)

// How the nodes agree on the epoch of the log.
//
// The hubs' epoch is that of the positions of clients. It is not Window.Epoch, which the engine
// gives, and which ends with ErrEpoch. An epoch record begins an epoch, node records repeat its name
// and the seq of that record. A node that reads the log from its middle learns the epoch from them:
// it is the one that began last, however late the records of nodes were stored. A node may begin a
// tenure when it has settled that the log has lost nothing in the epoch:
//
//   - the engine knows that (Opened.Complete), or
//   - another node is alive that has a tenure, and so knows.
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
			c.own.End() // the next tenure has a record of this epoch
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
	}
	c.sure, c.stale = true, max(c.stale, c.since)
	c.changedLocked()
	c.mu.Unlock()
	if adopt {
		c.replica.adopt(n.Epoch)
	}
}

// anyEpoch is record.Epoch.Old of a node that does not know the current epoch: the record ends any.
// No epoch has this name.
const anyEpoch = "*"

// applyEpoch applies the beginning of an epoch, unless an earlier record has ended the epoch that
// this one names as the old one. If the start of the log is gone, the node does not know whether
// there was an earlier one: it applies the first record for each old epoch, until a node record
// names the current one.
func (c *cluster) applyEpoch(e *record.Epoch, seq uint64) {
	c.mu.Lock()
	late := c.sure && c.epoch != e.Old || !c.sure && c.begun && c.before == e.Old
	if late && e.Old != anyEpoch {
		c.mu.Unlock()
		return
	}
	c.epoch, c.since, c.before, c.begun = e.New, seq, e.Old, true
	if c.sure = c.sure || e.Old == anyEpoch; c.sure {
		c.stale = seq
	} else {
		c.stale = max(c.stale, e.Since)
	}
	if seq > c.log.opened.Window.Last || e.By == c.log.node {
		// The record is newer than the loss that this node may have found. Whatever the log had
		// lost before, no client has a position of this epoch from then.
		c.log.lost, c.log.opened.Complete = false, true
		c.peers.Doubt() // the lost part may have had records of nodes that have not noticed
	}
	if c.lapsedLocked(); c.lapse.missed {
		c.endTenureLocked() // nothing is written before reconnect has closed the connections
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
	if !s.lost && (!c.sure || c.epoch != "" && !s.opened.Complete) {
		live := c.othersLiveLocked()
		// Two lists show whether a number grows; without other notes, one list is enough.
		unclear := s.looked == 0 || c.now().Mono-s.looked < int64(3*beatEvery) && len(s.numbers) > 0
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
		e.Old = anyEpoch
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
