package room

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// maxAsked bounds how often one join calls Authorize because Revoke was called meanwhile. The
// counters of Revoke are striped, so the calls need not be about this user. In practice only an
// Authorize that calls Revoke itself reaches this bound.
const maxAsked = 8

// permit is the result of a join that Authorize allowed.
type permit struct {
	at          time.Time
	renewals    int // which identity of the session was asked about; see Session.renewals
	revocations *atomic.Uint64
	count       uint64 // of revocations, read before the call
}

// stale reports whether access may have been revoked since Authorize was called. It is decisive
// under the room's lock: Revoke raises the counter before it looks for members, so either a join
// sees the new count, or Revoke sees the member.
func (p *permit) stale() bool { return p.revocations.Load() != p.count }

// join enters a room, or answers a repeated join.
func (s *Session) join(t *turn) outcome {
	h, req := s.hub, &t.in.req
	switch {
	case t.full:
		s.fail(req.PlanID, req.Type, protocol.ErrorTooManyRooms)
		return handled
	case errors.Is(t.refused, ErrHubClosed):
		return handled // Shutdown sends goodbye
	case t.refused != nil:
		s.deny(req, t.refused)
		return handled
	}
	p := permit{revocations: h.revocation(req.PlanID, s.userID)}
	p.count = p.revocations.Load()
	s.mu.Lock()
	id := s.identity
	p.renewals = s.renewals
	s.mu.Unlock()
	err := h.access.ask(t.call, id, req.PlanID)
	switch {
	case err == errAbandoned:
		return abandoned
	case err != nil:
		s.deny(req, err)
		return handled
	}
	p.at = time.Now()
	switch {
	case s.enter(req, &p):
	case t.in.asked+1 < maxAsked:
		return handleAgain
	default:
		s.deny(req, errRevoking)
	}
	return handled
}

// deny refuses a join. err is the answer of Authorize, or why it gave none.
func (s *Session) deny(req *protocol.Request, err error) {
	h := s.hub
	h.stats.denied.Add(1)
	if f := h.opts.Observer.Denied; f != nil {
		h.observe(s, func() { f(s.Info(), req.PlanID, err) })
	}
	if errors.Is(err, ErrForbidden) {
		s.mu.Lock()
		m := s.memberOfLocked(req.PlanID)
		s.mu.Unlock()
		if m != nil { // a repeated join
			s.expel(m, protocol.Removed{Reason: "access ended"})
		}
		s.fail(req.PlanID, req.Type, protocol.ErrorForbidden)
		return
	}
	h.warn("join", errorKind(err), "room: authorization unavailable",
		"connection", s.id, "user", s.userID, "plan", req.PlanID, "error", err)
	s.fail(req.PlanID, req.Type, protocol.ErrorUnavailable)
	if errors.Is(err, errPanicked) {
		s.Close(protocol.CloseInternal)
	}
}

// enter makes the connection a member and answers the join. It reports false if the permit is
// stale: then it has done nothing.
func (s *Session) enter(req *protocol.Request, p *permit) bool {
	h := s.hub
	r, err := h.acquire(req.PlanID)
	if err != nil {
		return true // the hub is closing; Shutdown sends goodbye
	}
	if p.stale() {
		r.release()
		return false
	}
	m := newMember(s, r)
	s.mu.Lock()
	old := s.memberOfLocked(r.id)
	// The member of a repeated join may have been removed meanwhile, and other plans joined.
	full := old == nil && len(s.members) >= h.opts.RoomsPerConnection
	if s.closing || full {
		s.mu.Unlock()
		r.release()
		if full {
			s.fail(req.PlanID, req.Type, protocol.ErrorTooManyRooms)
		}
		return true
	}
	s.members = append(without(s.members, old), m)
	name := s.identity.Name
	renewed := s.renewals != p.renewals
	s.mu.Unlock()

	if old != nil && !r.exitLocked(old) {
		old = nil // another goroutine is removing it, and its user is not present any more
	}
	if old == nil {
		r.presence.enterLocked(s, name)
	}
	m.cur = cursor{next: r.log.next, events: r.log.next, notices: r.log.next}
	end := r.positionLocked()
	answer := &joinReply{m: m, position: end}
	r.trimLocked(time.Now())
	if since := req.Since; since != nil && since.Epoch == h.epoch {
		if index, ok := r.log.since(since.Seq, h.opts.HistoryEvents); ok {
			answer.recovered, answer.position = true, *since
			m.cur.next, m.cur.events = index, index
		}
	}
	r.enterLocked(m)
	r.release()

	if old != nil {
		old.endChecks()
		s.announced(m) // Observer.Join was called for old
	} else {
		s.announce(m, answer.recovered)
	}
	if req.Since != nil && !answer.recovered {
		s.resumeFailed(r.id, *req.Since, end)
	}
	var before *subscription
	if old != nil {
		before = &old.subscription
	}
	if !s.out.attach(&m.subscription, before, reply{plan: r.id, late: answer}) {
		s.fail(r.id, req.Type, protocol.ErrorForbidden) // removed meanwhile, or the connection ends
		return true
	}
	m.startChecks(p.at)
	if renewed {
		m.recheckNow() // Authorize was called with the previous identity
	}
	return true
}

// announce calls Observer.Join, and then Observer.Leave if the member has left meanwhile.
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

// announced records that Observer.Join was called, and calls Observer.Leave if the member has left
// meanwhile.
func (s *Session) announced(m *member) {
	s.mu.Lock()
	m.announced = true
	departed := m.departed
	s.mu.Unlock()
	if departed {
		s.observeLeave(m)
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
	h.logSome(slog.LevelInfo, "resume", string(reason), "room: a client could not resume and has to load its plan",
		"reason", string(reason), "connection", s.id, "user", s.userID, "plan", planID)
	if f := h.opts.Observer.ResumeFailed; f != nil {
		h.observe(s, func() {
			f(ResumeInfo{Connection: s.Info(), PlanID: planID, Since: since, Position: end, Reason: reason})
		})
	}
}
