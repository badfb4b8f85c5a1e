package room

import (
	"errors"
	"os"
	"time"
)

// What the holder of an outlet's token does, until it gives the token up.

// maxInline is how many batches a goroutine writes that must not wait for the peer: it has other
// connections to serve, so the connection's own goroutine writes what is left.
const maxInline = 4

// step is one write of the holder of the token.
type step struct {
	buf   []byte
	batch *batch        // nil: buf is the next part of the remainder
	sub   *subscription // whose entries the batch holds; nil: replies and control frames
	by    time.Time     // when a write that blocks gives up
	cut   bool          // by is before the peer counts as too slow, since the gate may shut then
}

// run writes without blocking until nothing is left or the socket is full.
func (o *outlet) run() {
	for range maxInline {
		if !o.writeNext(false) {
			return
		}
	}
	o.flushLater()
}

// flushLater hands the token to a goroutine of the connection.
func (o *outlet) flushLater() { o.shared.wg.Go(o.flush) }

// flush writes, blocking, until nothing is left.
func (o *outlet) flush() {
	o.mu.Lock()
	o.state, o.flushing = stateFlushing, o.shared.clock()
	o.mu.Unlock()
	for o.writeNext(true) {
	}
}

// writeNext writes the next batch. It reports false when it has given up the token or handed it on.
func (o *outlet) writeNext(block bool) (more bool) {
	t, ok := o.next(block)
	if !ok {
		return false
	}
	n, err := o.write(&t, block)
	more = o.wrote(&t, n, err, block)
	if t.batch != nil {
		t.batch.release()
	}
	return more
}

// next takes what has to be written next. If there is nothing, it gives the token up.
func (o *outlet) next(block bool) (t step, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		open := o.shared.gate.open()
		switch {
		case o.end >= endClosed:
			o.endCallLocked() // it may have ended between two parts of a frame
			o.state = stateIdle
			o.overLocked()
			return t, false
		case o.remainder != nil && (open || o.remainder.plan == ""):
			o.remainder.resumed()
			t.buf = o.remainder.next()
			t.by, t.cut = o.deadlineLocked(o.remainder.plan != "")
			o.inSink, o.writingOf = true, o.remainder.plan
			return t, true
		case o.remainder == nil && (o.pong != nil || o.ping || o.queue.passes(open)):
			if open {
				o.encodeJoinsLocked() // releases mu
				open = o.shared.gate.open()
			}
			b := newBatch(o.framing)
			o.takeRepliesLocked(b, open)
			t, ok = o.beginLocked(b, nil, block, open)
		case o.remainder == nil && open && len(o.dirty) > 0:
			sub := o.nextDirtyLocked()
			b := newBatch(o.framing)
			o.fetchLocked(sub, b) // releases mu
			if open = o.shared.gate.open(); !open && o.end < endClosed {
				o.markDirtyLocked(sub)
			}
			t, ok = o.beginLocked(b, sub, block, open)
		case o.remainder == nil && o.farewell != nil: // a shut gate holds up what is before it, but not the end
			o.remainder = &remainder{head: o.farewell.last, farewell: true}
			if open { // otherwise entries are missing
				o.remainder.head = append(o.farewell.receipts, o.farewell.last...)
			}
			o.farewell = nil
		case o.remainder != nil || len(o.dirty) > 0 || len(o.queue.replies) > 0: // the gate is shut
			if !o.shared.gate.wait(o) {
				continue
			}
			o.endCallLocked() // of a frame whose next part has to wait
			o.remainder.paused()
			o.state, o.slowBy = stateIdle, 0
			return t, false
		default:
			o.state, o.waiting = stateIdle, false
			return t, false
		}
		if ok {
			return t, true
		}
	}
}

// beginLocked begins the write of b, unless nothing is to be written of it now.
func (o *outlet) beginLocked(b *batch, sub *subscription, block, open bool) (t step, ok bool) {
	switch {
	case len(b.items) == 0, o.end >= endClosed, sub != nil && (!open || sub.gone.Load() || sub.suspended):
	case block && b.large():
		plan := ""
		if sub != nil {
			plan = sub.plan
		} else {
			plan = o.queue.replies[0].plan
		}
		// Its write may take long, and holds the shared payload alone.
		o.remainder = b.remainder(0, 0, plan, sub != nil)
		o.tookLocked(b, sub, len(b.buf))
	default:
		o.inSink, o.writingOf = true, ""
		if sub != nil {
			o.writingOf = sub.plan
		}
		by, cut := o.deadlineLocked(sub != nil || open)
		return step{buf: b.buf, batch: b, sub: sub, by: by, cut: cut}, true
	}
	b.release()
	return t, false
}

// deadlineLocked is when a write that begins now gives up if it takes no byte. What belongs to a
// plan is not written when the gate has shut. cut reports that the gate may shut before the peer
// counts as too slow: then the write gives up, but not the connection.
func (o *outlet) deadlineLocked(ofPlan bool) (by time.Time, cut bool) {
	now := o.shared.clock()
	at := o.farewellBy
	if o.end != endTooSlow && o.end != endClosing {
		if o.slowBy == 0 {
			o.slowBy = now + o.shared.writeTimeout
		}
		at = o.slowBy
	}
	if left := o.shared.gate.left(); ofPlan && left < at-now {
		return o.shared.start.Add(now + left), true
	}
	return o.shared.start.Add(at), false
}

