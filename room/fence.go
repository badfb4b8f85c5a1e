package room

import "time"

// fence ensures that nothing of a plan that the connection has left is written after it returns; an
// empty plan means every plan. It drops what waits, and waits for a write of the plan that is in
// flight. If that takes longer than until, or fenceTimeout since it began to wait for the peer,
// or part of a frame of the plan is written, it aborts the connection and waits until the outlet
// has ended. So a connection that has stalled before is aborted at once.
func (o *outlet) fence(plan string, until time.Time) {
	if !o.dropPlan(plan) {
		return
	}
	if !o.awaitWrite(until) || o.dropPlan(plan) { // a short write requeues what it did not write
		o.abort()
		o.await()
	}
}

// endWrite is called when the gate has shut. It waits for a write that is in flight of what belongs
// to plans. If that takes longer than fence would wait, it aborts the connection and waits until
// the outlet has ended. What waits is kept.
func (o *outlet) endWrite(until time.Time) {
	if o.writesPlan() && !o.awaitWrite(until) {
		o.abort()
		o.await()
	}
}

// writesPlan reports whether something that belongs to a plan may be in flight.
func (o *outlet) writesPlan() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.inSink && (o.writingOf != "" || o.end == endAborted || o.queue.writesPlan())
}

// dropPlan drops the replies of a plan that the connection has left. It reports whether something
// of the plan is being written or half written.
func (o *outlet) dropPlan(plan string) (inFlight bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue.dropPlan(plan)
	o.unpauseLocked()
	if o.remainder != nil && concerns(o.remainder.plan, plan) || o.inSink && concerns(o.writingOf, plan) {
		return true
	}
	for i := range o.queue.taken {
		if o.queue.replies[i].lapsed(plan) {
			return true
		}
	}
	return false
}

// awaitWrite waits for a write that is in flight. It reports false if that takes longer than until.
func (o *outlet) awaitWrite(until time.Time) bool {
	o.mu.Lock()
	if !o.inSink {
		o.mu.Unlock()
		return true
	}
	if o.boundary == nil {
		o.boundary = make(chan struct{})
	}
	boundary := o.boundary
	o.mu.Unlock()
	wait := time.Until(until)
	if at := time.Duration(o.blocked.Load()); at != 0 {
		wait = min(wait, at+fenceTimeout-o.shared.clock())
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-boundary:
		return true
	case <-t.C:
		return false
	}
}
