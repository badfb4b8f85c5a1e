package room

// When an outlet may write the entries of a subscription: from the answer to its join on, and not
// while its access is to be confirmed.

// attach makes sub ready for entries, after the reply to its join, but writes nothing: start does,
// or a delivery that comes before, since sub is dirty and so waiting is set.
// Where sub replaces old, it drops the reply to the join of old if that still waits. It reports
// false if the connection or the membership has ended, or the membership is suspended.
func (o *outlet) attach(sub, old *subscription, join reply) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.end >= endClosing || sub.gone.Load() || sub.suspended {
		return false
	}
	sub.ready = true
	if old != nil {
		o.queue.dropJoin(old)
	}
	o.queue.push(join)
	o.markDirtyLocked(sub)
	return true
}

// suspend stops writing entries to sub until unsuspend. It reports whether the reply to the join
// has not been written: it is dropped. It cuts the connection if part of an entry is written.
func (o *outlet) suspend(sub *subscription) (unanswered bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	sub.ready, sub.suspended = false, true
	if o.farewell != nil {
		o.farewell.receipts = nil
	}
	if o.remainder != nil && o.remainder.plan == sub.plan {
		o.shared.wg.Go(o.abort)
	}
	return o.queue.dropJoin(sub)
}

// isSuspended reports whether nothing is written to sub.
func (o *outlet) isSuspended(sub *subscription) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return sub.suspended
}

// unsuspend is the end of suspend. The caller has to call start.
func (o *outlet) unsuspend(sub *subscription) {
	o.mu.Lock()
	defer o.mu.Unlock()
	sub.suspended = false
	if o.end < endClosing {
		sub.ready = true
		o.markDirtyLocked(sub)
	}
}
