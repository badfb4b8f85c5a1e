package room

import (
	"context"
	"fmt"
	"slices"

	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/internal/tenure"
)

// wait is one call of Revoke, or of a method like it, that waits until all nodes have applied its
// record. Guarded by cluster.mu.
type wait struct {
	lost    bool // the log was reset: the record has to be appended again
	applied bool // by this node
	seq     uint64
	nodes   tenure.Wait
	early   []ack // until it is applied: of any record
	done    bool  // this node has finished
	counts  ackCounts
}

// control appends a record that ends access and waits until no node writes what it forbids any
// more. The result adds up the counts of the nodes that have answered. Errors: those of Append, and
// of ctx if it ends first, with the number of nodes that are unknown.
func (c *cluster) control(ctx context.Context, kind record.Kind, plan string, x record.Control) (counts ackCounts, err error) {
	if err := c.awaitOpen(ctx); err != nil {
		return counts, err
	}
	for {
		counts, again, err := c.controlOnce(ctx, kind, plan, x)
		if !again || err != nil {
			return counts, err
		}
	}
}

// controlOnce is control for one record. again reports that the log was reset, so that the record
// may be gone.
func (c *cluster) controlOnce(ctx context.Context, kind record.Kind, plan string, x record.Control) (counts ackCounts, again bool, err error) {
	w := &wait{}
	x.ID = c.id()
	c.mu.Lock()
	x.Origin = c.log.node
	if c.waits == nil {
		c.waits = make(map[string]*wait)
	}
	c.waits[x.ID] = w
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waits, x.ID)
		c.mu.Unlock()
	}()
	// An end of ctx does not lose the record: the host has ended the access already.
	if _, err := c.append(ctx, x.ID, c.record(kind, plan, x.Append(nil))); err != nil {
		return counts, false, err
	}
	for {
		c.mu.Lock()
		left := w.left(&c.peers, x.Origin)
		counts, again = w.counts, w.lost
		turn := c.turnLocked()
		c.mu.Unlock()
		if again || left == 0 {
			return counts, again, nil
		}
		select {
		case <-turn:
		case <-ctx.Done():
			return counts, false, fmt.Errorf("room: %d nodes may still write what has been forbidden: %w", left, ctx.Err())
		case <-c.ctx.Done():
			return counts, false, ErrHubClosed
		}
	}
}

// left returns for how many nodes w still waits.
func (w *wait) left(p *tenure.Peers, own string) int {
	if !w.applied {
		return 1 + len(p.Present()) // who else has to apply it is known then
	}
	n := len(w.nodes.Over(p, own))
	if !w.done {
		n++
	}
	return n
}

// applyControl applies a record that ends access. What takes long runs beside the log: a connection
// that does not read must not hold up the records that follow.
func (c *cluster) applyControl(h *record.Header, x *record.Control, seq uint64, replay bool) {
	finish := c.replica.begin(h.Kind, h.Plan, x, seq, replay)
	c.mu.Lock()
	w := c.waits[x.ID]
	if w != nil {
		w.applied = true
		w.begin(seq, c.epoch)
		c.changedLocked()
	}
	epoch := c.epoch
	c.fences.begin(seq)
	c.mu.Unlock()
	c.start(func() {
		counts := ackCounts{}
		defer func() { c.finished(x, epoch, seq, counts) }() // deferred: a callback may call runtime.Goexit
		counts = finish()
	})
}

// finished follows the work for a record that ends access: it tells the node that waits.
func (c *cluster) finished(x *record.Control, epoch string, seq uint64, counts ackCounts) {
	c.mu.Lock()
	c.fences.end(seq)
	own := x.Origin == c.log.node
	if w := c.waits[x.ID]; w != nil && own {
		w.done = true
		w.counts.add(counts)
	}
	c.changedLocked()
	c.mu.Unlock()
	if !own && x.Origin != "" {
		ack := record.Ack{Epoch: epoch, Seq: seq, Counts: counts}
		c.send(x.Origin, record.MessageAck, ack.Append(nil))
	}
}

// acked takes the ack of a node for one record. It may come before this node has applied the record.
func (c *cluster) acked(from string, a *record.Ack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.waits {
		switch {
		case !w.applied:
			w.early = append(w.early, ack{from, *a})
		case a.Seq == w.seq:
			w.acked(from, a)
			c.changedLocked()
		}
	}
}

// ack is the ack of a node for one record.
type ack struct {
	from string
	record.Ack
}

// begin is called when this node has applied the record of w.
func (w *wait) begin(seq uint64, epoch string) {
	w.applied, w.seq, w.nodes = true, seq, tenure.NewWait(seq, epoch)
	for i := range w.early {
		if a := &w.early[i]; a.Seq == seq {
			w.acked(a.from, &a.Ack)
		}
	}
	w.early = nil
}

// acked takes an ack for the record of w.
func (w *wait) acked(from string, a *record.Ack) {
	w.nodes.Acked(from, a.Seq, a.Epoch)
	w.counts.add(a.Counts)
}

// fences are the records that end access on which this node still works. The zero value has none.
type fences struct{ running []uint64 } // in the order in which they were applied

func (f *fences) begin(seq uint64) { f.running = append(f.running, seq) }

func (f *fences) end(seq uint64) {
	if i := slices.Index(f.running, seq); i >= 0 {
		f.running = slices.Delete(f.running, i, i+1)
	}
}

// through returns up to which record this node has done all work.
func (f *fences) through(applied uint64) uint64 {
	if len(f.running) > 0 {
		return min(applied, slices.Min(f.running)-1)
	}
	return applied
}
