package room

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
)

// Session is the hub's side of a connection. The transport that called [Hub.Connect] calls Receive,
// Seen and ControlFrame from the one goroutine that reads the connection, and End when that reader
// has ended. Every other method is safe for concurrent use. No method blocks, except Receive for a
// peer that does not read its answers.
type Session struct {
	// Fixed at creation.
	hub *Hub
	out *outlet
	viewer
	id       string
	remote   string
	since    time.Time
	verifier auth.Verifier

	// Owned by the reader.
	messages, controls bucket
	excesses           excesses

	seen   atomic.Int64 // when the last byte arrived; see Hub.clock
	said   atomic.Int64 // when the last message arrived
	spoken atomic.Bool  // a message has arrived
	held   atomic.Bool  // the transport has the outlet's token, until Open
	ended  atomic.Bool  // End was called

	verifying atomic.Bool  // a call of the verifier has not returned
	callbacks atomic.Int32 // functions of the Observer that run for this connection

	// Receive had to wait: more than a burst may have arrived meanwhile. Owned by the reader.
	patient bool

	inbox inbox

	mu       sync.Mutex // guards the following; taken after room.mu and inbox.mu
	identity auth.Identity
	members  []*member          // at most Options.RoomsPerConnection
	renewals uint32             // how often identity was replaced
	closing  bool               // no room is joined any more
	code     protocol.CloseCode // why it is closing
	renewed  time.Time          // last authenticate
	deadlines
	done chan struct{} // see Done; nil if it was not called

	forgotten bool // forgetSession was called: nothing is written any more; guarded by Hub.mu
}

// unregister forgets s. It may be called more than once.
func (h *Hub) unregister(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, s)
	if !s.forgotten {
		h.closing.add(s.userID, s)
	}
	if own := without(h.users[s.userID], s); len(own) > 0 {
		h.users[s.userID] = own
	} else {
		delete(h.users, s.userID)
	}
}

// isOpen reports whether the connection is not being closed.
func (s *Session) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closing
}

// memberOfLocked returns the connection's place in a plan, or nil.
func (s *Session) memberOfLocked(planID string) *member {
	for _, m := range s.members {
		if m.room.id == planID {
			return m
		}
	}
	return nil
}

// memberOf returns the connection's place in a plan, or nil.
func (s *Session) memberOf(planID string) *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memberOfLocked(planID)
}

// ID is the connection ID in the greeting.
func (s *Session) ID() string { return s.id }

// ClientID is the client ID of the connection, or its connection ID if the client sent none.
func (s *Session) ClientID() string { return s.clientID }

// UserID is the user whose connection this is.
func (s *Session) UserID() string { return s.userID }

// Identity is the identity of the token that was verified last.
func (s *Session) Identity() auth.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity
}

// sessionID is the SessionID of the identity, which a renewal does not change.
func (s *Session) sessionID() string { return s.Identity().SessionID }

// Info names the connection for observers.
func (s *Session) Info() ConnectionInfo {
	return ConnectionInfo{ID: s.id, ClientID: s.clientID, UserID: s.userID, RemoteAddr: s.remote, ConnectedAt: s.since}
}

// Open ends ConnectOptions.Hold: the hub writes what waits, the greeting first. Without Hold, Open
// does nothing.
func (s *Session) Open() {
	if s.held.Swap(false) {
		s.out.run()
	}
}

// Seen reports a byte from the peer.
func (s *Session) Seen() { s.seen.Store(s.hub.clock()) }

func (s *Session) lastSeen() time.Time { return s.hub.start.Add(time.Duration(s.seen.Load())) }

// lastMessage is when the peer last sent a message, or else when it connected.
func (s *Session) lastMessage() time.Time {
	if n := s.said.Load(); n != 0 {
		return s.hub.start.Add(time.Duration(n))
	}
	return s.since
}

// ControlFrame counts a control frame of the peer, which the transport answers on its own.
func (s *Session) ControlFrame() {
	if now := s.hub.clock(); !s.controls.take(now, controlRate, controlBurst) && s.excesses.add(now) {
		s.Close(protocol.CloseRateLimited)
	}
}

// WriteControl writes a control frame of the transport at the next frame boundary. It replaces one
// that still waits. frame is copied.
func (s *Session) WriteControl(frame []byte) { s.out.control(frame) }

// Done is closed when the connection is over: the transport has called End, and nothing writes any
// more.
func (s *Session) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doneLocked()
}

// doneLocked returns the channel of Done, which most connections do not need.
func (s *Session) doneLocked() chan struct{} {
	if s.done == nil {
		s.done = make(chan struct{})
	}
	return s.done
}

// over closes the channel of Done.
func (s *Session) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.doneLocked())
}

// CloseFrame ends the connection with a close frame of the transport, as the answer to that of the
// peer or after broken framing. The hub sends no goodbye before it. frame is copied.
func (s *Session) CloseFrame(code protocol.CloseCode, frame []byte) {
	if s.leaveAll(code) {
		s.out.close(append([]byte(nil), frame...))
	}
}

