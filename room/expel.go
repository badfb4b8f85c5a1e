package room

import (
	"cmp"
	"errors"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
)

// departRemoved takes m out of its room and queues removed for its connection in the same step, so
// that removed comes before the answer to a later join. sendRemoved has to follow. It reports
// whether m was in.
func (s *Session) departRemoved(m *member, reason LeaveReason, why protocol.Removed) bool {
	return s.departWith(m, departure{departNow, reason}, mustEncode(protocol.TypeRemoved, m.room.id, why))
}

// sendRemoved waits until no event of the plan can be written to m, at most until the given time,
// and sends the removed that departRemoved has queued.
func (m *member) sendRemoved(until time.Time) {
	m.fence(until)
	m.out.start()
}

// fence implements [departing].
func (m *member) fence(until time.Time) { m.out.fence(m.plan, until) }

// leftPlan implements [departing].
func (m *member) leftPlan(planID, userID string) bool {
	return concerns(m.plan, planID) && (userID == "" || userID == m.user()) && m.gone.Load()
}

// user implements [subject].
func (m *member) user() string { return m.s.userID }

// asked implements [subject].
func (m *member) asked() (id auth.Identity, planID string, resets uint16) {
	m.room.mu.Lock()
	resets = m.resets
	m.room.mu.Unlock()
	return m.s.Identity(), m.room.id, resets
}

// checked implements [subject]: it counts, observes and logs a check.
func (m *member) checked(err error) {
	h, s := m.room.hub, m.s
	result := RecheckKept
	switch {
	case denied(err):
		if !m.deny(err) {
			return // it has left meanwhile
		}
		result = RecheckRemoved
		h.stats.removedForbidden.Add(1)
	case err != nil:
		result = RecheckUndecided
		h.stats.rechecksUndecided.Add(1)
		h.logs.warn("recheck", errorKind(err), "room: access of a member could not be checked; the member is removed unless a later check succeeds",
			"connection", s.id, "user", s.userID, "plan", m.room.id, "error", err)
	default:
		h.stats.rechecksKept.Add(1)
	}
	h.rechecked(m, result, err)
	if errors.Is(err, errPanicked) {
		s.Close(protocol.CloseInternal)
	}
}

// deny removes m after Authorize has returned err, which denies access. It reports whether m was
// in. If another goroutine is removing it, deny waits too, until no event of the plan can be
// written to m.
func (m *member) deny(err error) (was bool) {
	s, h := m.s, m.room.hub
	h.denials.add(m)
	defer h.denials.remove(m)
	if errors.Is(err, ErrUnauthenticated) {
		was = s.depart(m, departure{departNow, LeaveForbidden})
		s.Close(protocol.CloseUnauthorized)
	} else {
		was = s.departRemoved(m, LeaveForbidden, protocol.Removed{Reason: accessEnded})
	}
	m.sendRemoved(time.Now().Add(fenceTimeout))
	return was
}

// departUnconfirmed implements [unconfirmed].
func (m *member) departUnconfirmed() bool {
	h := m.room.hub
	h.denials.add(m)
	if !m.s.departRemoved(m, LeaveUnconfirmed, protocol.Removed{Reason: "access could not be checked", Retry: true}) {
		h.denials.remove(m)
		m.recheck.settle()
		return false
	}
	return true
}

// removedUnconfirmed implements [unconfirmed].
func (m *member) removedUnconfirmed(out time.Time, err error) {
	h, s := m.room.hub, m.s
	m.sendRemoved(out.Add(fenceTimeout))
	h.denials.remove(m)
	m.recheck.settle()
	err = cmp.Or(err, errUnchecked)
	h.stats.removedUnconfirmed.Add(1)
	h.logs.warn("removed", errorKind(err), "room: a member was removed, because its access could not be checked",
		"connection", s.id, "user", s.userID, "plan", m.room.id, "error", err)
	h.rechecked(m, RecheckRemoved, err)
}
