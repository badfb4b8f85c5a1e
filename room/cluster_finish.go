package room

import "context"

// What Shutdown waits for before it closes the engine. No other node knows of the events that this
// one could not store, so only this one can make the clients that miss them load the plan.

// beginPublish notes that a call begins that publishes an event, or several. It returns false after
// the start of awaitResyncs, which does not wait for this call. The result is for endPublish.
func (c *cluster) beginPublish() (counts bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if counts = c.resyncs.waiting == nil; counts {
		c.resyncs.calls++
	}
	return counts
}

// endPublish follows beginPublish, with its result.
func (c *cluster) endPublish(counts bool) {
	if !counts {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resyncs.calls--
	c.resyncs.stopWaitingLocked()
}

// stopWaitingLocked ends awaitResyncs if it has nothing to wait for.
func (s *resyncs) stopWaitingLocked() {
	if s.waiting == nil || s.calls > 0 || s.running {
		return
	}
	select {
	case <-s.waiting: // closed before; a call that began later has failed since
	default:
		close(s.waiting)
	}
}

// awaitResyncs waits until the broadcasts that have begun have ended, and the resync records of
// those that failed are stored: until ctx ends, or as long as an append may take. It logs what is
// left, since no client will load the plan for it.
func (c *cluster) awaitResyncs(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, c.ownAppend())
	defer cancel()
	done := make(chan struct{})
	c.mu.Lock()
	s := &c.resyncs
	s.waiting = done
	s.stopWaitingLocked()
	c.mu.Unlock()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	select {
	case <-done:
		return // although ctx had ended before
	default:
	}
	c.mu.Lock()
	plans, calls := s.uncertain(), s.calls
	c.mu.Unlock()
	c.logger.Error("room: Shutdown has ended before the log has stored that clients miss events; "+
		"call Hub.Resync on another node for the plans whose broadcasts have failed",
		"plans", plans, "calls", calls)
}
