package room

import (
	"errors"
	"sync"
	"time"

	"github.com/planrooms/planrooms/auth"
)

var (
	// errAbandoned is returned for a call that took longer than AuthorizeTimeout: caller.overdue
	// has taken over, and the goroutine that made the call must do nothing more.
	errAbandoned = errors.New("room: the call of Authorize took too long")

	// errNoSlot refuses a call while too many earlier ones have not returned.
	errNoSlot = errors.New("room: too many calls of Authorize have not returned after AuthorizeTimeout")
)

// access calls Options.Authorize, for joins and for rechecks, and limits how many calls run at
// once: Options.AuthorizeParallel in the hub, authorizeUserParallel for one user. A call beyond a
// limit waits in a queue that is fair between users. Joins and rechecks have a queue each and start
// in turn, so neither waits for a backlog of the other.
//
// A call that has not returned after AuthorizeTimeout is overdue: its caller goes on without an
// answer, and its slot is free for the next call. The goroutine of an Authorize that ignores its
// context remains, so the calls that have not returned are limited as well, to twice the two limits
// above. While as many as that are overdue, a new call is refused with errNoSlot.
type access struct {
	hub      *Hub // fixed at creation
	parallel int  // fixed at creation: Options.AuthorizeParallel
	perUser  int  // fixed at creation

	mu         sync.Mutex       // guards the following; package comment: order of locks
	users      map[string]usage // users with a call that has not returned
	total      usage
	checking   int   // running rechecks
	first      *call // running calls, in the order of their deadlines
	last       *call
	timer      *timer
	timed      bool      // timer is set for the deadline of first, or an earlier one
	joins      fairQueue // calls that wait
	checks     fairQueue
	checkFirst bool // a recheck is the next to start, if one waits
	closed     bool
}

// usage counts calls that have not returned.
type usage struct {
	running int // within AuthorizeTimeout
	overdue int
}

// call is one call of Authorize, from the request for it until it has returned.
type call struct {
	lazyDeadline // the context that Authorize gets

	// Fixed at creation.
	caller caller
	userID string
	check  bool // a recheck, not a join

	// Guarded by access.mu.
	place          *place // in a queue; nil if it does not wait
	previous, next *call  // in the list of running calls
	overdue        bool
}

// caller receives the outcome of a call of Authorize. Its methods are called without a lock held,
// and do not block.
type caller interface {
	// granted is called for a call that has waited. If err is nil it runs from now on, and the
	// caller calls access.ask or access.finish; else it was refused.
	granted(c *call, err error)
	// overdue is called when AuthorizeTimeout has passed and Authorize has not returned.
	overdue(c *call)
}

func (a *access) init(h *Hub) {
	a.hub, a.parallel = h, h.opts.AuthorizeParallel
	a.perUser = min(authorizeUserParallel, a.parallel)
	a.users = make(map[string]usage)
}

func (a *access) newCall(by caller, userID string, check bool) *call {
	return &call{lazyDeadline: lazyDeadline{Context: a.hub.ctx}, caller: by, userID: userID, check: check}
}

// begin starts c if a slot is free, or else queues it. If it returns true c runs, and the caller
// calls ask or finish. If it returns an error c was refused. Otherwise c waits until its caller is
// granted a slot, or calls cancel.
func (a *access) begin(c *call) (started bool, err error) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	user := a.users[c.userID]
	switch {
	case a.closed:
		return false, ErrHubClosed
	case a.total.overdue >= 2*a.parallel, user.overdue >= 2*a.perUser:
		return false, errNoSlot
	case a.freeLocked() && a.freeFor(user) && (!c.check || a.checking < a.checkLimitLocked(now)):
		a.startLocked(c, user, now)
		return true, nil
	}
	a.queue(c).push(c, now)
	return false, nil
}

// ask calls Authorize for c, which runs, and returns its answer. It returns errAbandoned if
// caller.overdue was called meanwhile. c is over afterwards.
func (a *access) ask(c *call, id auth.Identity, planID string) error {
	h := a.hub
	err := h.catchPanic(func() error { return h.opts.Authorize(&c.lazyDeadline, id, planID) })
	abandoned := a.finish(c)
	late := c.end()
	switch {
	case abandoned:
		return errAbandoned
	case err == nil:
		return late // a yes that came too late
	}
	return err
}

// finish releases the slot of a call that has run. It reports whether caller.overdue was called
// meanwhile.
func (a *access) finish(c *call) (abandoned bool) {
	a.mu.Lock()
	user := a.users[c.userID]
	if c.overdue {
		a.total.overdue--
		user.overdue--
	} else {
		a.stopLocked(c)
		user.running--
	}
	a.storeLocked(c.userID, user)
	started := a.grantLocked(c.userID)
	abandoned = c.overdue
	a.mu.Unlock()
	for _, next := range started {
		next.caller.granted(next, nil)
	}
	return abandoned
}

// cancel takes c out of the queue. It reports false if c does not wait any more, or never did.
func (a *access) cancel(c *call) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.queue(c).remove(c)
}

// close drops all calls that wait, without an answer, and refuses new ones.
func (a *access) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.joins.removeAll()
	a.checks.removeAll()
}

