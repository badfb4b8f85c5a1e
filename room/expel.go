package room

import (
	"cmp"
	"errors"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
)

// expel removes m, whose access Authorize has refused, from its room and sends its connection
// removed. It reports whether m was in.
func (s *Session) expel(m *member) bool {
	if !s.departRemoved(m, LeaveForbidden, protocol.Removed{Reason: "access ended"}) {
		return false
	}
	m.sendRemoved(time.Now().Add(fenceTimeout))
	return true
}

// departRemoved takes m out of its room and queues removed for its connection in the same step, so
// that removed comes before the answer to a later join. sendRemoved has to follow. It reports
// whether m was in.
func (s *Session) departRemoved(m *member, reason LeaveReason, why protocol.Removed) bool {
	return s.departWith(m, departure{departNow, reason}, mustEncode(protocol.TypeRemoved, m.room.id, why))
}

// sendRemoved waits until no event of the plan can be written to m, at most until the given time,
// and sends the removed that departRemoved has queued.
func (m *member) sendRemoved(until time.Time) {
	m.out.fence(m.room.id, until)
	m.out.start()
}

// user implements [subject].
func (m *member) user() string { return m.s.userID }

// asked implements [subject].
func (m *member) asked() (id auth.Identity, planID string) { return m.s.Identity(), m.room.id }

// checked implements [subject]: it counts, observes and logs a check.
func (m *member) checked(err error) {
	h, s := m.room.hub, m.s
	result := RecheckKept
	switch {
	case errors.Is(err, ErrForbidden):
		if !s.expel(m) {
			return // it has left meanwhile
		}
		result = RecheckRemoved
		h.stats.removedForbidden.Add(1)
	case err != nil:
		result = RecheckUndecided
		h.stats.rechecksUndecided.Add(1)
		h.logs.warn("recheck", errorKind(err), "room: the access of a member could not be checked; it is removed if that does not change",
			"connection", s.id, "user", s.userID, "plan", m.room.id, "error", err)
	default:
		h.stats.rechecksKept.Add(1)
	}
	h.rechecked(m, result, err)
	if errors.Is(err, errPanicked) {
		s.Close(protocol.CloseInternal)
	}
}

// departUnconfirmed implements [unconfirmed].
func (m *member) departUnconfirmed() bool {
	return m.s.departRemoved(m, LeaveUnconfirmed, protocol.Removed{Reason: "access could not be checked", Retry: true})
}

// removedUnconfirmed implements [unconfirmed].
func (m *member) removedUnconfirmed(out time.Time, err error) {
	m.sendRemoved(out.Add(fenceTimeout))
	h, s := m.room.hub, m.s
	err = cmp.Or(err, errUnchecked)
	h.stats.removedUnconfirmed.Add(1)
	h.logs.warn("removed", errorKind(err), "room: a member was removed, because its access could not be checked",
		"connection", s.id, "user", s.userID, "plan", m.room.id, "error", err)
	h.rechecked(m, RecheckRemoved, err)
}
