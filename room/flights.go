package room

import "sync"

// flights holds the joins for which Authorize has been called and that have not entered their room
// yet, by plan, so that a change of the access to a plan reaches them. The zero value is ready.
type flights struct {
	mu    sync.Mutex       // guards the following, and call.flight
	first map[string]*call // of each plan; the others follow it
}

// flight is the place of a call in flights.
type flight struct {
	planID         string
	previous, next *call
}

// add adds a join of the plan, before access.ask begins.
func (f *flights) add(c *call, planID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first == nil {
		f.first = make(map[string]*call)
	}
	first := f.first[planID]
	c.flight = flight{planID: planID, next: first}
	if first != nil {
		first.flight.previous = c
	}
	f.first[planID] = c
}

// remove takes a join out after it has entered its room, or was refused.
func (f *flights) remove(c *call) {
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
		f.first[at.planID] = at.next
	default:
		delete(f.first, at.planID)
	}
	c.flight = flight{}
}

// revoke marks all joins of the plan: Authorize is called again for them.
func (f *flights) revoke(planID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := f.first[planID]; c != nil; c = c.flight.next {
		c.revoked.Store(true)
	}
}
