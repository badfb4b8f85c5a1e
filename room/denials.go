package room

import (
	"sync"
	"time"
)

// denials holds the members that are being removed because Authorize has denied their access or has
// not confirmed it in time. A member is in it from before it leaves its room until nothing of the
// plan can be written to it. In between it is in no room: Recheck finds it here. The zero value is
// ready.
type denials struct {
	mu sync.Mutex // guards the following; no other lock is taken under it
	// How many goroutines are removing each member. They are few: those of checks, of repeated
	// joins, and the workers of removals.
	members map[departing]int
}

// departing is what denials needs from a member that is being removed.
type departing interface {
	// leftPlan reports whether it was a member of the plan, of that user, and has left the room. An
	// empty plan or user means any.
	leftPlan(planID, userID string) bool
	// fence ensures that nothing of the plan is written to it after fence returns; see
	// outlet.fence.
	fence(until time.Time)
}

func (d *denials) add(m departing) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.members == nil {
		d.members = make(map[departing]int)
	}
	d.members[m]++
}

func (d *denials) remove(m departing) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.members[m]--; d.members[m] == 0 {
		delete(d.members, m)
	}
}

// left returns the members that have left their room; see departing.leftPlan.
func (d *denials) left(planID, userID string) (members []departing) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for m := range d.members {
		if m.leftPlan(planID, userID) {
			members = append(members, m)
		}
	}
	return members
}

// await ensures that nothing of the plan is written, after it returns, to the members of the user
// that were being removed from the plan when it was called. An empty plan or user means any.
func (d *denials) await(planID, userID string) {
	until := time.Now().Add(fenceTimeout)
	for _, m := range d.left(planID, userID) {
		m.fence(until)
	}
}
