package room

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// errNoSlot refuses a call while too many earlier ones have not returned.
var errNoSlot = errors.New("room: too many calls of Authorize have not returned after AuthorizeTimeout")

// slots limits how many calls of Authorize run at once, for joins and for rechecks:
// Options.AuthorizeParallel in the hub, authorizeUserParallel for one user. A call beyond a limit
// waits in a queue that is fair between users, see callQueues.
//
// A call that has not returned after AuthorizeTimeout is overdue: its holder continues without an
// answer, and its slot is free for the next call. The goroutine of an Authorize that ignores its
// context remains, so the calls that have not returned are limited as well, to twice the two limits
// above. While as many as that are overdue, a new call is refused with errNoSlot.
type slots struct {
	// Fixed at creation.
	ctx      context.Context // parent of the contexts of calls
	timers   *timers
	timeout  time.Duration // Options.AuthorizeTimeout
	parallel int           // Options.AuthorizeParallel
	perUser  int

	mu       sync.Mutex       // guards the following
	users    map[string]usage // users with a call that has not returned
	total    usage
	checking int   // running rechecks
	first    *call // running calls, in the order of their deadlines
	last     *call
	timer    *timer
	timed    bool // timer is set for the deadline of first, or an earlier one
	waiting  callQueues
	closed   bool
}

// usage counts calls that have not returned.
type usage struct {
	running int // within AuthorizeTimeout
	overdue int
}

// call is one call of Authorize, from the request for its slot until it has returned.
type call struct {
	lazyDeadline // the context that Authorize gets

	// Fixed at creation.
	slots  *slots
	holder holder
	userID string
	kind   callKind

	// The access of its user to its plan may have changed since access.ask began.
	revoked atomic.Bool
	lost    bool // holder.lost was called, or will be; owned by the goroutine of access.ask

	// Guarded by slots.mu.
	overdue        bool
	place          *place[*call] // in a queue; nil if it does not wait
	previous, next *call         // in the list of running calls

	flight flight // of a join; guarded by flights.mu
}

// isCheck reports whether the call is for a recheck and not for a join.
func (c *call) isCheck() bool { return c.kind != callJoin }

// holder owns a call. Its methods are called without a lock held, and do not block.
type holder interface {
	// granted is called for a call that has waited. If err is nil it runs from now on, and the
	// holder calls access.ask or call.finish; else it was refused.
	granted(c *call, err error)
	// lost is called when Authorize has given no answer and the goroutine that called it cannot go
	// on: AuthorizeTimeout has passed, or Authorize has ended the goroutine.
	lost(c *call, err error)
}

func (a *slots) init(ctx context.Context, ts *timers, timeout time.Duration, parallel int) {
	a.ctx, a.timers, a.timeout = ctx, ts, timeout
	a.parallel, a.perUser = parallel, min(authorizeUserParallel, parallel)
	a.users = make(map[string]usage)
}

// prepare fills in c, a new call.
func (a *slots) prepare(c *call, by holder, userID string, kind callKind) {
	c.Context, c.slots, c.holder, c.userID, c.kind = a.ctx, a, by, userID, kind
}

// begin starts c if a slot is free, or else queues it. If it returns true c runs, and the holder
// calls access.ask or finish. If it returns an error c was refused. Otherwise c waits until its
// holder is granted a slot, or calls cancel.
func (c *call) begin() (started bool, err error) {
	a, now := c.slots, time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	user := a.users[c.userID]
	switch {
	case a.closed:
		return false, ErrHubClosed
	case a.total.overdue >= 2*a.parallel, user.overdue >= 2*a.perUser:
		return false, errNoSlot
	case a.freeLocked() && a.freeFor(user) && (!c.isCheck() || a.checking < a.checkLimitLocked(now)):
		a.startLocked(c, user, now)
		return true, nil
	}
	a.waiting.push(c, now)
	return false, nil
}

