package room

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/planrooms/planrooms/auth"
)

// errUnchecked is the reason when a member is removed because no recheck was completed in time.
var errUnchecked = errors.New("room: no recheck was completed in time")

// rechecks checks, at regular times, the access of the members of all rooms.
type rechecks struct {
	// Fixed at creation.
	access      *access
	timers      *timers
	logs        *logLimiter
	start       func(func())  // starts a goroutine of the hub
	every       time.Duration // Options.ReauthorizeEvery
	removeAfter time.Duration // Options.RemoveAfter

	removals removals
}

// recheck is the schedule of one member's checks. A member has at most one call of Authorize;
// further requests while that waits have no effect. A member also has a deadline, every plus
// removeAfter after the last yes, which does not depend on the queue or on Authorize.
type recheck struct {
	// Fixed before begin returns.
	all     *rechecks
	subject subject

	mu       sync.Mutex // guards the following
	begun    bool
	ended    bool
	asking   bool  // a call of Authorize is running
	again    bool  // a check was requested while asking, or before begin
	removing bool  // the member is being removed, and settle follows
	priority bool  // the next call is one that the host has requested
	timer    timer // for due or, while there is a call, for the deadline
	due      int64 // when Authorize is to be called again, as timers.at
	deadline int64 // when the member is removed
	call     *call // waiting or running; nil if none
	err      error // of the last check; nil after a yes
	awaited  *awaited
}

// subject is the member that a recheck is about. Its methods are called without recheck.mu, except
// user.
type subject interface {
	user() string
	// asked returns the arguments of the next call of Authorize, and how often the history of the
	// plan was dropped before it.
	asked() (id auth.Identity, planID string, resets uint16)
	// checked is called with the result of a check. It removes the member if that denies access.
	// No event of the plan is written to it then once checked has returned.
	checked(err error)
	// confirmed is called after checked(nil), unless another check follows at once. resets is what
	// asked has returned for the call: a yes from before the history was dropped does not count.
	confirmed(resets uint16)
	unconfirmed
}

// begin schedules the checks of a new member, whose access was granted at the given time.
func (k *recheck) begin(all *rechecks, of subject, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended {
		return
	}
	k.begun, k.all, k.subject = true, all, of
	k.timer = timer{f: k.tick}
	k.allowedLocked(all.timers.clock(at))
	if k.again {
		k.again = false
		k.checkLocked()
	}
	k.setTimerLocked(k.all.timers.now())
}

// end stops the checks of a member that has left, and cancels a call that waits.
func (k *recheck) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = true
	if !k.removing { // otherwise settle answers
		k.answerLocked(recheckLeft, nil)
	}
	if !k.begun {
		return
	}
	k.all.timers.stop(&k.timer)
	if k.call != nil && k.call.cancel() {
		k.call = nil
	}
}

// settle follows the removal of a member whose access was denied, or not confirmed in time.
func (k *recheck) settle() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.removing = false
	k.answerLocked(RecheckRemoved, nil)
}

// answerLocked passes a result to the inquiries that wait.
func (k *recheck) answerLocked(result RecheckResult, err error) {
	for a := k.awaited; a != nil; a = a.next {
		a.inquiry.answer(result, err)
	}
	k.awaited = nil
}

// answerAskedLocked passes the result of a check to the inquiries that it answers: those that were
// made before it began.
func (k *recheck) answerAskedLocked(result RecheckResult, err error) {
	if !k.asking { // no check began: this is why
		k.answerLocked(result, err)
		return
	}
	var later *awaited
	for a := k.awaited; a != nil; {
		next := a.next
		if a.asked {
			a.inquiry.answer(result, err)
		} else {
			a.next, later = later, a
		}
		a = next
	}
	k.awaited = later
}

// now requests a check that begins after this moment: a call that already runs does not count.
func (k *recheck) now() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.nowLocked()
}

// request is now, ahead of the checks at regular times, and passes the result to q.
func (k *recheck) request(q *inquiry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended && !k.removing {
		return
	}
	q.expect()
	k.awaited = k.awaited.with(q)
	k.priority = true
	if c := k.call; c != nil && c.kind == callRoutine && !k.asking && c.cancel() {
		k.call = nil // it gets a place in the other queue
	}
	k.nowLocked()
}

func (k *recheck) nowLocked() {
	switch {
	case k.ended, k.removing:
	case k.asking, !k.begun:
		k.again = true
	case k.call == nil:
		k.checkLocked()
		k.setTimerLocked(k.all.timers.now())
	}
}

