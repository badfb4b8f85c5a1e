package room

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
)

// inbound is a message waiting for the connection's worker.
type inbound struct {
	req protocol.Request
	err *protocol.RequestError // answered in its turn; nil if req is to be handled
}

// Receive takes one complete message of the peer, and does not keep it. A worker that exists only while there is something to do
// handles the messages of a connection in order, so a slow Authorize delays that connection alone. Receive blocks only for a peer
// that sends messages faster than it reads the answers: while Options.QueuePerConnection is exceeded and the
// message is over the rate, or too many others have not been handled yet.
func (s *Session) Receive(message []byte) {
	now := time.Now()
	s.said.Store(s.hub.clock())
	if !s.spoken.Swap(true) {
		s.mu.Lock()
		s.hub.timers.stop(s.silence)
		s.mu.Unlock()
	}
	var in inbound
	var err error
	in.req, err = protocol.DecodeRequest(message)
	errors.As(err, &in.err)
	waited := false
	if !s.messages.take(now, messageRate, messageBurst) || !s.enqueue(in, &waited) {
		s.limited(now, in, &waited)
	}
	if end := time.Now(); waited {
		s.late = true
		s.messages.forgive(end, end.Sub(now), messageRate)
		s.controls.forgive(end, end.Sub(now), controlRate)
	}
}

// limited refuses a message that is over the rate.
func (s *Session) limited(now time.Time, in inbound, waited *bool) {
	if s.excesses.add(now) {
		s.Close(protocol.CloseRateLimited)
		return
	}
	re := in.req.Type
	if in.err != nil {
		re = in.err.Re
	}
	*waited = s.out.awaitQueue() || *waited
	s.fail(in.req.PlanID, re, protocol.ErrorRateLimited)
}

// enqueue puts a message into the inbox. It reports false if the inbox is full. If that is because too much waits to be written, it is
// a matter of how fast the peer reads, and not of the rate: then enqueue waits, and so, in the end, does the peer.
func (s *Session) enqueue(in inbound, waited *bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.inbox) >= maxInbox && (s.behind || s.late) && !s.closing {
		s.awaitSpaceLocked()
		*waited = true
	}
	switch {
	case s.closing:
		return true
	case len(s.inbox) >= maxInbox:
		return false
	case len(s.inbox) == 0 && s.messages.used > 0:
		s.late = false // no more than a burst can come at once, which the inbox holds
	}
	s.inbox = append(s.inbox, in)
	s.startWorkerLocked()
	return true
}

// awaitSpaceLocked releases s.mu until the worker has taken a message or the connection is closing, and takes it again.
func (s *Session) awaitSpaceLocked() {
	if s.space == nil {
		s.space = make(chan struct{})
	}
	space := s.space
	s.mu.Unlock()
	<-space
	s.mu.Lock()
}

// tellSpaceLocked ends awaitSpaceLocked.
func (s *Session) tellSpaceLocked() {
	if s.space != nil {
		close(s.space)
		s.space = nil
	}
}

func (s *Session) startWorkerLocked() {
	if !s.working && len(s.inbox) > 0 {
		s.working = true
		s.hub.wg.Go(s.work)
	}
}

// resume starts the worker again after [writer.pause] has stopped it.
func (s *Session) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.startWorkerLocked()
}

// work handles the inbox until it is empty, or too much waits to be written: the next message may ask for more.
func (s *Session) work() {
	for {
		s.mu.Lock()
		if len(s.inbox) == 0 {
			s.inbox, s.working, s.behind = nil, false, false
			s.mu.Unlock()
			return
		}
		if s.out.pause() {
			s.behind, s.working = true, false
			s.mu.Unlock()
			return // resume starts another worker
		}
		s.tellSpaceLocked()
		in := s.inbox[0]
		s.inbox[0] = inbound{}
		s.inbox = s.inbox[1:]
		s.mu.Unlock()
		if gone := s.handle(in); gone {
			return
		}
	}
}

// handle reports whether another worker has taken the place of this one.
func (s *Session) handle(in inbound) (gone bool) {
	if in.err != nil {
		s.reply(in.err.PlanID, protocol.TypeError, protocol.Error{Code: in.err.Code, Message: in.err.Message, Re: in.err.Re})
		return false
	}
	switch req := in.req; req.Type {
	case protocol.TypePing:
		s.out.answer(answer{payload: mustEncode(protocol.TypePong, "", nil)})
	case protocol.TypeJoinPlan:
		return s.join(req)
	case protocol.TypeLeavePlan:
		s.leave(req)
	case protocol.TypeAuthenticate:
		s.authenticate(req)
	case protocol.TypeUpdatePresence:
		s.updatePresence(req)
	}
	return false
}

