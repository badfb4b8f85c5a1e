package room

import (
	"context"
	"errors"
	"log/slog"
)

// errBroken ends a call of Tail that has skipped or repeated a record.
var errBroken = errors.New("room: the engine has delivered a record out of order")

// follow applies the records of the log, and calls Beat, until close, or until Open has to be
// called again: the log may then have lost records, and lost is true.
func (c *cluster) follow() (lost bool) {
	ctx, cancel := context.WithCancelCause(c.ctx)
	defer cancel(nil)
	c.mu.Lock()
	o, node := c.log.opened, c.log.node
	c.mu.Unlock()
	c.resetTo(ctx, o.Window.First-1)
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
		err := c.tail(ctx)
		var trimmed *TrimmedError
		switch {
		case c.ctx.Err() != nil:
			return false
		case errors.Is(context.Cause(ctx), ErrEpoch), errors.Is(err, ErrEpoch):
			c.logs.log(slog.LevelError, "engine", "epoch", "room: the log of the cluster is another one, or has lost records; all clients load their plans")
			c.shut()
			return true
		case errors.As(err, &trimmed) && trimmed.First > c.timeline.applied.Load()+1:
			c.logs.log(slog.LevelError, "engine", "trimmed", "room: the node lagged so far behind that records are gone; its clients connect again, and load their plans",
				"applied", c.timeline.applied.Load(), "first", trimmed.First)
			c.shut()
			c.mu.Lock()
			c.lapse.missedLocked()
			c.peers.Reset()
			c.peersSince = c.now().Mono
			c.mu.Unlock()
			c.resetTo(ctx, trimmed.First-1)
		default:
			c.logs.warn("engine", "tail", "room: the log of the cluster cannot be read", "error", err)
			c.sleep(beatEvery / 10)
		}
	}
}

// tail calls Engine.Tail once. It returns errBroken if a record came out of order.
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

// resetTo drops all histories, and what records have said so far. The record after floor is applied
// next.
func (c *cluster) resetTo(ctx context.Context, floor uint64) {
	c.mu.Lock()
	c.epoch, c.since, c.stale, c.before, c.begun, c.opening = "", 0, 0, "", false, ownRecord{}
	c.floor = floor
	c.sure = floor == 0 // otherwise a record that is gone may have named the epoch
	c.log.settled = false
	last := max(c.log.opened.Window.Last, c.log.last)
	c.log.opened.Window.Last = last
	c.controls.resetLocked()
	c.changedLocked()
	c.mu.Unlock()
	// No client has a position of this epoch. A record will name the right one.
	c.replica.reset(newEpoch(), floor)
	c.reconnect()
	if floor >= last {
		c.caughtUp(ctx) // nothing to replay
	}
}