// accessStats are gauges.
type accessStats struct{ running, overdue, joins, checks int }

func (a *access) stats() accessStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return accessStats{running: a.total.running, overdue: a.total.overdue, joins: a.joins.len(), checks: a.checks.len()}
}

// timeUp marks all running calls overdue whose deadline has passed, and starts waiting calls in
// their slots. It runs in the timers' goroutine.
func (a *access) timeUp() {
	now := time.Now()
	var late, started, refused []*call
	a.mu.Lock()
	for c := a.first; c != nil && !c.deadline.After(now); c = a.first {
		a.stopLocked(c)
		c.overdue = true
		a.total.overdue++
		user := a.users[c.userID]
		user.running--
		user.overdue++
		a.users[c.userID] = user
		late = append(late, c)
		if user.overdue >= 2*a.perUser {
			refused = append(refused, a.joins.removeUser(c.userID)...)
			refused = append(refused, a.checks.removeUser(c.userID)...)
		}
		started = append(started, a.grantLocked(c.userID)...)
	}
	if a.total.overdue >= 2*a.parallel {
		refused = append(refused, a.joins.removeAll()...)
		refused = append(refused, a.checks.removeAll()...)
	}
	a.setTimerLocked(now)
	a.mu.Unlock()
	for _, c := range late {
		c.caller.overdue(c)
	}
	for _, c := range started {
		c.caller.granted(c, nil)
	}
	for _, c := range refused {
		c.caller.granted(c, errNoSlot)
	}
}

// grantLocked starts the calls that have a slot now, after a call of the user has ended.
func (a *access) grantLocked(userID string) (started []*call) {
	if a.joins.len()+a.checks.len() == 0 || a.closed {
		return nil
	}
	a.joins.wake(userID)
	a.checks.wake(userID)
	now := time.Now()
	for a.freeLocked() {
		c := a.nextLocked(now)
		if c == nil {
			break
		}
		a.startLocked(c, a.users[c.userID], now)
		started = append(started, c)
	}
	return started
}

// nextLocked takes the next call that may start out of its queue, or returns nil.
func (a *access) nextLocked(now time.Time) *call {
	mayStart := func(userID string) bool { return a.freeFor(a.users[userID]) }
	mayCheck := a.checking < a.checkLimitLocked(now)
	if a.checkFirst && mayCheck {
		if c := a.checks.pop(mayStart); c != nil {
			a.checkFirst = false
			return c
		}
	}
	if c := a.joins.pop(mayStart); c != nil {
		a.checkFirst = true
		return c
	}
	if mayCheck {
		return a.checks.pop(mayStart)
	}
	return nil
}

// freeLocked reports whether the hub has a free slot, freeFor whether a user has.
func (a *access) freeLocked() bool {
	return a.total.running < a.parallel && a.total.running+a.total.overdue < 2*a.parallel
}

func (a *access) freeFor(user usage) bool {
	return user.running < a.perUser && user.running+user.overdue < 2*a.perUser
}

// checkLimitLocked is how many rechecks may run at once. They are not urgent, so the limit is
// recheckParallel. It doubles for each recheckPatience that the oldest recheck has waited: a slow
// Authorize still checks each member in time, and a fast one never runs many rechecks at once.
func (a *access) checkLimitLocked(now time.Time) int {
	limit := recheckParallel
	for wait := a.checks.oldest(now); wait >= recheckPatience && limit < a.parallel; wait -= recheckPatience {
		limit *= 2
	}
	return min(limit, a.parallel)
}

func (a *access) queue(c *call) *fairQueue {
	if c.check {
		return &a.checks
	}
	return &a.joins
}

func (a *access) startLocked(c *call, user usage, now time.Time) {
	c.deadline = now.Add(a.hub.opts.AuthorizeTimeout)
	a.total.running++
	user.running++
	a.users[c.userID] = user
	if c.check {
		a.checking++
	}
	if c.previous = a.last; c.previous == nil {
		a.first = c
	} else {
		c.previous.next = c
	}
	a.last = c
	if !a.timed {
		a.setTimerLocked(now)
	}
}

// stopLocked takes c out of the running calls.
func (a *access) stopLocked(c *call) {
	a.total.running--
	if c.check {
		a.checking--
	}
	if c.previous == nil {
		a.first = c.next
	} else {
		c.previous.next = c.next
	}
	if c.next == nil {
		a.last = c.previous
	} else {
		c.next.previous = c.previous
	}
	c.previous, c.next = nil, nil
}

func (a *access) storeLocked(userID string, user usage) {
	if user == (usage{}) {
		delete(a.users, userID)
	} else {
		a.users[userID] = user
	}
}

// setTimerLocked sets the timer for the first deadline. The timer stays set when that call returns:
// a timer that finds nothing due costs less than a reset for every call.
func (a *access) setTimerLocked(now time.Time) {
	if a.timed = a.first != nil; !a.timed {
		return
	}
	ts, d := &a.hub.timers, a.first.deadline.Sub(now)
	if a.timer == nil {
		a.timer = ts.after(d, a.timeUp)
	} else {
		ts.reset(a.timer, d)
	}
}
