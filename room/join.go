package room

import (
	"errors"
	"log/slog"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// maxAsked bounds how often one join calls Authorize because Revoke, Recheck or
// a similar method was called meanwhile. In practice only an Authorize that calls such a method
// itself reaches this bound.
const maxAsked = 8

// errEnding refuses a join of a connection that is being closed.
var errEnding = errors.New("room: the connection is being closed")

// arrival is a connection that has entered a room and has not been sent anything of it yet.
type arrival struct {
	m       *member
	old     *member // the place that m replaces, of a repeated join; nil if none
	reply   *joinReply
	end     protocol.Position // of the room's history
	renewed bool              // Authorize got an identity that has been replaced
}

// join handles a request to join. c has its slot of access, or refused is the reason why it has
// none. The caller has to call outlet.start, which writes the reply. join reports whether the
// request has to be handled again, because access may have changed meanwhile.
func (s *Session) join(in *inbound, c *call, refused error) (again bool) {
	h, req := s.hub, &in.req
	if refused != nil {
		s.deny(req, refused)
		return false
	}
	h.access.flights.add(c, req.PlanID)
	defer h.access.flights.remove(c, req.PlanID) // deferred: Authorize may call runtime.Goexit
	s.mu.Lock()
	id, renewal := s.identity, s.renewals
	s.mu.Unlock()
	p, err := h.access.request(c, &id, renewal, req.PlanID)
	if err != nil {
		s.deny(req, err)
		return false
	}
	if h.cluster != nil && !h.cluster.admit(req.Since) {
		s.deny(req, ErrNotReady)
		return false
	}
	a, err := s.enter(req, &p)
	switch {
	case err == errRevoking && in.asked+1 < maxAsked:
		return true
	case err != nil:
		s.deny(req, err)
		return false
	}
	s.announce(&a)
	if req.Since != nil && !a.reply.recovered {
		s.resumeFailed(req.PlanID, *req.Since, a.end)
	}
	if !s.attach(&a) {
		// Removed meanwhile, or the connection ends. No check begins, so Recheck must not wait for
		// one.
		a.m.recheck.end()
		if s.out.isSuspended(&a.m.subscription) {
			s.unanswered(a.m) // the history was dropped meanwhile
		} else {
			s.fail(req.PlanID, req.Type, protocol.ErrorForbidden)
		}
		return false
	}
	a.m.recheck.begin(&h.rechecks, a.m, p.at)
	if a.renewed {
		a.m.recheck.now()
	}
	return false
}

// deny refuses a join. err is the answer of Authorize, or why there is none.
func (s *Session) deny(req *protocol.Request, err error) {
	h := s.hub
	switch err {
	case errAbandoned, errEnding, ErrHubClosed:
		return // refused already; or the client gets goodbye
	case errFull:
		s.fail(req.PlanID, req.Type, protocol.ErrorTooManyRooms)
		return
	}
	h.stats.denied.Add(1)
	if f := h.opts.Observer.Denied; f != nil {
		h.observe(s, func() { f(DenialInfo{Connection: s.Info(), PlanID: req.PlanID, Err: err}) })
	}
	if errors.Is(err, ErrUnauthenticated) {
		s.Close(protocol.CloseUnauthorized)
		return
	}
	if errors.Is(err, ErrForbidden) {
		if m := s.memberOf(req.PlanID); m != nil { // a repeated join
			m.deny(err)
		}
		s.fail(req.PlanID, req.Type, protocol.ErrorForbidden)
		return
	}
	kind, message := errorKind(err), "room: authorization unavailable"
	if err == ErrNotReady {
		kind, message = "not ready", "room: a join was refused, because the node is not ready"
	}
	h.logs.warn("join", kind, message,
		"connection", s.id, "user", s.userID, "plan", req.PlanID, "error", err)
	s.fail(req.PlanID, req.Type, protocol.ErrorUnavailable)
	if errors.Is(err, errPanicked) {
		s.Close(protocol.CloseInternal)
	}
}

// enter makes the connection a member of the room. Errors, after which nothing has changed:
// errRevoking if the permit is stale, errFull, errEnding, and ErrHubClosed.
func (s *Session) enter(req *protocol.Request, p *permit) (a arrival, err error) {
	r, err := s.hub.acquire(req.PlanID)
	if err != nil {
		return a, err
	}
	defer r.release()
	if p.stale() {
		return a, errRevoking
	}
	m := newMember(s, r)
	name, err := s.addMember(m, p, &a)
	if err != nil {
		return a, err
	}
	if a.old != nil && !r.exitLocked(a.old, "") {
		a.old = nil // another goroutine is removing it, and its user is not present any more
	}
	if a.old == nil {
		r.presenceEnterLocked(s, name)
	}
	m.cur = cursor{next: r.log.next, seq: r.log.last, events: r.log.next, notices: r.log.next}
	a.m, a.end = m, r.positionLocked()
	a.reply = &joinReply{m: m, position: a.end}
	r.trimLocked(time.Now())
	if since := req.Since; since != nil && since.Epoch == r.epoch {
		if index, ok := r.log.since(since.Seq, s.hub.timeline.applied.Load(), s.hub.opts.HistoryEvents); ok {
			a.reply.recovered, a.reply.position = true, *since
			m.cur.next, m.cur.seq, m.cur.events = index, since.Seq, index
		}
	}
	m.begin, m.recovered = beginning{at: s.hub.clock(), seq: m.cur.seq}, a.reply.recovered
	r.enterLocked(m)
	return a, nil
}

// addMember makes m the connection's place in its plan. It notes in a which place m replaces, and
// whether the permit is about an earlier identity, and returns the name of the user. Errors:
// errFull, errEnding.
func (s *Session) addMember(m *member, p *permit, a *arrival) (name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.old = s.memberOfLocked(m.room.id)
	switch {
	case s.closing:
		return "", errEnding
	case a.old == nil && len(s.members) >= s.hub.opts.RoomsPerConnection:
		return "", errFull // the member of a repeated join was removed, and other plans were joined
	}
	s.members = append(without(s.members, a.old), m)
	a.renewed = s.renewals != p.renewal
	return s.identity.Name, nil
}

// announce calls Observer.Join for a first join, and then Observer.Leave if the member has left
// meanwhile.
func (s *Session) announce(a *arrival) {
	h := s.hub
	if a.old != nil {
		a.old.recheck.end()
		s.markAnnounced(a.m) // Observer.Join was called for old
		return
	}
	recovered := a.reply.recovered
	if recovered {
		h.stats.recovered.Add(1)
	} else {
		h.stats.notRecovered.Add(1)
	}
	ok := true
	if f := h.opts.Observer.Join; f != nil {
		ok = h.call(s, func() {
			f(JoinInfo{Connection: s.Info(), PlanID: a.m.room.id, Recovered: recovered, Position: a.end})
		})
	}
	s.markAnnounced(a.m)
	if !ok { // now, so that the leave comes before the end of the connection
		s.Close(protocol.CloseInternal)
	}
}

// attach queues the reply to a join, after which the connection gets the entries of the room. It
// reports false if the connection or the membership has ended.
func (s *Session) attach(a *arrival) bool {
	var old *subscription
	if a.old != nil {
		old = &a.old.subscription
	}
	return s.out.attach(&a.m.subscription, old, reply{plan: a.m.room.id, late: a.reply})
}

// markAnnounced records that Observer.Join was called, and calls Observer.Leave if the member has
// left meanwhile.
func (s *Session) markAnnounced(m *member) {
	s.mu.Lock()
	m.announced = true
	left := m.left
	s.mu.Unlock()
	if left != nil {
		s.observeLeave(m, *left)
	}
}

// resumeFailed counts and logs a join that could not resume from since, and calls
// Observer.ResumeFailed.
func (s *Session) resumeFailed(planID string, since, end protocol.Position) {
	h := s.hub
	reason := ResumeTooOld
	switch {
	case since.Epoch != end.Epoch:
		reason = ResumeOtherEpoch
	case since.Seq > end.Seq:
		reason = ResumeAhead
	}
	h.stats.resumesFailed.Add(1)
	h.logs.log(slog.LevelInfo, "resume", string(reason), "room: a client could not resume and has to load its plan",
		"reason", string(reason), "connection", s.id, "user", s.userID, "plan", planID)
	if f := h.opts.Observer.ResumeFailed; f != nil {
		h.observe(s, func() {
			f(ResumeInfo{Connection: s.Info(), PlanID: planID, Since: since, Position: end, Reason: reason})
		})
	}
}