func (s *Session) reply(planID string, t protocol.Type, data any) {
	s.out.answer(answer{payload: mustEncode(t, planID, data)})
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

// maxAsked bounds how often one join asks Authorize because of revocations in the meantime. The counters are striped, so they need not
// be of this user; only an Authorize that itself calls Revoke gets this far.
const maxAsked = 8

// join enters a room, or answers a join again. It reports whether another worker has taken the place of this one.
func (s *Session) join(req protocol.Request) (gone bool) {
	h := s.hub
	s.mu.Lock()
	full := s.memberOfLocked(req.PlanID) == nil && len(s.members) >= h.opts.RoomsPerConnection
	s.mu.Unlock()
	if full {
		s.fail(req.PlanID, req.Type, protocol.ErrorTooManyRooms)
		return false
	}
	// Revoke raises the counter before it looks for members. If it did so after this read, either enter sees
	// another count and Authorize is asked again, or Revoke finds the member.
	counter := h.revocation(req.PlanID, s.userID)
	for range maxAsked {
		count := counter.Load()
		gone, err := s.authorizeJoin(req)
		if gone {
			return true
		}
		if err != nil {
			s.deny(req, err)
			return false
		}
		if s.enter(req, func() bool { return counter.Load() == count }) {
			return false
		}
	}
	s.deny(req, errRevoking)
	return false
}

func (s *Session) deny(req protocol.Request, err error) {
	h := s.hub
	h.stats.denied.Add(1)
	if f := h.opts.Observer.Denied; f != nil {
		h.observe(s, func() { f(s.Info(), req.PlanID, err) })
	}
	if errors.Is(err, ErrForbidden) {
		s.mu.Lock()
		m := s.memberOfLocked(req.PlanID)
		s.mu.Unlock()
		if m != nil { // it had been in until now
			s.expel(m, protocol.Removed{Reason: "access ended"})
		}
		s.fail(req.PlanID, req.Type, protocol.ErrorForbidden)
		return
	}
	h.opts.Logger.Warn("room: authorization unavailable", "connection", s.id, "user", s.userID, "plan", req.PlanID, "error", err)
	s.fail(req.PlanID, req.Type, protocol.ErrorUnavailable)
	if errors.Is(err, errPanicked) {
		s.Close(protocol.CloseInternal)
	}
}

// enter makes the connection a member and answers the join. It reports false if allowed, asked under the room's lock, says
// that the permission may be stale.
func (s *Session) enter(req protocol.Request, allowed func() bool) bool {
	h := s.hub
	r, err := h.acquire(req.PlanID)
	if err != nil {
		return true // the hub is closing, and will say goodbye
	}
	if !allowed() {
		r.release()
		return false
	}
	m := &member{s: s, out: s.out, room: r}
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		r.release()
		return true
	}
	old := s.memberOfLocked(r.id)
	s.members = append(without(s.members, old), m)
	name := s.identity.Name
	s.mu.Unlock()

	if old != nil && !r.exitLocked(old) {
		old = nil // it is just being removed, and its user is no longer present
	}
	var evict []*Session
	if old == nil {
		evict = r.presence.enterLocked(s, name)
	}
	m.cur = cursor{next: r.log.next, events: r.log.next, notices: r.log.next}
	answer := &joinAnswer{m: m, position: r.positionLocked()}
	r.trimLocked(time.Now())
	if since := req.Since; since != nil && since.Epoch == h.epoch {
		if index, ok := r.log.since(since.Seq, h.opts.HistoryEvents); ok {
			answer.recovered, answer.position = true, *since
			m.cur.next, m.cur.events = index, index
		}
	}
	r.enterLocked(m)
	r.release()
	closeAll(evict)

	if old != nil {
		old.endRechecks()
		s.announced(m) // the join was told when old came
	} else {
		s.announce(m, answer.recovered)
	}
	if !s.out.admit(m, old, answer) {
		s.fail(r.id, req.Type, protocol.ErrorForbidden) // it was removed at once, or nobody hears this
		return true
	}
	m.undecided(nil)
	return true
}

