package room

import "bytes"

// The end of a write: the outlet records what the sink has taken. The holder of the write token
// calls these functions.

// tookLocked records that n bytes of b have been written: it moves the cursor of sub or, if sub is
// nil, removes replies from the queue. It keeps a frame that was written in part as the remainder.
// Frames after that stay in the log or the queue, and are written again from there.
func (o *outlet) tookLocked(b *batch, sub *subscription, n int) {
	whole, part := b.split(n)
	begun := whole // items written at least in part
	if part > 0 {
		begun++
	}
	plan := ""
	if sub != nil {
		plan = sub.plan
		if begun > 0 {
			sub.cur = b.items[begun-1].after
		}
		if whole < len(b.items) {
			o.markDirtyLocked(sub)
		}
	} else {
		replies := 0
		for i := range b.items {
			switch isReply := b.items[i].control == notControl; {
			case i >= begun && !isReply:
				o.putBackLocked(b, i)
			case i < begun && isReply:
				plan = o.queue.replies[replies].plan
				replies++
			case i < begun:
				plan = ""
			}
		}
		o.queue.taken = 0
		o.queue.drop(0, replies)
		o.unpauseLocked()
	}
	if part > 0 {
		o.remainder = b.remainder(whole, part, plan, sub != nil)
		o.waiting = true
		o.owner.slow()
		if sub != nil && sub.suspended {
			o.cutLocked() // during the write; the rest must not follow
		}
	}
}

// putBackLocked puts back a control frame that a full socket has not taken, unless a newer one
// replaced it.
func (o *outlet) putBackLocked(b *batch, i int) {
	switch {
	case b.items[i].control == pingFrame:
		o.ping = true
	case o.pong == nil:
		o.pong = bytes.Clone(b.frame(i))
	}
}

// endCallLocked ends a call of the sink. It wakes the goroutines that wait for a frame boundary.
func (o *outlet) endCallLocked() {
	o.inSink, o.writingOf = false, ""
	if o.boundary != nil {
		close(o.boundary)
		o.boundary = nil
	}
}

// failLocked ends the connection after an error of the sink, and gives the token up. It is called
// in the section of mu that ends the call of the sink, so that no goroutine sees the call over and
// the connection alive: the sink may have taken bytes. closeFailed has to follow, without mu.
func (o *outlet) failLocked() {
	o.endLocked(endAborted)
	o.endCallLocked()
	o.state = stateIdle
}

// closeFailed follows failLocked.
func (o *outlet) closeFailed() {
	_ = o.sink.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.overLocked()
}
