package room

// When an outlet may write the entries of a subscription: from the answer to its join on, and not
// while its access is to be confirmed.

// attach queues the reply to the join of sub, and makes sub ready for entries behind it. It writes
// nothing: the caller has to call start, unless a delivery comes first, which finds sub dirty. If
// sub replaces old, attach drops the reply to the join of old if that is still queued. It reports
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

// suspend stops the writing of entries to sub until unsuspend. unanswered is whether the reply to
// the join was still queued: suspend drops it. If an entry of the plan was written in part, or a
// write of entries may be waiting for the peer, or the reply to the join is being written, suspend
// aborts the connection, since what a full socket leaves of it must not be written.
func (o *outlet) suspend(sub *subscription) (unanswered bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	sub.ready, sub.suspended = false, true
	if o.farewell != nil {
		o.farewell.receipts = nil
	}
	waits := o.inSink && o.state == stateFlushing && o.writingOf == sub.plan
	if waits || o.remainder != nil && o.remainder.plan == sub.plan || o.queue.writesJoin(sub) {
		o.cutLocked()
	}
	return o.queue.dropJoin(sub)
}

// isSuspended reports whether sub is suspended.
func (o *outlet) isSuspended(sub *subscription) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return sub.suspended
}

// unsuspend ends the effect of suspend. The caller has to call start.
func (o *outlet) unsuspend(sub *subscription) {
	o.mu.Lock()
	defer o.mu.Unlock()
	sub.suspended = false
	if o.end < endClosing {
		sub.ready = true
		o.markDirtyLocked(sub)
	}
}
