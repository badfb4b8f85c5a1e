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
	now := time.Now()
	s.said.Store(s.hub.clock())
	if !s.spoken.Swap(true) {
		s.mu.Lock()
		s.hub.timers.stop(s.silence)
		s.mu.Unlock()
	}
	if s.receive(now, message) {
		end := time.Now()
		s.late = true
		s.messages.forgive(end, end.Sub(now), messageRate)
		s.controls.forgive(end, end.Sub(now), controlRate)
	}
}

// receive reports whether it had to wait.
func (s *Session) receive(now time.Time, message []byte) (waited bool) {
	if !s.messages.take(now, messageRate, messageBurst) {
		return s.limited(now, message)
	}
	full, closing, waited := s.awaitSpace()
	switch {
	case closing:
	case full:
		return s.limited(now, message) || waited
	default:
		s.enqueue(decode(message))
	}
	return waited
}

func decode(message []byte) (in inbound) {
	var err error
	in.req, err = protocol.DecodeRequest(message)
	errors.As(err, &in.err)
	return in
}

// limited refuses a message that is over the rate. The message is decoded for the answer alone: of
// three excesses, which close the connection, at most two are answered.
func (s *Session) limited(now time.Time, message []byte) (waited bool) {
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

func (s *Session) handle(t *turn) outcome {
	if err := t.in.err; err != nil {
		s.reply(err.PlanID, protocol.TypeError, protocol.Error{Code: err.Code, Message: err.Message, Re: err.Re})
		return handled
	}
	switch req := &t.in.req; req.Type {
	case protocol.TypePing:
		s.out.send(reply{payload: mustEncode(protocol.TypePong, "", nil)})
	case protocol.TypeJoinPlan:
		return s.join(t)
	case protocol.TypeLeavePlan:
		s.leave(req)
	case protocol.TypeAuthenticate:
		s.authenticate(req)
	case protocol.TypeUpdatePresence:
		s.updatePresence(req)
	}
	return handled
}

func (s *Session) reply(planID string, t protocol.Type, data any) {
	s.out.send(reply{payload: mustEncode(t, planID, data)})
}

// errorTexts are for people who read frames; programs read the code.
var errorTexts = map[protocol.ErrorCode]string{
	protocol.ErrorForbidden:    "there is no such plan, or it is not yours",
	protocol.ErrorUnavailable:  "whether you may join could not be checked; try again",
	protocol.ErrorNotJoined:    "this connection is not in the plan",
	protocol.ErrorBadToken:     "the token was not accepted",
	protocol.ErrorRateLimited:  "too many messages",
	protocol.ErrorTooManyRooms: "this connection is in too many plans",
}

func (s *Session) fail(planID string, re protocol.Type, code protocol.ErrorCode) {
	s.reply(planID, protocol.TypeError, protocol.Error{Code: code, Message: errorTexts[code], Re: re})
}

func (s *Session) leave(req *protocol.Request) {
	s.mu.Lock()
	m := s.memberOfLocked(req.PlanID)
	s.mu.Unlock()
	if m != nil {
		s.out.encodeJoin(&m.subscription)
	}
	if m == nil || !s.depart(m, departNow) {
		s.fail(req.PlanID, req.Type, protocol.ErrorNotJoined)
		return
	}
	s.reply(req.PlanID, req.Type, protocol.LeaveAnswer{Success: true})
}

func (s *Session) updatePresence(req *protocol.Request) {
	s.mu.Lock()
	m := s.memberOfLocked(req.PlanID)
	s.mu.Unlock()
	if m == nil {
		s.fail(req.PlanID, req.Type, protocol.ErrorNotJoined)
		return
	}
	r := m.room
	r.mu.Lock()
	r.presence.setStateLocked(s, req.State)
	r.mu.Unlock()
}