// announce tells the observer of a join, and of the leave if that came first.
func (s *Session) announce(m *member, recovered bool) {
	h := s.hub
	h.stats.joins.Add(1)
	if recovered {
		h.stats.recovered.Add(1)
	}
	ok := true
	if f := h.opts.Observer.Join; f != nil {
		ok = h.call(s, func() { f(s.Info(), m.room.id, recovered) })
	}
	s.announced(m)
	if !ok { // now, so that the leave comes before the end of the connection
		s.Close(protocol.CloseInternal)
	}
}

// announced notes that observers know of the join, and tells of the leave if that came first.
func (s *Session) announced(m *member) {
	s.out.mu.Lock()
	m.announced = true
	departed := m.departed
	s.out.mu.Unlock()
	if departed {
		s.observeLeave(m)
	}
}

func (s *Session) leave(req protocol.Request) {
	s.mu.Lock()
	m := s.memberOfLocked(req.PlanID)
	s.mu.Unlock()
	if m != nil {
		s.out.encodeJoin(m)
	}
	if m == nil || !s.depart(m, departNow) {
		s.fail(req.PlanID, req.Type, protocol.ErrorNotJoined)
		return
	}
	s.reply(req.PlanID, req.Type, protocol.LeaveAnswer{Success: true})
}

func (s *Session) updatePresence(req protocol.Request) {
	s.mu.Lock()
	m := s.memberOfLocked(req.PlanID)
	s.mu.Unlock()
	if m == nil {
		s.fail(req.PlanID, req.Type, protocol.ErrorNotJoined)
		return
	}
	r := m.room
	r.mu.Lock()
	evict := r.presence.setStateLocked(s, req.State)
	r.mu.Unlock()
	closeAll(evict)
}

// authenticate moves the expiry to that of a new token of the same user, and asks Authorize for each room again.
func (s *Session) authenticate(req protocol.Request) {
	h := s.hub
	now := time.Now()
	s.mu.Lock()
	tooSoon := !s.renewed.IsZero() && now.Sub(s.renewed) < authenticateEvery
	if !tooSoon {
		s.renewed = now
	}
	s.mu.Unlock()
	if tooSoon {
		s.fail("", req.Type, protocol.ErrorRateLimited)
		return
	}
	id, err := s.verify(req.Token)
	var expired *auth.ExpiredError
	switch {
	case err == nil:
	case errors.Is(err, auth.ErrInvalidToken), errors.Is(err, auth.ErrNoToken), errors.As(err, &expired):
		s.fail("", req.Type, protocol.ErrorBadToken)
		return
	default:
		h.opts.Logger.Warn("room: verifier unavailable", "connection", s.id, "user", s.userID, "error", err)
		s.fail("", req.Type, protocol.ErrorUnavailable)
		if errors.Is(err, errPanicked) {
			s.Close(protocol.CloseInternal)
		}
		return
	}
	if id.UserID != s.userID || !id.ExpiresAt.IsZero() && !time.Now().Before(id.ExpiresAt) {
		s.fail("", req.Type, protocol.ErrorBadToken)
		return
	}
	id.Name = clipName(id.Name)
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	s.identity = id
	members := slices.Clone(s.members)
	switch {
	case id.ExpiresAt.IsZero():
		h.timers.stop(s.expiry)
	case s.expiry == nil:
		s.expiry = h.timers.after(time.Until(id.ExpiresAt), s.expire)
	default:
		h.timers.reset(s.expiry, time.Until(id.ExpiresAt))
	}
	s.mu.Unlock()
	data := protocol.Authenticated{Success: true}
	if !id.ExpiresAt.IsZero() {
		data.ExpiresAt = &protocol.Timestamp{Time: id.ExpiresAt}
	}
	s.reply("", req.Type, data)
	for _, m := range members {
		m.room.rename(s.userID, id.Name)
	}
	for _, m := range members {
		h.recheckSoon(m)
	}
}

func (s *Session) verify(token string) (id auth.Identity, err error) {
	if s.verifier == nil {
		return auth.Identity{}, auth.ErrInvalidToken
	}
	type result struct{ id auth.Identity }
	got := make(chan result, 1) // not a variable: an abandoned call must not race with the return
	err = s.hub.guard(func(ctx context.Context) error {
		id, err := s.verifier.Verify(ctx, token)
		got <- result{id}
		return err
	})
	if err == nil {
		id = (<-got).id
	}
	return id, err
}
