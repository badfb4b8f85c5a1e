package room

import (
	"errors"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Receive takes one complete message of the peer, and does not keep it. Workers that exist only
// while there is something to do handle the messages: those of one plan in order, and ping and
// authenticate in order. A slow Authorize delays the messages of its plan alone. Receive blocks
// only for a peer that sends messages faster than it reads the answers: while
// Options.QueuePerConnection is exceeded and the message is over the rate, or too many others have
// not been handled yet.
func (s *Session) Receive(message []byte) {
	now := s.hub.clock()
	s.said.Store(now)
	s.spoken.Store(true)
	if s.receive(now, message) {
		end := s.hub.clock()
		s.patient = true
		s.messages.forgive(end, time.Duration(end-now), messageRate)
		s.controls.forgive(end, time.Duration(end-now), controlRate)
	}
}

// receive reports whether it had to wait.
func (s *Session) receive(now int64, message []byte) (waited bool) {
	if !s.messages.take(now, messageRate, messageBurst) {
		return s.limited(now, message)
	}
	count, closed, waited := s.inbox.awaitSpace(s.patient)
	if count == 0 && s.messages.used > 0 {
		s.patient = false // at most a burst can arrive at once, which the inbox holds
	}
	switch {
	case closed:
	case count >= maxInbox:
		return s.limited(now, message) || waited
	default:
		s.inbox.enqueue(decode(message))
	}
	return waited
}

func decode(message []byte) (in inbound) {
	req, err := protocol.DecodeRequest(message)
	in.req = req
	if err != nil {
		var refused *protocol.RequestError // not in.err: As would move all of in to the heap
		errors.As(err, &refused)
		in.err = refused
	}
	return in
}

// limited refuses a message that is over the rate. The message is decoded for the answer alone: of
// three excesses, which close the connection, at most two are answered.
func (s *Session) limited(now int64, message []byte) (waited bool) {
	if s.excesses.add(now) {
		s.Close(protocol.CloseRateLimited)
		return false
	}
	in := decode(message)
	re := in.req.Type
	if in.err != nil {
		re = in.err.Re
	}
	waited = s.out.awaitQueue()
	s.fail(in.req.PlanID, re, protocol.ErrorRateLimited)
	return waited
}

// handle implements [inboxOwner].
func (s *Session) handle(in *inbound, c *call, refused error) (again bool) {
	if err := in.err; err != nil {
		s.reply(err.PlanID, protocol.TypeError, protocol.Error{Code: err.Code, Message: err.Message, Re: err.Re})
		return false
	}
	switch req := &in.req; req.Type {
	case protocol.TypePing:
		s.reply("", protocol.TypePong, nil)
	case protocol.TypeJoinPlan:
		again = s.join(in, c, refused)
		// Not in join, whose frame is large: so the worker's stack grows once, not twice.
		s.out.start()
	case protocol.TypeLeavePlan:
		s.leave(req)
	case protocol.TypeAuthenticate:
		s.authenticate(req)
	case protocol.TypeUpdatePresence:
		s.updatePresence(req)
	}
	return again
}

// closeBroken implements [inboxOwner].
func (s *Session) closeBroken() { s.closeLater(protocol.CloseInternal) }

// prepareJoin implements [inboxOwner].
func (s *Session) prepareJoin(c *call, by holder) {
	s.hub.access.slots.prepare(c, by, s.userID, callJoin)
}

// places implements [inboxOwner].
func (s *Session) places(planID string) (in bool, free int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memberOfLocked(planID) != nil, s.hub.opts.RoomsPerConnection - len(s.members)
}

// pause implements [inboxOwner].
func (s *Session) pause() bool { return s.out.pause() }

// start implements [inboxOwner].
func (s *Session) start(f func()) { s.hub.wg.Go(f) }

func (s *Session) leave(req *protocol.Request) {
	m := s.memberOf(req.PlanID)
	if m != nil {
		s.out.encodeJoin(&m.subscription)
	}
	if m == nil || !s.depart(m, departure{departNow, LeaveRequested}) {
		s.fail(req.PlanID, req.Type, protocol.ErrorNotJoined)
		return
	}
	s.reply(req.PlanID, req.Type, protocol.LeaveAnswer{Success: true})
}

func (s *Session) updatePresence(req *protocol.Request) {
	m := s.memberOf(req.PlanID)
	if m == nil {
		s.fail(req.PlanID, req.Type, protocol.ErrorNotJoined)
		return
	}
	m.room.setState(s, req.State)
}
