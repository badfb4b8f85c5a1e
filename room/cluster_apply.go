package room

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
)

// errBroken ends a call of Tail that has skipped or repeated a record.
var errBroken = errors.New("room: the engine has delivered a record out of order")

// follow applies the log until the hub ends, or a new call of Open is necessary. lost reports that
// the log may have lost records.
func (c *cluster) follow() (lost bool) {
	ctx, cancel := context.WithCancelCause(c.ctx)
	defer cancel(nil)
	c.mu.Lock()
	o, node := c.log.opened, c.log.node
	c.mu.Unlock()
	floor := o.Window.First - 1
	c.resetTo(floor)
	beats := make(chan struct{})
	c.start(func() {
		defer close(beats)
		c.beats(ctx, cancel, node)
	})
	defer func() { cancel(nil); <-beats }()
	select {
	case <-c.opened:
	default:
		close(c.opened)
	}
	for {
		if floor >= o.Window.Last {
			c.caughtUp(ctx) // nothing to replay
		}
		err := c.tail(ctx)
		var trimmed *TrimmedError
		switch {
		case c.ctx.Err() != nil:
			return false
		case errors.Is(context.Cause(ctx), ErrEpoch), errors.Is(err, ErrEpoch):
			c.logger.Error("room: the log of the cluster is another one, or has lost records; all clients load their plans")
			c.shut()
			return true
		case errors.As(err, &trimmed):
			c.logger.Error("room: the node lagged so far behind that records are gone; its clients load their plans",
				"applied", c.timeline.applied.Load(), "first", trimmed.First)
			c.shut()
			floor = max(trimmed.First, 1) - 1
			c.mu.Lock()
			c.peers.Reset()
			c.peered = c.now().Mono
			c.mu.Unlock()
			c.resetTo(floor)
			continue
		default:
			c.logs.warn("engine", "tail", "room: the log of the cluster cannot be read", "error", err)
			c.sleep(c.timing.beat / 10)
		}
	}
}

// tail calls Engine.Tail once.
func (c *cluster) tail(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := c.engine.Tail(ctx, c.timeline.applied.Load(), func(records []Record) {
		for i := range records {
			applied := c.timeline.applied.Load()
			if ctx.Err() != nil {
				return
			}
			if records[i].Seq != applied+1 {
				c.logs.log(slog.LevelError, "engine", "order", errBroken.Error(), "applied", applied, "delivered", records[i].Seq)
				cancel(errBroken)
				return
			}
			c.apply(ctx, &records[i])
		}
	})
	if errors.Is(context.Cause(ctx), errBroken) {
		return errBroken
	}
	return err
}

// resetTo drops all histories. The record after floor is applied next.
func (c *cluster) resetTo(floor uint64) {
	c.mu.Lock()
	c.epoch, c.before, c.begun, c.opening = "", "", false, ownRecord{}
	c.sure = floor == 0 // otherwise a record that is gone may have named the epoch
	c.log.settled = false
	c.log.opened.Window.Last = max(c.log.opened.Window.Last, c.log.last)
	c.controls.resetLocked()
	c.changedLocked()
	c.mu.Unlock()
	// A new text, so that no position of before is valid until a record names the epoch.
	c.replica.reset(newEpoch(), floor)
}

// apply applies one record. Whatever it contains, the log goes on behind it.
func (c *cluster) apply(ctx context.Context, r *Record) {
	c.applyRecord(r)
	c.timeline.applied.Store(r.Seq)
	if c.waiting.Load() > 0 {
		c.mu.Lock()
		if c.arrived != nil {
			close(c.arrived)
			c.arrived = nil
		}
		c.mu.Unlock()
	}
	c.mu.Lock()
	caughtUp := !c.log.settled && r.Seq == c.log.opened.Window.Last
	c.mu.Unlock()
	if caughtUp {
		c.caughtUp(ctx)
	}
}

// applyRecord applies one record, and survives one that cannot be applied.
func (c *cluster) applyRecord(r *Record) {
	h, body, err := record.Parse(r.Data)
	defer func() {
		if v := recover(); v != nil {
			c.logger.Error("room: a record of the cluster caused a panic", append(panicAttrs(v), "seq", r.Seq)...)
			c.doubt(&h, r.Seq)
		}
	}()
	switch {
	case err != nil:
		c.logger.Error("room: a record of the cluster cannot be read; all clients load their plans", "seq", r.Seq, "error", err)
		c.doubt(&record.Header{}, r.Seq)
		return
	case h.Cluster != c.hash:
		c.logger.Error("room: the log has a record of another cluster; it is ignored", "seq", r.Seq)
		return
	}
	if err := c.applyKind(&h, body, r.Seq); err != nil {
		c.logger.Error("room: a record of the cluster cannot be applied", "seq", r.Seq, "kind", h.Kind.String(), "plan", h.Plan, "error", err)
		c.doubt(&h, r.Seq)
	}
}

// doubt follows a record that could not be applied: it makes the clients that it may concern load
// their plans, and checks access that it may have ended.
func (c *cluster) doubt(h *record.Header, seq uint64) {
	if h.Class != record.ClassControl {
		c.replica.applyResync(h.Plan, seq)
	}
	if h.Class != record.ClassEvent {
		c.work(&record.Control{}, seq, c.replica.doubt(h.Plan))
	}
}

var errKind = errors.New("its kind is unknown")

// applyKind applies a record by its kind.
func (c *cluster) applyKind(h *record.Header, body []byte, seq uint64) error {
	c.mu.Lock()
	replay := !c.log.settled && seq <= c.log.opened.Window.Last
	c.mu.Unlock()
	switch h.Kind {
	case record.KindEvent:
		e, err := record.ParseEvent(body)
		if err == nil && !c.isDoubted(e.ID) {
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
		return nil // of the outbox
	}
	return errKind
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
