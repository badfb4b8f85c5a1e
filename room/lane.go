package room

import "github.com/planrooms/planrooms/protocol"

// lane is the messages of one plan, or of the connection itself.
type lane struct {
	inbox  *inbox // fixed at creation
	planID string // fixed at creation

	// Guarded by inbox.mu.
	state          laneState
	joining        bool      // the join at the head is counted in inbox.joining
	head           *inbound  // the message that is next, or being handled
	opener         inbound   // the first message: head points to it, or to what was in tail
	tail           []inbound // messages after head
	call           *call     // for the join at the head: waiting, or with its slot
	spare          *call     // allocated together with the lane; nil once it is in use
	refused        error     // for the join at the head: why it gets no call
	previous, next *lane     // in the inbox
}

type laneState uint8

const (
	laneReady   laneState = iota // a worker may handle the head
	laneWaiting                  // call waits for its slot
	laneRunning                  // a worker handles the head
)

// newLane returns a lane with its first message.
func newLane(b *inbox, planID string, in inbound) *lane {
	var l *lane
	if in.is(protocol.TypeJoinPlan) { // it needs a call: one allocation serves for both
		both := new(struct {
			lane
			call
		})
		l, both.spare = &both.lane, &both.call
	} else {
		l = new(lane)
	}
	l.inbox, l.planID, l.opener = b, planID, in
	l.head = &l.opener
	return l
}

// newCall returns a call for the join at the head.
func (l *lane) newCall() *call {
	c := l.spare
	if l.spare = nil; c == nil {
		c = new(call)
	}
	return c
}

// granted implements [holder].
func (l *lane) granted(c *call, err error) {
	b := l.inbox
	b.mu.Lock()
	current, closed := l.call == c, b.closed
	if current && !closed {
		l.state = laneReady
		if l.refused = err; err != nil {
			l.call = nil
		}
		b.wakeLocked()
	}
	b.mu.Unlock()
	if current && closed && err == nil {
		c.finish()
	}
}

// lost implements [holder]: a new worker takes the turn over, refuses the join and continues.
func (l *lane) lost(c *call, err error) {
	b := l.inbox
	b.mu.Lock()
	current, running := l.call == c && !b.closed, l.state == laneRunning
	switch {
	case !current: // granted, inbox.close or the worker gives the slot back
	case running:
		t := turn{lane: l, in: l.head, refused: err, blocks: true}
		b.owner.start(func() { b.workFrom(t) })
	default: // no worker has reached it in time: the join gets another call
		l.state, l.call = laneReady, nil
		b.wakeLocked()
	}
	b.mu.Unlock()
	if current && !running {
		c.finish()
	}
}

// laneLocked returns the lane of a plan, or nil.
func (b *inbox) laneLocked(planID string) *lane {
	for l := b.first; l != nil; l = l.next {
		if l.planID == planID {
			return l
		}
	}
	return nil
}

// addLocked appends a message to the lane of a plan. It reports whether it opened the lane.
func (b *inbox) addLocked(planID string, in inbound) (opened bool) {
	b.count++
	if l := b.laneLocked(planID); l != nil {
		l.tail = append(l.tail, in)
		return false
	}
	l := newLane(b, planID, in)
	l.previous = b.last
	if b.last == nil {
		b.first = l
	} else {
		b.last.next = l
	}
	b.last = l
	return true
}

// popLocked removes the first message of a lane, and the lane with its last one.
func (b *inbox) popLocked(l *lane) {
	b.count--
	if l.head.barrier {
		b.barriers--
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

// leftLocked returns the plans whose last join or leave in the inbox is a leave.
func (b *inbox) leftLocked() (left map[string]bool) {
	note := func(in *inbound) {
		switch {
		case in.is(protocol.TypeJoinPlan):
			delete(left, in.planID())
		case in.is(protocol.TypeLeavePlan):
			if left == nil {
				left = make(map[string]bool)
			}
			left[in.planID()] = true
		}
	}
	// What waits for an authenticate in the connection's own lane is later than the rest.
	for _, own := range []bool{false, true} {
		for l := b.first; l != nil; l = l.next {
			if (l.planID == "") != own {
				continue
			}
			note(l.head)
			for i := range l.tail {
				note(&l.tail[i])
			}
		}
	}
	return left
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
