package room

import "github.com/planrooms/planrooms/protocol"

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
	first, last *lane // lanes with messages, in the order of their first message
	count       int   // messages in all lanes
	joining     int   // joins that have begun, of plans that the connection is not in
	fences      int   // messages in the connection's own lane that no later one may overtake
	free        int   // workers that are not blocked

	// behind: the workers have stopped because too much waited to be written, and there have been
	// messages since.
	behind bool
	space  chan struct{} // closed when a message has been handled; nil if no goroutine waits
}

// inbound is a message in the inbox.
type inbound struct {
	req   protocol.Request
	err   *protocol.RequestError // answered in its turn; nil if req is to be handled
	asked int                    // of a join: how often Authorize has allowed it
	fence bool                   // counted in inbox.fences
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

// turn is one message while a worker handles it. It has what the worker needs of the lane, which
// another worker continues if AuthorizeTimeout passes meanwhile.
type turn struct {
	lane    *lane
	in      *inbound // not changed during the turn
	call    *call    // of a join: it has its slot
	refused error    // of a join: why it gets no call
	full    bool     // of a join: the connection is in as many plans as it may be
	blocks  bool     // the worker is not free meanwhile
}

// outcome is the result of handling a message.
type outcome uint8

const (
	handled     outcome = iota
	handleAgain         // the message has to be handled again
	abandoned           // AuthorizeTimeout has passed, and another worker has taken over
)

// enqueue adds a message.
func (s *Session) enqueue(in inbound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	b := &s.inbox
	planID := in.planID()
	if in.fence = in.is(protocol.TypeAuthenticate) || b.fences > 0 && planID != ""; in.fence {
		b.fences++
		planID = ""
	}
	if b.add(s, planID, in) {
		s.wakeLocked()
	}
}

// awaitSpace reports whether the inbox is full, and whether the connection is closing, so that no
// further message is handled. If the inbox is full because too much waits to be written, the peer
// reads too slowly but does not exceed its rate. awaitSpace then waits, which stops the reader and,
// through flow control, the peer.
func (s *Session) awaitSpace() (full, closing, waited bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &s.inbox
	for b.count >= maxInbox && (b.behind || s.late) && !s.closing {
		if b.space == nil {
			b.space = make(chan struct{})
		}
		space := b.space
		s.mu.Unlock()
		<-space
		s.mu.Lock()
		waited = true
	}
	if b.count == 0 && s.messages.used > 0 {
		s.late = false // no more than a burst can come at once, which the inbox holds
	}
	return b.count >= maxInbox, s.closing, waited
}

// signalSpace ends the wait of awaitSpace.
func (b *inbox) signalSpace() {
	if b.space != nil {
		close(b.space)
		b.space = nil
	}
}

// continueInbox starts a worker after [outlet.pause] has stopped the workers.
func (s *Session) continueInbox() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inbox.first != nil {
		s.wakeLocked()
	}
}

// wakeLocked starts a worker unless one is free, which looks at all lanes before it ends.
func (s *Session) wakeLocked() {
	if s.inbox.free == 0 {
		s.inbox.free++
		s.hub.wg.Go(s.work)
	}
}

// work handles messages until there is none that it can begin.
func (s *Session) work() {
	for {
		t, ok := s.nextTurn()
		if !ok {
			return
		}
		o := s.handle(&t)
		if o == abandoned {
			return
		}
		s.endTurn(&t, o)
	}
}

// nextTurn begins the first message that can be handled. If there is none, the worker has to end.
func (s *Session) nextTurn() (t turn, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return t, false
	}
	b := &s.inbox
	// While too much waits to be written, no message is begun, since it might ask for more: resume
	// starts a worker later. A join that has its slot of access is handled, or it would hold that
	// meanwhile.
	paused := b.first != nil && s.out.pause()
	b.behind = paused || b.behind && b.first != nil
	for l := b.first; l != nil; l = l.next {
		if l.state != laneReady || paused && l.call == nil {
			continue
		}
		t.full = false
		if l.head.is(protocol.TypeJoinPlan) && !s.mayJoinLocked(l, &t.full) {
			continue
		}
		l.state = laneRunning
		t.lane, t.in, t.call, t.refused = l, l.head, l.call, l.refused
		if t.blocks = t.call != nil || t.in.is(protocol.TypeAuthenticate); t.blocks {
			b.free--
			if !paused && l.readyAfter() {
				s.wakeLocked()
			}
		}
		return t, true
	}
	b.free--
	return t, false
}

// mayJoinLocked reports whether the join at the head of l can be handled. It sets full if the
// connection is in as many plans as it may be. If the join cannot be handled, it can after another
// message was handled, or when its call is granted.
func (s *Session) mayJoinLocked(l *lane, full *bool) bool {
	b, h := &s.inbox, s.hub
	// A join whose call has begun is handled: enter refuses it if the connection is in too many
	// plans.
	if l.call == nil && l.refused == nil && !l.joining && s.memberOfLocked(l.planID) == nil {
		if len(s.members)+b.joining >= h.opts.RoomsPerConnection {
			*full = l == b.first && len(s.members) >= h.opts.RoomsPerConnection
			return *full
		}
		l.joining = true
		b.joining++
	}
	if l.call == nil && l.refused == nil {
		c := h.access.newCall(l, s.userID, false)
		started, err := h.access.begin(c)
		if l.refused = err; err == nil {
			l.call = c
			if !started {
				l.state = laneWaiting
				return false
			}
		}
	}
	return true
}

// endTurn takes the message of t out of the inbox, unless it has to be handled again.
func (s *Session) endTurn(t *turn, o outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	b, l := &s.inbox, t.lane
	if t.blocks {
		b.free++
	}
	if l.joining {
		l.joining = false
		b.joining--
	}
	l.state, l.call, l.refused = laneReady, nil, nil
	if o == handleAgain {
		l.head.asked++
		return
	}
	b.pop(l)
	b.signalSpace()
	// What waited for an authenticate goes to the lane of its plan.
	for own := b.lane(""); own != nil && own.head.planID() != ""; own = b.lane("") {
		in := *own.head
		b.pop(own)
		in.fence = false
		b.add(s, in.planID(), in)
	}
}

// dropInboxLocked empties the inbox of a connection that ends. It returns the calls that have their
// slot but no worker: access.finish has to be called for them without the lock.
func (s *Session) dropInboxLocked() (granted []*call) {
	for l := s.inbox.first; l != nil; l = l.next {
		switch {
		case l.state == laneWaiting:
			s.hub.access.cancel(l.call) // or granted is about to be called, and gives the slot back
		case l.state == laneReady && l.call != nil:
			granted = append(granted, l.call)
			l.call = nil
		}
	}
	s.inbox.signalSpace()
	s.inbox = inbox{}
	return granted
}
