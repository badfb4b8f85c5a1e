package room

import (
	"context"
	"errors"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/internal/tenure"
)

// The notes: each node stores one every second, and reads those of all nodes. A field of a note is
// in record.Note; note fills it in, beat reads it, and clusterinfo.go shows it to operators.

// beats calls beat every second until ctx ends. If the log is another one, it cancels ctx with
// ErrEpoch.
func (c *cluster) beats(ctx context.Context, cancel context.CancelCauseFunc, node string) {
	t := time.NewTicker(beatEvery)
	defer t.Stop()
	for {
		err := c.beat(ctx, node)
		c.mu.Lock()
		c.beatErr = err
		c.mu.Unlock()
		if errors.Is(err, ErrEpoch) {
			cancel(ErrEpoch)
			return
		} else if err != nil && ctx.Err() == nil {
			c.logs.warn("engine", "beat", "room: the engine does not answer", "error", err)
		}
		c.shareLists()
		select {
		case <-t.C:
		case <-c.beatNow:
		case <-ctx.Done():
			return
		}
	}
}

// beat calls Engine.Beat once. From the answer follow the tenure of this node, which nodes are
// gone, and whether this node lags. Error: that of Engine.Beat.
func (c *cluster) beat(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(ctx, nodeTTL)
	defer cancel()
	c.mu.Lock()
	epoch := c.epoch
	c.mu.Unlock()
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
	applied := uint64(0) // by another node, in this epoch
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
		sameEpoch := note.Epoch == c.epoch && c.epoch != ""
		l.Nodes = append(l.Nodes, tenure.Listed{
			Name: n.Name, Number: n.Number, Tenure: note.Tenure, Shut: note.Shut, Silent: note.Silent,
			Fenced: note.Fenced, SameEpoch: sameEpoch,
		})
		c.sawLocked(n.Name, n.Number, &note, now.Mono)
		if sameEpoch && !own {
			applied = max(applied, note.Applied)
		}
	}
	if l.Complete { // not from a store that lags
		c.updateSeenLocked(nodes, now.Mono)
		s.first, s.last = w.First, w.Last // both are lower than before if the log has lost records
		c.listedLocked(&l)
	} else {
		s.first, s.last = max(s.first, w.First), max(s.last, w.Last)
	}
	c.setMaxRecordLocked(w.MaxRecord)
	late := c.lagsLocked(now.Mono)
	if l.Complete && epoch == c.epoch {
		s.end.seen = max(s.end.seen, applied)
		if s.end.listed(w.Last, now.Mono) {
			return ErrEpoch
		}
	}
	begins := !late && !s.end.short() || c.own.Live(now.Mono)
	if s.settled && !c.leaving && begins && c.own.Answered(sent, now) {
		c.lapse.overLocked(now.Mono)
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

// setMaxRecordLocked takes the size of the largest record from a beat; 0: the engine does not know
// it.
func (c *cluster) setMaxRecordLocked(maxRecord int) {
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

// note returns the note of this node as it is now.
func (c *cluster) note() []byte {
	presence := c.rosters.number()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setGateLocked() // the machine may have been suspended
	n := record.Note{
		Version: record.Version, Tenure: c.own.Number(), Shut: c.own.Shut(c.now().Mono), Silent: c.leaving, Ready: c.gate.open(), Epoch: c.epoch,
		Applied: c.timeline.applied.Load(), Last: c.log.last, Presence: presence, Host: c.host,
	}
	n.Fenced = c.controls.throughLocked(n.Applied)
	return record.AppendNote(nil, c.hash, &n)
}

// shareLists passes to the rosters which nodes are present, and the numbers in their notes. The
// rosters drop no node before this one has read lists for nodeTTL: it may not know all nodes yet.
func (c *cluster) shareLists() {
	c.mu.Lock()
	node, present, said := c.log.node, c.peers.Present(), make(map[string]uint64, len(c.seen))
	for name, s := range c.seen {
		said[name] = s.note.Presence
	}
	complete := c.log.settled && c.now().Mono-c.peersSince >= int64(nodeTTL)
	c.mu.Unlock()
	c.rosters.beat(node, present, said, complete)
}