// Close ends the connection: goodbye, then a close frame with the same code. A second call does
// nothing.
func (s *Session) Close(code protocol.CloseCode) { s.closeAfter(code, -1) }

// closeAfter is Close with the time after which the client may reconnect; negative means what the
// code advises. It reports whether the connection was open.
func (s *Session) closeAfter(code protocol.CloseCode, retry time.Duration) bool {
	if !s.leaveAll(code) {
		return false
	}
	s.out.close(s.farewell(code, retry))
	return true
}

func (s *Session) farewell(code protocol.CloseCode, retry time.Duration) []byte {
	f := s.out.framing
	if retry < 0 {
		retry = code.Advice().RetryAfter()
	}
	goodbye := code.Goodbye(retry)
	if code == protocol.CloseRateLimited {
		goodbye.Reason = "too many messages" // not connections: Connect limits those
	}
	b := f.AppendMessage(nil, mustEncode(protocol.TypeGoodbye, "", goodbye))
	return f.AppendClose(b, code, goodbye.Reason)
}

// beginClosing reports whether the caller is the first to end the connection, and returns the rooms
// that it is in, and those plans that the client has asked to leave.
func (s *Session) beginClosing(code protocol.CloseCode) (members []*member, left map[string]bool, first bool) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil, nil, false
	}
	s.closing, s.code = true, code
	members = slices.Clone(s.members)
	s.hub.timers.stop(&s.deadlines.timer)
	s.mu.Unlock()
	left = s.inbox.close()
	if code == protocol.CloseTooSlow {
		s.hub.stats.tooSlow.Add(1)
	}
	return members, left, true
}

// leaveAll takes the connection out of its rooms and out of the hub. It reports whether it was
// open.
func (s *Session) leaveAll(code protocol.CloseCode) bool {
	members, left, first := s.beginClosing(code)
	if !first {
		return false
	}
	d := departure{departLinger, LeaveClosed}
	switch code {
	case protocol.CloseUnauthorized, protocol.CloseForbidden, protocol.CloseTimeout:
		d.manner = departNow
	}
	s.hub.unregister(s)
	for _, m := range members {
		if left[m.room.id] {
			s.depart(m, departure{departNow, LeaveRequested})
		} else {
			s.depart(m, d)
		}
	}
	return true
}

// depart takes m out of its room. It reports whether it was in.
func (s *Session) depart(m *member, d departure) bool { return s.departWith(m, d, nil) }

// departWith is depart, and queues a last message about the plan unless that is nil. The caller has
// to call outlet.start.
func (s *Session) departWith(m *member, d departure, last []byte) bool {
	if !m.room.remove(m, d, last) {
		return false
	}
	s.forgetMember(m, d.reason)
	return true
}

// forgetMember follows the removal of m from its room.
func (s *Session) forgetMember(m *member, reason LeaveReason) {
	s.mu.Lock()
	s.members = without(s.members, m)
	announced := m.announced
	m.left = &reason
	s.mu.Unlock()
	if announced { // otherwise the join that is in flight observes the leave after the join
		s.observeLeave(m, reason)
	}
}

// observeLeave counts the leave of m, and calls Observer.Leave.
func (s *Session) observeLeave(m *member, reason LeaveReason) {
	s.hub.stats.left.add(reason)
	if f := s.hub.opts.Observer.Leave; f != nil {
		s.hub.observe(s, func() { f(LeaveInfo{Connection: s.Info(), PlanID: m.room.id, Reason: reason}) })
	}
}

// End reports that the transport's reader has ended, with the close code of the peer or
// [protocol.CloseAbnormal]. It cuts the connection if it was not being closed already. The
// transport calls End exactly once; further calls do nothing.
func (s *Session) End(code protocol.CloseCode) {
	if s.ended.Swap(true) {
		return
	}
	if s.leaveAll(code) {
		s.out.abort()
	}
	s.Open() // a transport with Hold may end before it has called Open
	s.hub.wg.Go(s.awaitEnd)
}

// awaitEnd waits for the outlet, counts the end, and then calls Observer.Disconnect.
func (s *Session) awaitEnd() {
	h := s.hub
	defer h.open.Done()
	defer s.over()
	defer h.forgetSession(s)
	s.out.await()
	s.mu.Lock()
	code := s.code
	members := slices.Clone(s.members) // a drained connection stays in its rooms until here
	s.mu.Unlock()
	for _, m := range members {
		s.depart(m, departure{departSilent, LeaveClosed})
	}
	h.stats.closed.add(code)
	if f := h.opts.Observer.Disconnect; f != nil {
		h.call(s, func() { f(DisconnectInfo{Connection: s.Info(), Code: code}) })
	}
}

// forgetSession forgets a connection to which nothing is written any more.
func (h *Hub) forgetSession(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.forgotten = true
	h.closing.remove(s.userID, s)
	h.releaseAccountLocked(s)
}

// closeLater is Close for callers that must not call the Observer: timers, and holders of a lock.
func (s *Session) closeLater(code protocol.CloseCode) {
	s.hub.wg.Go(func() { s.Close(code) })
}
