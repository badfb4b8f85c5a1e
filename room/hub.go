package room

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Hub holds the rooms of all plans of this process. Create one with [NewHub] and end it with
// [Hub.Shutdown].
//
// All methods are safe for concurrent use. A callback of the host may call all of them but
// Shutdown, Recheck and RecheckUser, which wait for callbacks: call these there in a new goroutine.
type Hub struct {
	opts   Options         // fixed at creation
	ctx    context.Context // of callbacks; ends with the hub; fixed at creation
	cancel context.CancelFunc

	start time.Time // the zero of clock; fixed at creation

	timeline timeline       // changed by the cluster alone
	cluster  *cluster       // nil without an engine; fixed at creation
	rosters  *rosters       // nil without an engine; fixed at creation
	timers   timers         // has its own locks
	outlets  outlets        // fixed at creation
	conns    atomic.Uint64  // the last viewer.conn
	open     sync.WaitGroup // sessions
	wg       sync.WaitGroup // every goroutine of the hub
	seq      atomic.Uint64  // the last seq drawn
	returned atomic.Uint64  // counts returns of functions of the Observer
	stats    counters

	mu       sync.RWMutex // guards the following; not held while waiting for room.mu
	rooms    map[string]*room
	sessions map[*Session]struct{}
	users    map[string][]*Session
	accounts map[string]*account // of every user with a session that is not forgotten
	closing  index[*Session]     // no longer in users, but something may still be written to them
	floors   floors
	closed   bool
	drained  chan struct{} // closed when Shutdown is over
	janitor  periodic

	disconnects disconnects // guarded by mu, except for disconnects.calls

	// Each has its own lock or is fixed at creation.
	guard    guard
	access   access
	rechecks rechecks
	denials  denials
	logs     logLimiter
	onces    onces
	lingers  lockedIndex[*room] // where users linger, so that Disconnect finds them
	budget   budget
	journal  journal
}

// clock is the time since the hub was created, on the monotonic clock, so setting the wall clock
// does not change it.
func (h *Hub) clock() int64 { return h.clockAt(time.Now()) }

// clockAt is clock at a moment, which comes from time.Now.
func (h *Hub) clockAt(t time.Time) int64 { return int64(t.Sub(h.start)) }

// isClosed reports whether Shutdown has begun.
func (h *Hub) isClosed() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.closed
}

// isOver reports whether nothing can be published any more: Shutdown has begun or, with an engine,
// is about to close it.
func (h *Hub) isOver() bool {
	if h.cluster != nil {
		return h.cluster.closed.Load()
	}
	return h.isClosed()
}

// sessionsOf returns the connections of a user.
func (h *Hub) sessionsOf(userID string) ([]*Session, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.closed {
		return nil, ErrHubClosed
	}
	return slices.Clone(h.users[userID]), nil
}

// acquire returns the room of a plan, locked, and creates it if there is none. h.mu is released
// before the lock of the room is waited for, so a busy room delays calls for its own plan only. The
// caller ends with release. Error: [ErrHubClosed].
func (h *Hub) acquire(planID string) (*room, error) {
	for {
		h.mu.RLock()
		r, closed := h.rooms[planID], h.closed
		h.mu.RUnlock()
		switch {
		case closed:
			return nil, ErrHubClosed
		case r == nil:
			if r = h.create(planID); r != nil {
				return r, nil
			}
			continue
		}
		r.mu.Lock()
		switch {
		case r.closed:
			r.mu.Unlock()
			return nil, ErrHubClosed
		case !r.deleted:
			return r, nil
		}
		r.mu.Unlock()
		h.remove(r)
	}
}

// create adds a room for a plan and returns it, locked, so that it cannot be evicted before the
// caller has used it. It returns nil if the plan has a room already, or the hub is closed.
func (h *Hub) create(planID string) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.rooms[planID] != nil {
		return nil
	}
	r := newRoom(h, planID, h.floors.of(planID))
	r.mu.Lock() // does not wait: no other goroutine has the room yet
	h.rooms[planID] = r
	h.budget.held.Add(roomOverhead)
	r.unjoined = h.timers.after(h.unjoinedFor(), func() { h.sweepUnjoined(r) })
	r.touchLocked()
	h.janitor.startLocked()
	return r
}

// lookup returns the room of a plan, locked, or nil.
func (h *Hub) lookup(planID string) *room {
	for {
		h.mu.RLock()
		r := h.rooms[planID]
		h.mu.RUnlock()
		if r == nil || r.lockLive() {
			return r
		}
		h.remove(r)
	}
}

// Position returns the current position of a plan. Call it before you read the plan from the
// database, and send it to the client together with the plan. A client that joins with it as since
// receives all events since then. Position does not create a room. With an engine, it does no I/O,
// and the position is valid on all nodes; before the engine is open, clients that join with it load
// the plan.
// Errors: [ErrPlanID], [ErrHubClosed].
func (h *Hub) Position(_ context.Context, planID string) (protocol.Position, error) {
	if !protocol.ValidPlanID(planID) {
		return protocol.Position{}, ErrPlanID
	}
	for {
		h.mu.RLock()
		r, closed := h.rooms[planID], h.closed
		// Under h.mu, so that all of it is from before a reset, or from after it.
		at := h.timeline.position(h.timeline.current(), h.floors.of(planID))
		h.mu.RUnlock()
		switch {
		case closed:
			return protocol.Position{}, ErrHubClosed
		case r == nil:
			return at, nil
		case r.lockLive():
			defer r.mu.Unlock()
			return r.positionLocked(), nil
		}
		h.remove(r)
	}
}

// accountLocked returns the account of a user, for one more connection.
func (h *Hub) accountLocked(userID string) *account {
	a := h.accounts[userID]
	if a == nil {
		a = &account{limit: h.opts.QueuePerUser}
		h.accounts[userID] = a
	}
	a.sessions++
	return a
}

// releaseAccountLocked ends the use of the account by one connection.
func (h *Hub) releaseAccountLocked(s *Session) {
	if a := s.out.queue.account; a.sessions > 1 {
		a.sessions--
	} else {
		delete(h.accounts, s.userID)
	}
}
