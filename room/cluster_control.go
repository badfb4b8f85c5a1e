package room

import (
	"context"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/internal/tenure"
)

// controls are the records that end access (control records): those for which calls such as Revoke
// wait, and those for which this node still works. Guarded by cluster.mu. The zero value is ready.
type controls struct {
	waits   map[string]*wait // by ID
	applied map[uint64]*wait // the same by seq, once this node has applied the record
	early   map[uint64][]ack // by seq, of records that this node has not applied yet
	held    int              // acks in early

	running map[uint64]uint64 // the work that is not finished: seq of its record, by its number
	works   uint64            // counts the work, for these numbers

	reconnects int // calls of reconnect that are not finished
}

// maxEarly bounds the acks that are kept. One that is dropped is repeated by the note of its node.
const maxEarly = 4096

// wait is one call that waits until all nodes have applied its record. Guarded by cluster.mu,
// except wake.
type wait struct {
	wake    chan struct{} // has a value if something has changed since the call last looked
	lost    bool          // the log was reset: the record has to be appended again
	applied bool          // this node has applied the record; seq and nodes are valid
	seq     uint64        // of the record
	nodes   tenure.Wait   // the other nodes
	done    bool          // this node has finished the work
	counts  ackCounts     // of the nodes that have answered
}

// ack is the ack of a node for one record.
type ack struct {
	from string
	record.Ack
}

// changed wakes the call.
func (w *wait) changed() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// control appends a record that ends access, and waits until no node writes what the record
// forbids. work is how long a node may work for the record, in addition to the moment that all
// take. counts is the sum of those of the nodes that have answered. Errors: those of append; the
// error of ctx if it ends first, with the number of nodes that have not answered; [ErrHubClosed].
func (c *cluster) control(ctx context.Context, kind record.Kind, plan string, x record.Control, work time.Duration) (counts ackCounts, err error) {
	// A node that has died costs one nodeTTL. After two, this node has lost the engine.
	limit := c.publishFor + 2*nodeTTL
	ctx, cancel := context.WithTimeout(ctx, limit+work)
	defer cancel()
	if err := c.awaitOpenFor(ctx, limit); err != nil {
		return counts, err // the record has to name this node, which has no name before
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
	w := &wait{wake: make(chan struct{}, 1)}
	x.ID = c.id()
	c.mu.Lock()
	x.Origin = c.log.node
	if c.controls.waits == nil {
		c.controls.waits = make(map[string]*wait)
	}
	c.controls.waits[x.ID] = w
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.controls.waits, x.ID)
		if c.controls.applied[w.seq] == w { // also if append does not know that the record is stored
			delete(c.controls.applied, w.seq)
		}
	}()
	// An end of ctx does not lose the record: the host has ended the access already.
	if _, err = c.append(ctx, x.ID, c.record(kind, plan, x.Append(nil))); err != nil {
		return counts, false, err
	}
	for {
		c.mu.Lock()
		left := w.left(&c.peers, x.Origin)
		counts, again = w.counts, w.lost
		c.mu.Unlock()
		if again || left == 0 {
			return counts, again, nil
		}
		select {
		case <-w.wake:
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
		return max(1, len(p.Present())) // once it has, it knows which nodes have to
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
	k := &c.controls
	if w := k.waits[x.ID]; w != nil {
		w.applied, w.seq, w.nodes = true, seq, tenure.NewWait(seq, c.epoch)
		for i := range k.early[seq] {
			w.acked(&k.early[seq][i])
		}
		if k.applied == nil {
			k.applied = make(map[uint64]*wait)
		}
		k.applied[seq] = w
		w.changed()
	}
	k.held -= len(k.early[seq])
	delete(k.early, seq)
	c.mu.Unlock()
	c.work(x, seq, finish)
}

// work calls finish, the rest of the work for a record that ends access, in a goroutine. Until
// finish has returned, this node does not acknowledge the record, and a shut gate stays shut.
func (c *cluster) work(x *record.Control, seq uint64, finish func() ackCounts) {
	c.mu.Lock()
	k := &c.controls
	k.works++
	work, epoch := k.works, c.epoch
	if k.running == nil {
		k.running = make(map[uint64]uint64)
	}
	k.running[work] = seq
	c.mu.Unlock()
	c.start(func() {
		counts := ackCounts{}
		// Deferred, since a callback may call runtime.Goexit.
		defer func() { c.finished(x, work, epoch, seq, counts) }()
		if finish != nil {
			counts = finish()
		}
	})
}

// finished is called when the work for a record that ends access is done. It sends the ack to the
// node that waits for it.
func (c *cluster) finished(x *record.Control, work uint64, epoch string, seq uint64, counts ackCounts) {
	c.mu.Lock()
	delete(c.controls.running, work)
	c.openGateLocked()
	own := x.Origin == c.log.node
	if w := c.controls.waits[x.ID]; w != nil && own {
		w.done = true
		w.counts.add(counts)
		w.changed()
	}
	c.mu.Unlock()
	if !own && x.Origin != "" {
		a := record.Ack{Epoch: epoch, Seq: seq, Counts: counts}
		c.send(x.Origin, record.MessageAck, a.Append(nil))
	}
}

// acked takes the ack of a node for one record. It may come before this node has applied the
// record.
func (c *cluster) acked(a ack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := &c.controls
	if w := k.applied[a.Seq]; w != nil {
		w.acked(&a)
		w.changed()
	} else if a.Seq > c.timeline.applied.Load() && k.held < maxEarly {
		if k.early == nil {
			k.early = make(map[uint64][]ack)
		}
		k.early[a.Seq] = append(k.early[a.Seq], a)
		k.held++
	}
}

// acked takes an ack for the record of w.
func (w *wait) acked(a *ack) {
	if w.nodes.Acked(a.from, a.Seq, a.Epoch) {
		w.counts.add(a.Counts)
	}
}

// wakeLocked wakes all calls that wait, after a change of the nodes.
func (k *controls) wakeLocked() {
	for _, w := range k.waits {
		w.changed()
	}
}

// resetLocked follows the loss of a part of the log: records that calls wait for may be gone.
func (k *controls) resetLocked() {
	for _, w := range k.waits {
		w.lost = true
	}
	k.applied, k.early, k.held, k.running = nil, nil, 0, nil
	k.wakeLocked()
}

// throughLocked returns up to which record this node has done all work.
func (k *controls) throughLocked(applied uint64) uint64 {
	if k.reconnects > 0 {
		return 0
	}
	for _, seq := range k.running {
		applied = min(applied, seq-1)
	}
	return applied
}