func (o *outlet) nextDirtyLocked() *subscription {
	sub := o.dirty[0]
	o.dirty[0] = nil
	o.dirty = o.dirty[1:]
	if len(o.dirty) == 0 {
		o.dirty = nil // hold no array while idle
	}
	sub.dirty = false
	return sub
}

// fetchLocked adds the next entries of sub to b. It releases mu meanwhile, because room.mu comes
// first in the lock order.
func (o *outlet) fetchLocked(sub *subscription, b *batch) {
	if sub.gone.Load() || !sub.ready {
		return
	}
	o.mu.Unlock()
	more := sub.source.fetch(b)
	o.mu.Lock()
	if more && o.end < endClosed {
		o.markDirtyLocked(sub)
	}
}

// takeRepliesLocked moves control frames into b and copies as many replies as fit into it. Replies
// leave the queue when they have been written.
func (o *outlet) takeRepliesLocked(b *batch, open bool) {
	if o.pong != nil {
		b.addControl(o.pong)
		o.pong = nil
	}
	if o.ping {
		b.addPing()
		o.ping = false
	}
	q := &o.queue
	for q.taken < len(q.replies) {
		r := &q.replies[q.taken]
		if len(b.items) > 0 && len(b.buf)+len(r.payload) > batchBytes || r.payload == nil || !open && r.plan != "" {
			return
		}
		b.add(r.payload, cursor{})
		q.taken++
	}
}

// shortestWait is the duration from which a Write counts as one that had to wait for the peer. A
// shorter Write may have had space in the socket from the start. Writes of 16 KiB that are shorter
// mean a peer that takes 160 KB/s or more: a ping gets through what is in the way, and is answered,
// within seconds.
const shortestWait = 100 * time.Millisecond

// errCount is the error of a sink that returned an impossible count. Using the count would cause a
// panic or an endless loop.
var errCount = errors.New("room: a Sink returned an impossible count")

// tryWrite calls Sink.TryWrite.
func (o *outlet) tryWrite(b []byte) (n int, err error) {
	if n, err = o.sink.TryWrite(b); n < 0 || n > len(b) {
		return 0, errCount
	}
	return n, err
}

// write calls the sink. It is called without mu.
func (o *outlet) write(t *step, block bool) (n int, err error) {
	n, err = o.tryWrite(t.buf)
	if n == 0 && err == nil && block {
		start := o.shared.clock()
		o.blocked.Store(int64(start))
		if n, err = o.sink.Write(t.buf, t.by); n < 0 || n > len(t.buf) || n == 0 && err == nil {
			n, err = 0, errCount
		}
		o.blocked.Store(0)
		if n > 0 && o.shared.clock()-start >= shortestWait {
			o.owner.alive()
		}
	}
	return n, err
}

// wrote records the result of a write. It reports false when it has given up the token or handed it
// on.
func (o *outlet) wrote(t *step, n int, err error, block bool) (more bool) {
	o.mu.Lock()
	part := t.batch == nil && err == nil && n == len(t.buf) // of a frame
	if !part || o.remainder == nil || o.remainder.left() <= n {
		o.endCallLocked()
	} // otherwise the next part of the frame follows
	if o.end >= endClosed {
		o.mu.Unlock()
		return true // next ends it
	}
	timedOut := errors.Is(err, os.ErrDeadlineExceeded)
	if n > 0 {
		o.slowBy = 0
	}
	if timedOut && t.cut && o.end < endTooSlow {
		timedOut, err = false, nil // next finds out whether the gate is shut
	}
	if err == nil || timedOut {
		if t.batch != nil {
			o.tookLocked(t.batch, t.sub, n)
		} else {
			o.remainder.take(n)
			timedOut = timedOut || n < len(t.buf) && o.remainder.overdue(time.Now())
		}
	}
	switch {
	case err != nil && !timedOut, timedOut && o.end >= endTooSlow:
		o.failLocked()
		o.mu.Unlock()
		o.closeFailed()
		return false
	case timedOut: // one more second to take the farewell
		o.end, o.farewellBy = endTooSlow, o.shared.clock()+closeTimeout
		o.mu.Unlock()
		o.owner.tooSlow()
		return true
	case n < len(t.buf) && !block:
		o.mu.Unlock()
		o.flushLater()
		return false
	case t.batch == nil && o.remainder.left() == 0 && o.remainder.farewell:
		o.endLocked(endClosed)
		o.state = stateIdle
		o.mu.Unlock()
		o.sink.Finish()
		o.mu.Lock()
		o.overLocked()
		o.mu.Unlock()
		return false
	case t.batch == nil && o.remainder.left() == 0:
		o.remainder = nil
	}
	o.mu.Unlock()
	return true
}
