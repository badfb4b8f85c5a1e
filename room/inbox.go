package room

import (
	"errors"
	"sync"

	"github.com/planrooms/planrooms/protocol"
)

// errFull refuses a join of a connection that is in as many plans as it may be.
var errFull = errors.New("room: this connection is in too many plans")

// inbox holds the messages of one connection that have not been handled. Each plan has a lane of
// its own, and the connection itself has one, for ping and authenticate. The messages of one lane
// are handled in order; joins of different plans overlap. Two rules go across lanes: a message that
// came after an authenticate is handled after it, so that a join is checked with the new identity;
// and a join that might exceed Options.RoomsPerConnection waits for everything that came before it.
//
// Workers handle the lanes. A worker exists only while there is work for it. Before one begins a
// message that may block (a join or an authenticate), it makes sure that another worker takes the
// lanes that are left.
type inbox struct {
	owner inboxOwner // fixed at creation

	mu          sync.Mutex // guards the following, and the lanes
	first, last *lane      // lanes with messages, in the order of their first message
	count       int32      // messages in all lanes
	joining     int32      // joins that have begun, of plans that the connection is not in
	barriers    int32      // messages in the connection's own lane that no later one may overtake
	free        int32      // workers that are not blocked

	// behind: the workers have stopped because too much waited to be written, and there have been
	// messages since.
	behind bool
	closed bool
	space  chan struct{} // closed when a message has been handled; nil if no goroutine waits
}

// inboxOwner is what an inbox needs from its connection. handle and closeBroken are called without
// inbox.mu, the others while it is held.
type inboxOwner interface {
	// handle handles a message. For a join, c has its slot, or refused is the reason why it has
	// none. It reports whether the message has to be handled again.
	handle(in *inbound, c *call, refused error) (again bool)
	// closeBroken closes the connection after a callback of the host has ended the worker.
	closeBroken()
	// prepareJoin fills in the call for a join.
	prepareJoin(c *call, by holder)
	// places reports whether the connection is in a plan, and how many more it may join.
	places(planID string) (in bool, free int)
	// pause reports whether no message may be begun, because too much waits to be written. If so,
	// inbox.resume is called later.
	pause() bool
	// start starts a goroutine.
	start(f func())
}

// inbound is a message in the inbox.
type inbound struct {
	req     protocol.Request
	err     *protocol.RequestError // answered in its turn; nil if req is to be handled
	asked   int                    // of a join: how often it has been handled before
	barrier bool                   // counted in inbox.barriers
}

// planID is the plan whose lane the message belongs to; "" for that of the connection.
func (in *inbound) planID() string {
	if in.err != nil {
		return in.err.PlanID
	}
	return in.req.PlanID
}

// is reports whether the message is a well-formed one of the type.
func (in *inbound) is(t protocol.Type) bool { return in.err == nil && in.req.Type == t }

// turn is one message while a worker handles it.
type turn struct {
	lane    *lane
	in      *inbound // not changed during the turn
	call    *call    // of a join: it has its slot
	refused error    // of a join: why it gets no call
	blocks  bool     // the worker is not free meanwhile
}

// enqueue adds a message.
func (b *inbox) enqueue(in inbound) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	planID := in.planID()
	if in.barrier = in.is(protocol.TypeAuthenticate) || b.barriers > 0 && planID != ""; in.barrier {
		b.barriers++
		planID = ""
	}
	if b.addLocked(planID, in) {
		b.wakeLocked()
	}
}

// awaitSpace returns how many messages the inbox holds, and reports whether it is closed. If it is
// full because too much waits to be written, the peer reads too slowly but does not exceed its
// rate. awaitSpace then waits, which stops the reader and, through flow control, the peer. With
// patient, it waits whenever the inbox is full.
func (b *inbox) awaitSpace(patient bool) (count int, closed, waited bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.count >= maxInbox && (b.behind || patient) && !b.closed {
		if b.space == nil {
			b.space = make(chan struct{})
		}
		space := b.space
		b.mu.Unlock()
		<-space
		b.mu.Lock()
		waited = true
	}
	return int(b.count), b.closed, waited
}

// signalSpaceLocked ends the wait of awaitSpace.
func (b *inbox) signalSpaceLocked() {
	if b.space != nil {
		close(b.space)
		b.space = nil
	}
}

// resume starts a worker after inboxOwner.pause has stopped the workers.
func (b *inbox) resume() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first != nil {
		b.wakeLocked()
	}
}

// revoke marks a join of the plan that is being handled: Authorize is called again for it.
func (b *inbox) revoke(planID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.laneLocked(planID); l != nil && l.call != nil {
		l.call.revoked.Store(true)
	}
}

