package room

// How an outlet ends; the states are drawn in outlet.go.

// farewell is what an outlet writes at its end.
type farewell struct {
	receipts []byte // of a drain: all entries of its plans were written; nil: none
	last     []byte // goodbye and close frame
}

// close writes last after everything that waits and then finishes the sink. If the members have
// left their rooms before, no more entries are written. The first call wins.
func (o *outlet) close(last []byte) { o.drain(nil, nil, last) }

// drain is close with all entries of the rooms of subs before last. Between them it writes
// receipts, which say that these were all: one for each of subs, nil for none.
func (o *outlet) drain(subs []*subscription, receipts [][]byte, last []byte) {
	o.mu.Lock()
	if o.end >= endClosing {
		o.mu.Unlock()
		return
	}
	f := &farewell{last: last}
	for i, sub := range subs {
		if sub.ready && !sub.gone.Load() {
			o.markDirtyLocked(sub)
			f.receipts = append(f.receipts, receipts[i]...)
		}
	}
	o.end, o.farewell, o.farewellBy = endClosing, f, o.shared.clock()+closeTimeout
	o.shared.timers.after(closeTimeout, o.abortUnlessClosed)
	o.unpauseLocked()
	o.mu.Unlock()
	o.start()
}

// abortUnlessClosed aborts a connection that did not take its farewell in time.
func (o *outlet) abortUnlessClosed() {
	o.mu.Lock()
	closed := o.end == endClosed
	o.mu.Unlock()
	if !closed {
		o.abort()
	}
}

// abort ends the connection at once.
func (o *outlet) abort() {
	o.mu.Lock()
	o.endLocked(endAborted)
	o.mu.Unlock()
	_ = o.sink.Close() // nothing is left to be done about a socket that does not close
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.state == stateIdle {
		o.overLocked()
	}
}

// cutLocked is abort for a caller that must not block. Nothing more is written.
func (o *outlet) cutLocked() {
	o.endLocked(endAborted)
	o.shared.wg.Go(o.abort)
}

// endLocked drops everything that waits.
func (o *outlet) endLocked(end outletEnd) {
	if o.end < endClosed {
		o.end = end
		o.inFlush = end == endAborted && o.state == stateFlushing
	}
	o.torn = o.torn || o.remainder != nil && o.remainder.entry
	o.waiting = true // the holder of the token has to find out
	o.dirty, o.pong, o.ping, o.remainder, o.farewell = nil, nil, false, nil, nil
	o.queue.taken = 0
	o.queue.drop(0, len(o.queue.replies))
	o.queue.account.forget(o)
	o.unpauseLocked()
}

// evict ends a connection that holds up others.
func (o *outlet) evict() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.end == endOpen {
		o.end, o.farewellBy = endTooSlow, o.shared.clock()+closeTimeout
		o.owner.tooSlow()
	}
}

func (o *outlet) overLocked() {
	if o.over {
		return
	}
	o.shared.gate.forget(o)
	if o.over = true; o.done != nil {
		close(o.done)
	}
}

// await waits until nothing is written any more.
func (o *outlet) await() {
	o.mu.Lock()
	if o.over {
		o.mu.Unlock()
		return
	}
	if o.done == nil {
		o.done = make(chan struct{})
	}
	done := o.done
	o.mu.Unlock()
	<-done
}
