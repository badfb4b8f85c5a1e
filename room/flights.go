package room

import (
	"maps"
	"slices"
	"sync"
)

// flights holds the joins for which Authorize is being called, or that have not entered their room
// since, by plan: a change of the access to a plan reaches them here. The zero value is ready.
type flights struct {
	mu    sync.Mutex       // guards the following, and call.flight
	first map[string]*call // of each plan; the others follow it
}

// flight is the place of a call among those of its plan.
type flight struct{ previous, next *call }

// add adds a join of the plan, before access.ask begins.
func (f *flights) add(c *call, planID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first == nil {
		f.first = make(map[string]*call)
	}
	first := f.first[planID]
	c.flight.next = first
	if first != nil {
		first.flight.previous = c
	}
	f.first[planID] = c
}

// remove takes a join of the plan out once it has entered its room, or was refused.
func (f *flights) remove(c *call, planID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := c.flight
	if at.next != nil {
		at.next.flight.previous = at.previous
	}
	switch {
	case at.previous != nil:
		at.previous.flight.next = at.next
	case at.next != nil:
		f.first[planID] = at.next
	default:
		delete(f.first, planID)
	}
	c.flight = flight{}
}

// revokeAll marks all joins of all plans.
func (f *flights) revokeAll() {
	f.mu.Lock()
	plans := slices.Collect(maps.Keys(f.first))
	f.mu.Unlock()
	for _, planID := range plans {
		f.revoke(planID)
	}
}

// revoke marks all joins of the plan: Authorize is called again for them.
func (f *flights) revoke(planID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := f.first[planID]; c != nil; c = c.flight.next {
		c.revoked.Store(true)
	}
}