// finish releases the slot of a call that has run. It reports whether holder.lost was called, or
// will be.
func (c *call) finish() (abandoned bool) {
	a := c.slots
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
		next.holder.granted(next, nil)
	}
	return abandoned
}

// cancel takes c out of the queue. It reports false if c does not wait any more, or never did.
func (c *call) cancel() bool {
	a := c.slots
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.place == nil {
		return false
	}
	a.waiting.remove(c)
	return true
}

// close drops all calls that wait, without an answer, and refuses new ones.
func (a *slots) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.waiting.removeAll()
}

// slotStats are gauges.
type slotStats struct{ running, overdue, joins, checks int }

func (a *slots) stats() slotStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slotStats{running: a.total.running, overdue: a.total.overdue, joins: a.waiting.joins(), checks: a.waiting.checks()}
}

// timeUp marks all running calls overdue whose deadline has passed, and starts waiting calls in
// their slots. It runs in the timers' goroutine.
func (a *slots) timeUp() {
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
			refused = append(refused, a.waiting.removeUser(c.userID)...)
		}
		started = append(started, a.grantLocked(c.userID)...)
	}
	if a.total.overdue >= 2*a.parallel {
		refused = append(refused, a.waiting.removeAll()...)
	}
	a.setTimerLocked(now)
	a.mu.Unlock()
	for _, c := range late {
		c.holder.lost(c, context.DeadlineExceeded)
	}
	for _, c := range started {
		c.holder.granted(c, nil)
	}
	for _, c := range refused {
		c.holder.granted(c, errNoSlot)
	}
}

// grantLocked starts the calls that have a slot now, after a call of the user has ended.
func (a *slots) grantLocked(userID string) (started []*call) {
	if a.waiting.joins()+a.waiting.checks() == 0 || a.closed {
		return nil
	}
	a.waiting.wake(userID)
	now := time.Now()
	mayStart := func(userID string) bool { return a.freeFor(a.users[userID]) }
	for a.freeLocked() {
		c := a.waiting.pop(mayStart, a.checking < a.checkLimitLocked(now))
		if c == nil {
			break
		}
		a.startLocked(c, a.users[c.userID], now)
		started = append(started, c)
	}
	return started
}

// freeLocked reports whether the hub has a free slot, freeFor whether a user has.
func (a *slots) freeLocked() bool {
	return a.total.running < a.parallel && a.total.running+a.total.overdue < 2*a.parallel
}

func (a *slots) freeFor(user usage) bool {
	return user.running < a.perUser && user.running+user.overdue < 2*a.perUser
}

// checkLimitLocked is how many rechecks may run at once. They are not urgent, so the limit is
// recheckParallel. It doubles for each recheckPatience that the oldest recheck has waited: a slow
// Authorize still checks each member in time, and a fast one never runs many rechecks at once.
func (a *slots) checkLimitLocked(now time.Time) int {
	limit := recheckParallel
	for wait := a.waiting.oldestCheck(now); wait >= recheckPatience && limit < a.parallel; wait -= recheckPatience {
		limit *= 2
	}
	return min(limit, a.parallel)
}

func (a *slots) startLocked(c *call, user usage, now time.Time) {
	c.deadline = now.Add(a.timeout)
	a.total.running++
	user.running++
	a.users[c.userID] = user
	if c.isCheck() {
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
func (a *slots) stopLocked(c *call) {
	a.total.running--
	if c.isCheck() {
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

func (a *slots) storeLocked(userID string, user usage) {
	if user == (usage{}) {
		delete(a.users, userID)
	} else {
		a.users[userID] = user
	}
}

// setTimerLocked sets the timer for the first deadline. The timer stays set when that call returns:
// a timer that finds nothing due costs less than a reset for every call.
func (a *slots) setTimerLocked(now time.Time) {
	if a.timed = a.first != nil; !a.timed {
		return
	}
	d := a.first.deadline.Sub(now)
	if a.timer == nil {
		a.timer = a.timers.after(d, a.timeUp)
	} else {
		a.timers.reset(a.timer, d)
	}
}
