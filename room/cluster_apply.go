package room

import (
	"context"
	"errors"

	"github.com/planrooms/planrooms/room/internal/record"
)

// apply applies one record, whatever it contains, and wakes the joins that wait for it. Its caller
// is Tail, so it is not called concurrently, and holds no lock.
func (c *cluster) apply(ctx context.Context, r *Record) {
	c.applyRecord(r)
	c.timeline.applied.Store(r.Seq)
	if r.Seq >= c.nearest.Load() {
		c.wakeJoins(r.Seq)
	}
	c.mu.Lock()
	caughtUp := !c.log.settled && r.Seq == c.log.opened.Window.Last
	c.mu.Unlock()
	if caughtUp {
		c.caughtUp(ctx)
	}
}

// applyRecord applies one record. One that cannot be applied does not end the log.
func (c *cluster) applyRecord(r *Record) {
	h, body, err := record.Parse(r.Data)
	defer func() {
		if v := recover(); v != nil {
			c.logger.Error("room: a record of the cluster caused a panic", append(panicAttrs(v), "seq", r.Seq)...)
			c.notApplied(&h, r.Seq)
		}
	}()
	switch {
	case err != nil:
		c.logger.Error("room: a record of the cluster cannot be read; all clients load their plans", "seq", r.Seq, "error", err)
		c.notApplied(&record.Header{}, r.Seq)
		return
	case h.Cluster != c.hash:
		c.logger.Error("room: the log has a record of another cluster; it is ignored", "seq", r.Seq)
		return
	}
	if err := c.applyKind(&h, body, r.Seq); err != nil {
		c.logger.Error("room: a record of the cluster cannot be applied", "seq", r.Seq, "kind", h.Kind.String(), "plan", h.Plan, "error", err)
		c.notApplied(&h, r.Seq)
	}
}

// notApplied follows a record that could not be applied, because it is damaged, or because a newer
// release has written it. Its class says what it may have been: for an event, the clients load
// their plans; for a control record, the node checks the access that the record may have ended, and
// closes its connections if it may have been a Disconnect. An unknown class does all of it.
func (c *cluster) notApplied(h *record.Header, seq uint64) {
	if h.Class != record.ClassControl {
		c.replica.applyResync(h.Plan, seq)
	}
	if h.Class != record.ClassEvent {
		c.work(&record.Control{}, seq, c.replica.recheckAll(h.Plan))
	}
	if endsLogins(h) {
		c.mu.Lock()
		c.lapse.missedLocked()
		c.mu.Unlock()
		c.reconnect()
	}
}

// errKind is why a record of an unknown kind is not applied.
var errKind = errors.New("its kind is unknown")

// applyKind applies a record by its kind. A new kind gets a case here, and one in package record.
// If it ends access, the case is the one that calls applyControl, and [replica] has to begin it.
func (c *cluster) applyKind(h *record.Header, body []byte, seq uint64) error {
	c.mu.Lock()
	replay := !c.log.settled && seq <= c.log.opened.Window.Last
	c.mu.Unlock()
	switch h.Kind {
	case record.KindEvent:
		e, err := record.ParseEvent(body)
		if err == nil && !c.isIgnored(e.ID) {
			c.replica.applyEvent(h.Plan, &e, seq, replay)
		}
		return err
	case record.KindResync:
		r, err := record.ParseResync(body)
		if err == nil {
			c.ignore(r.IDs)
			c.replica.applyResync(h.Plan, seq)
		}
		return err
	case record.KindRevoke, record.KindDisconnect, record.KindRecheck, record.KindClosePlan:
		x, err := record.ParseControl(body)
		if err == nil {
			c.applyControl(h, &x, seq, replay)
		}
		return err
	case record.KindNode:
		n, err := record.ParseNodeRecord(body)
		if err == nil {
			c.applyNode(&n, seq)
		}
		return err
	case record.KindSilent:
		s, err := record.ParseSilent(body)
		if err == nil {
			c.mu.Lock()
			c.peers.Silent(s.Name, s.Tenure)
			c.changedLocked()
			c.mu.Unlock()
		}
		return err
	case record.KindEpoch:
		e, err := record.ParseEpoch(body)
		if err == nil {
			c.applyEpoch(&e, seq)
		}
		return err
	case record.KindRelay:
		return nil // of an outbox, which this release does not have
	}
	return errKind
}