// revokeAll marks all joins that are being handled, and adds their plans to plans.
func (b *inbox) revokeAll(plans map[string]struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := b.first; l != nil; l = l.next {
		if l.call != nil {
			l.call.revoked.Store(true)
			plans[l.planID] = struct{}{}
		}
	}
}

// close empties the inbox of a connection that ends, and gives back the slots that have no worker.
// It returns the plans that the messages in the inbox would have left.
func (b *inbox) close() (left map[string]bool) {
	var granted []*call
	b.mu.Lock()
	b.closed = true
	left = b.leftLocked()
	for l := b.first; l != nil; l = l.next {
		switch {
		case l.state == laneWaiting:
			l.call.cancel() // or granted is about to be called, and gives the slot back
		case l.state == laneReady && l.call != nil:
			granted = append(granted, l.call)
			l.call = nil
		}
	}
	b.first, b.last, b.count = nil, nil, 0
	b.signalSpaceLocked()
	b.mu.Unlock()
	for _, c := range granted {
		c.finish()
	}
	return left
}

// wakeLocked starts a worker unless one is free, which looks at all lanes before it ends.
func (b *inbox) wakeLocked() {
	if b.free == 0 {
		b.free++
		b.owner.start(b.work)
	}
}

// work handles messages until there is none that it can begin.
func (b *inbox) work() {
	growStack()
	b.workFrom(turn{})
}

// workFrom is work, and handles the message of t first unless t is empty.
func (b *inbox) workFrom(t turn) {
	defer func() {
		if t.lane != nil { // a callback of the host has called runtime.Goexit
			b.exited(&t)
		}
	}()
	for t.lane != nil || b.next(&t) {
		again := b.owner.handle(t.in, t.call, t.refused)
		lasts := b.end(&t, again)
		if t = (turn{}); !lasts {
			return
		}
	}
}

// next begins the first message that can be handled. If there is none, the worker has to end.
func (b *inbox) next(t *turn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	// While too much waits to be written, no message is begun, since it might ask for more: resume
	// starts a worker later. A join that has its slot is handled, or it would hold that meanwhile.
	paused := b.first != nil && b.owner.pause()
	b.behind = paused || b.behind && b.first != nil
	for l := b.first; l != nil; l = l.next {
		if l.state != laneReady || paused && l.call == nil {
			continue
		}
		if l.head.is(protocol.TypeJoinPlan) && !b.mayJoinLocked(l) {
			continue
		}
		l.state = laneRunning
		*t = turn{lane: l, in: l.head, call: l.call, refused: l.refused}
		if t.blocks = t.call != nil || t.in.is(protocol.TypeAuthenticate); t.blocks {
			b.free--
			if !paused && l.readyAfter() {
				b.wakeLocked()
			}
		}
		return true
	}
	b.free--
	return false
}

// lost reports whether another worker takes the turn over, or has done so.
func (t *turn) lost() bool { return t.call != nil && t.call.lost }

// mayJoinLocked reports whether the join at the head of l can be handled: it has its slot, or is
// refused. If it cannot, it can after another message was handled, or when its call is granted.
func (b *inbox) mayJoinLocked(l *lane) bool {
	if l.call != nil || l.refused != nil {
		return true
	}
	if !l.joining {
		in, free := b.owner.places(l.planID)
		switch {
		case in:
		case free > int(b.joining):
			l.joining = true
			b.joining++
		case free <= 0 && l == b.first:
			l.refused = errFull
			return true
		default:
			return false
		}
	}
	c := l.newCall()
	b.owner.prepareJoin(c, l)
	started, err := c.begin()
	if err != nil {
		l.refused = err
		return true
	}
	l.call = c
	if !started {
		l.state = laneWaiting
	}
	return started
}

// end takes the message of t out of the inbox, unless it has to be handled again. It reports
// whether the worker goes on: not if the connection has ended, or another worker takes the turn
// over.
func (b *inbox) end(t *turn, again bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := t.lane
	if b.closed || t.lost() {
		return false
	}
	if t.blocks {
		b.free++
	}
	if l.joining {
		l.joining = false
		b.joining--
	}
	l.state, l.call, l.refused = laneReady, nil, nil
	if again {
		l.head.asked++
		return true
	}
	b.popLocked(l)
	b.signalSpaceLocked()
	// What waited for an authenticate goes to the lane of its plan.
	for own := b.laneLocked(""); own != nil && own.head.planID() != ""; own = b.laneLocked("") {
		in := *own.head
		b.popLocked(own)
		in.barrier = false
		b.addLocked(in.planID(), in)
	}
	return true
}

// exited ends a turn whose worker a callback of the host has ended. The connection is closed, as
// after a panic, unless another worker takes the turn over.
func (b *inbox) exited(t *turn) {
	if !t.lost() {
		b.owner.closeBroken()
	}
}
