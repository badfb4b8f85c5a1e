package room

import "context"

// lane is the messages of one plan, or of the connection itself.
type lane struct {
	s      *Session // fixed at creation
	planID string   // fixed at creation

	// Guarded by Session.mu.
	state          laneState
	head           *inbound  // the message that is next, or being handled
	opener         inbound   // the first message: head points to it, or to what was in tail
	tail           []inbound // messages after head
	call           *call     // for the join at the head: waiting, or granted
	refused        error     // for the join at the head: why it gets no call
	joining        bool      // the join at the head is counted in inbox.joining
	previous, next *lane     // in the inbox
}

type laneState uint8

const (
	laneReady   laneState = iota // a worker may handle the head
	laneWaiting                  // call waits for its slot
	laneRunning                  // a worker handles the head
)

// granted implements [caller].
func (l *lane) granted(c *call, err error) {
	s := l.s
	s.mu.Lock()
	current, closing := l.call == c, s.closing
	if current && !closing {
		l.state = laneReady
		if l.refused = err; err != nil {
			l.call = nil
		}
		s.wakeLocked()
	}
	s.mu.Unlock()
	if current && closing && err == nil {
		s.hub.access.finish(c)
	}
}

// overdue implements [caller]: a new worker takes the turn, refuses the join and goes on.
func (l *lane) overdue(c *call) {
	s := l.s
	s.mu.Lock()
	if l.call != c || s.closing {
		s.mu.Unlock()
		return // granted, dropInboxLocked or the worker gives the slot back
	}
	t := turn{lane: l, in: l.head, blocks: true}
	running := l.state == laneRunning
	if !running { // no worker has come to it in time: the join gets another call
		l.state, l.call = laneReady, nil
		s.wakeLocked()
	}
	s.mu.Unlock()
	if !running {
		s.hub.access.finish(c)
		return
	}
	s.hub.wg.Go(func() {
		s.deny(&t.in.req, context.DeadlineExceeded)
		s.endTurn(&t, handled)
		s.work()
	})
}

// lane returns the lane of a plan, or nil.
func (b *inbox) lane(planID string) *lane {
	for l := b.first; l != nil; l = l.next {
		if l.planID == planID {
			return l
		}
	}
	return nil
}

// add appends a message to the lane of a plan. It reports whether it opened the lane.
func (b *inbox) add(s *Session, planID string, in inbound) (opened bool) {
	b.count++
	if l := b.lane(planID); l != nil {
		l.tail = append(l.tail, in)
		return false
	}
	l := &lane{s: s, planID: planID, opener: in, previous: b.last}
	l.head = &l.opener
	if b.last == nil {
		b.first = l
	} else {
		b.last.next = l
	}
	b.last = l
	return true
}

// pop removes the first message of a lane, and the lane with its last one.
func (b *inbox) pop(l *lane) {
	b.count--
	if l.head.fence {
		b.fences--
	}
	if len(l.tail) > 0 {
		l.head, l.tail = &l.tail[0], l.tail[1:]
		return
	}
	if l.previous == nil {
		b.first = l.next
	} else {
		l.previous.next = l.next
	}
	if l.next == nil {
		b.last = l.previous
	} else {
		l.next.previous = l.previous
	}
}

// readyAfter reports whether a lane behind l is ready.
func (l *lane) readyAfter() bool {
	for l = l.next; l != nil; l = l.next {
		if l.state == laneReady {
			return true
		}
	}
	return false
}
