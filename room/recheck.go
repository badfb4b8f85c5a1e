package room

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// errUnchecked is the reason when a member is removed because no recheck was completed in time.
var errUnchecked = errors.New("room: no recheck was completed in time")

// checks schedules the checks of one member's access. A member has at most one call of Authorize;
// further requests while that waits have no effect. A member also has a deadline, ReauthorizeEvery
// plus RemoveAfter after the last yes, which does not depend on the queue or on Authorize.
type checks struct {
	mu       sync.Mutex // guards the following; package comment: order of locks
	started  bool
	timer    *timer    // for due or, while there is a call, for the deadline; nil until needed
	due      time.Time // when Authorize is to be called again
	deadline time.Time // when the member is removed
	call     *call     // waiting or running; nil if none
	asking   bool      // Authorize is being asked
	again    bool      // a check was requested while asking or not started
	err      error     // of the last check; nil after a yes
}

// startChecks schedules the checks of a new member, whose access was granted at the given time.
func (m *member) startChecks(at time.Time) {
	k := &m.checks
	k.mu.Lock()
	defer k.mu.Unlock()
	if m.gone.Load() {
		return // endChecks comes after gone, under the same lock
	}
	m.allowedLocked(at)
	k.started = true
	if k.again {
		k.again = false
		m.checkLocked()
	}
	m.setTimerLocked(time.Now())
}

// allowedLocked schedules the next check and the deadline after a yes.
func (m *member) allowedLocked(at time.Time) {
	k, o := &m.checks, &m.room.hub.opts
	k.err = nil
	k.due = at.Add(lessATenth(o.ReauthorizeEvery))
	// Members who joined at the same moment are not removed at the same moment: their clients come
	// back at once.
	k.deadline = at.Add(o.ReauthorizeEvery + lessATenth(o.RemoveAfter))
}

// lessATenth returns d less a random part of up to a tenth.
func lessATenth(d time.Duration) time.Duration { return d - rand.N(d/10+1) }

// backlogAtLocked is when a check that still waits for its call causes a warning: half of
// RemoveAfter before the deadline.
func (m *member) backlogAtLocked() time.Time {
	return m.checks.deadline.Add(-m.room.hub.opts.RemoveAfter / 2)
}

// setTimerLocked sets the timer for the next check, warning or deadline.
func (m *member) setTimerLocked(now time.Time) {
	k := &m.checks
	at := k.deadline
	switch backlog := m.backlogAtLocked(); {
	case k.call == nil && k.due.Before(at):
		at = k.due
	case k.call != nil && backlog.After(now):
		at = backlog
	}
	ts := &m.room.hub.timers
	if k.timer == nil {
		k.timer = ts.after(at.Sub(now), m.tick)
	} else {
		ts.reset(k.timer, at.Sub(now))
	}
}

// tick starts a check, warns of the backlog, or removes the member, whichever is due. It runs in
// the timers' goroutine.
func (m *member) tick() {
	h, k := m.room.hub, &m.checks
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case m.gone.Load():
		return
	case !now.Before(k.deadline):
		h.removals.add(m)
		return
	case k.call == nil && !now.Before(k.due):
		m.checkLocked()
	case k.call != nil && !k.asking:
		h.wg.Go(h.warnOfBacklog)
	}
	m.setTimerLocked(now)
}

// recheckNow requests a check that begins after this moment: a call that already runs does not
// count.
func (m *member) recheckNow() {
	k := &m.checks
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case m.gone.Load():
	case k.asking, !k.started:
		k.again = true
	case k.call == nil:
		m.checkLocked()
		m.setTimerLocked(time.Now())
	}
}

// checkLocked requests a call of Authorize.
func (m *member) checkLocked() {
	h, k := m.room.hub, &m.checks
	c := h.access.newCall(m, m.s.userID, true)
	k.call = c
	switch started, err := h.access.begin(c); {
	case started:
		h.wg.Go(func() { m.check(c) })
	case err != nil:
		h.wg.Go(func() { m.checked(c, err) })
	case !time.Now().Before(m.backlogAtLocked()):
		h.wg.Go(h.warnOfBacklog)
	}
}

// granted implements [caller].
func (m *member) granted(c *call, err error) {
	m.room.hub.wg.Go(func() {
		if err != nil {
			m.checked(c, err)
		} else {
			m.check(c)
		}
	})
}

// overdue implements [caller].
func (m *member) overdue(c *call) {
	m.room.hub.wg.Go(func() { m.checked(c, context.DeadlineExceeded) })
}

// check calls Authorize for c, which has its slot.
func (m *member) check(c *call) {
	a, k := &m.room.hub.access, &m.checks
	k.mu.Lock()
	wanted := k.call == c         // or it is overdue, and checked knows
	k.asking = k.asking || wanted // from now on it is too late for a new identity
	k.mu.Unlock()
	if !wanted || m.gone.Load() {
		a.finish(c)
		return
	}
	if err := a.ask(c, m.s.Identity(), m.room.id); err != errAbandoned {
		m.checked(c, err)
	}
}

// checked stores the result of a check and schedules the next one. If Authorize said no, it removes
// the member. err is the answer of Authorize, or why there is none.
func (m *member) checked(c *call, err error) {
	h, s, k := m.room.hub, m.s, &m.checks
	if m.gone.Load() || h.ctx.Err() != nil {
		return
	}
	result := RecheckKept
	switch {
	case errors.Is(err, ErrForbidden):
		result = RecheckRemoved
	case err != nil:
		result = RecheckUndecided
	}
	k.mu.Lock()
	now := time.Now()
	k.call, k.asking, k.err = nil, false, err
	switch result {
	case RecheckKept:
		m.allowedLocked(now)
	case RecheckUndecided:
		k.due = now.Add(lessATenth(min(recheckRetry, h.opts.ReauthorizeEvery)))
	}
	if k.again && result != RecheckRemoved {
		k.again = false
		m.checkLocked()
	}
	if !m.gone.Load() {
		m.setTimerLocked(now)
	}
	k.mu.Unlock()

	switch result {
	case RecheckRemoved:
		if !s.expel(m, protocol.Removed{Reason: "access ended"}) {
			return // it has left meanwhile
		}
		h.stats.removedForbidden.Add(1)
	case RecheckUndecided:
		h.stats.rechecksUndecided.Add(1)
		h.warn("recheck", errorKind(err), "room: the access of a member could not be checked; it is removed if that does not change",
			"connection", s.id, "user", s.userID, "plan", m.room.id, "error", err)
	}
	h.stats.rechecks.Add(1)
	h.rechecked(m, result, err)
	if errors.Is(err, errPanicked) {
		s.Close(protocol.CloseInternal)
	}
}

// endChecks stops the timer and cancels a waiting call. It is called once m is gone.
func (m *member) endChecks() {
	h, k := m.room.hub, &m.checks
	k.mu.Lock()
	defer k.mu.Unlock()
	h.timers.stop(k.timer)
	if k.call != nil && h.access.cancel(k.call) {
		k.call = nil
	}
}

func (h *Hub) warnOfBacklog() {
	s := h.access.stats()
	h.warn("backlog", "", "room: rechecks are late; a member without one in time is removed",
		"waiting", s.checks, "running", s.running, "overdue", s.overdue, "parallel", h.opts.AuthorizeParallel)
}
