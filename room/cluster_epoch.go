package room

import (
	"context"

	"github.com/planrooms/planrooms/room/internal/record"
)

// How the nodes agree on the epoch of the log: records name it, and a node that cannot know that the
// log has lost nothing begins another one.

// applyNode applies the record of a node: from here on, it has to apply what ends access before it
// counts as done.
func (c *cluster) applyNode(n *record.NodeRecord, seq uint64) {
	c.mu.Lock()
	own := n.Name == c.log.node
	if c.epoch != n.Epoch && c.begun && (c.sure || n.Epoch == c.before) {
		if own {
			c.own.End() // the next tenure has a record of this epoch
		}
		c.mu.Unlock() // stored late, behind the beginning of the epoch
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
	c.epoch, c.begun, c.sure = n.Epoch, c.begun && !adopt, true
	c.changedLocked()
	c.mu.Unlock()
	if adopt {
		c.replica.adopt(n.Epoch)
	}
}

// anyEpoch is what the record of a new epoch ends if its node does not know the current one. No
// epoch has this name.
const anyEpoch = "*"

// applyEpoch applies the beginning of an epoch, unless another record has ended the epoch that it
// names before. If the records before the window are gone, this node cannot tell whether that has
// happened: it takes the first record for each epoch, until a node record names the current one.
func (c *cluster) applyEpoch(e *record.Epoch, seq uint64) {
	c.mu.Lock()
	late := c.sure && c.epoch != e.Old || !c.sure && c.begun && c.before == e.Old
	if late && e.Old != anyEpoch {
		c.mu.Unlock()
		return
	}
	c.epoch, c.before, c.begun, c.sure = e.New, e.Old, true, c.sure || e.Old == anyEpoch
	if seq > c.log.opened.Window.Last || e.By == c.log.node {
		// A node has noticed what this one has noticed, too: whatever the log had lost before, no
		// client has a position of this epoch from then.
		c.log.lost, c.log.opened.Complete = false, true
		c.peers.Doubt() // the lost part may have had records of nodes that have not noticed
	}
	c.controls.resetLocked()
	c.changedLocked()
	c.mu.Unlock()
	c.replica.reset(e.New, seq)
}

// caughtUp follows the replay of what the log held when it was opened: the node may begin a tenure
// once the epoch is settled.
func (c *cluster) caughtUp(ctx context.Context) {
	c.start(func() {
		for ctx.Err() == nil && !c.settle(ctx) {
			c.sleep(beatEvery / 10)
		}
	})
}

// settle makes sure that the log has lost nothing in its epoch, and begins another one otherwise.
// It reports false if that is not known yet.
func (c *cluster) settle(ctx context.Context) bool {
	c.mu.Lock()
	s := &c.log
	if s.settled {
		c.mu.Unlock()
		return true
	}
	if c.timeline.applied.Load() < s.opened.Window.Last {
		c.mu.Unlock()
		return true // it was reset meanwhile, and caughtUp is called again
	}
	if !s.lost && (!c.sure || c.epoch != "" && !s.opened.Complete) {
		live := c.othersLiveLocked()
		if !c.sure && live || !live && (s.looked == 0 || c.now().Mono-s.looked < int64(3*beatEvery) && len(s.numbers) > 0) {
			c.mu.Unlock()
			return false // the next lists show who is alive, and a record of a live node names the epoch
		}
		s.lost = !live
	}
	if c.epoch != "" && c.sure && !s.lost {
		s.settled, c.begun = true, true
		c.changedLocked()
		c.mu.Unlock()
		return true
	}
	e := record.Epoch{Old: c.epoch, New: newEpoch(), By: s.node}
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