// allowedLocked schedules the next check and the deadline after a yes.
func (k *recheck) allowedLocked(at int64) {
	k.err = nil
	k.due = at + int64(lessATenth(k.all.every))
	// Members that joined at the same moment are not removed at the same moment: their clients come
	// back at once.
	k.deadline = at + int64(k.all.every+lessATenth(k.all.removeAfter))
}

// lessATenth returns d less a random part of up to a tenth.
func lessATenth(d time.Duration) time.Duration { return d - rand.N(d/10+1) }

// backlogAtLocked is when a check that still waits for its call causes a warning: half of
// removeAfter before the deadline.
func (k *recheck) backlogAtLocked() int64 { return k.deadline - int64(k.all.removeAfter/2) }

// setTimerLocked sets the timer for the next check, warning or deadline.
func (k *recheck) setTimerLocked(now int64) {
	at := k.deadline
	switch backlog := k.backlogAtLocked(); {
	case k.call == nil && k.due < at:
		at = k.due
	case k.call != nil && backlog > now:
		at = backlog
	}
	k.all.timers.resetAt(&k.timer, at)
}

// tick starts a check, warns of the backlog, or removes the member, whichever is due. It runs in
// the timers' goroutine.
func (k *recheck) tick() {
	now := k.all.timers.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.ended:
		return
	case now >= k.deadline:
		k.removing = true
		k.all.removals.add(removal{k.subject, k.err})
		return
	case k.call == nil && now >= k.due:
		k.checkLocked()
	case k.call != nil && !k.asking:
		k.all.start(k.all.warnOfBacklog)
	}
	k.setTimerLocked(now)
}

// checkLocked requests a call of Authorize.
func (k *recheck) checkLocked() {
	c, kind := new(call), callRoutine
	if k.priority {
		kind = callRequested
	}
	k.all.access.slots.prepare(c, k, k.subject.user(), kind)
	k.call = c
	switch started, err := c.begin(); {
	case started:
		k.all.start(func() { k.check(c) })
	case err != nil:
		k.all.start(func() { k.checked(err) })
	case k.all.timers.now() >= k.backlogAtLocked():
		k.all.start(k.all.warnOfBacklog)
	}
}

// granted implements [holder].
func (k *recheck) granted(c *call, err error) {
	k.all.start(func() {
		if err != nil {
			k.checked(err)
		} else {
			k.check(c)
		}
	})
}

// lost implements [holder].
func (k *recheck) lost(_ *call, err error) {
	k.all.start(func() { k.checked(err) })
}

// check calls Authorize for c, which has its slot.
func (k *recheck) check(c *call) {
	k.mu.Lock()
	wanted := k.call == c && !k.ended // or it is lost, and checked knows
	k.asking = k.asking || wanted     // from now on it is too late for a new identity
	for a := k.awaited; a != nil && wanted; a = a.next {
		a.asked = true
	}
	k.mu.Unlock()
	if !wanted {
		c.finish()
		return
	}
	id, planID, resets := k.subject.asked()
	if err := k.all.access.ask(c, &id, planID); err != errAbandoned && k.checked(err) {
		k.subject.confirmed(resets)
	}
}

// checked takes the result of a check and schedules the next one. err is the answer of Authorize,
// or why there is none. It reports whether access is confirmed: by a yes, unless another check
// follows at once.
func (k *recheck) checked(err error) (confirmed bool) {
	if k.all.access.guard.ctx.Err() != nil {
		return false // the hub has ended
	}
	k.mu.Lock()
	if k.ended {
		k.mu.Unlock()
		return false
	}
	now := k.all.timers.now()
	no := denied(err)
	switch {
	case no:
		k.removing = true
	case k.removing:
	case err == nil:
		k.answerAskedLocked(RecheckKept, nil)
	default:
		k.answerAskedLocked(RecheckUndecided, err)
	}
	k.call, k.asking, k.err = nil, false, err
	switch {
	case err == nil:
		k.allowedLocked(now)
		k.priority = k.awaited != nil
	case !no:
		k.due = now + int64(lessATenth(min(recheckRetry, k.all.every)))
	}
	confirmed = err == nil && !k.again && !k.removing
	if k.again && !k.removing {
		k.again = false
		k.checkLocked()
	}
	k.setTimerLocked(now)
	k.mu.Unlock()
	k.subject.checked(err)
	if no {
		k.settle()
	}
	return confirmed
}

func (q *rechecks) warnOfBacklog() {
	s := q.access.slots.stats()
	q.logs.warn("backlog", "", "room: rechecks are late; a member without one in time is removed",
		"waiting", s.checks, "running", s.running, "overdue", s.overdue, "parallel", q.access.slots.parallel)
}
