package room

import "time"

// callKind is the purpose of a call of Authorize.
type callKind uint8

const (
	callJoin      callKind = iota
	callRequested          // a recheck that the host has requested
	callRoutine            // any other recheck
	callKinds
)

// callQueues holds the calls of Authorize that wait for a slot, in one queue for each kind. Joins
// and rechecks start in turn, and so do the two kinds of rechecks, so no kind waits for a backlog
// of another. It has no lock. The zero value is ready.
type callQueues struct {
	of           [callKinds]fairQueue[*call]
	checkFirst   bool // a recheck is the next to start, if one waits
	routineFirst bool // of the rechecks, a routine one is the next to start, if one waits
}

// push adds a call.
func (q *callQueues) push(c *call, now time.Time) { c.place = q.of[c.kind].push(c.userID, c, now) }

// remove takes out a call that waits.
func (q *callQueues) remove(c *call) {
	q.of[c.kind].remove(c.place)
	c.place = nil
}

// pop removes and returns the next call of a user for whom mayStart reports true, or returns nil.
// Without mayCheck it returns no recheck. A user that was passed over gets a turn after wake.
func (q *callQueues) pop(mayStart func(userID string) bool, mayCheck bool) *call {
	if q.checkFirst && mayCheck {
		if c := q.popCheck(mayStart); c != nil {
			q.checkFirst = false
			return c
		}
	}
	if c, ok := q.of[callJoin].pop(mayStart); ok {
		q.checkFirst = true
		c.place = nil
		return c
	}
	if mayCheck {
		return q.popCheck(mayStart)
	}
	return nil
}

// popCheck is pop for rechecks.
func (q *callQueues) popCheck(mayStart func(userID string) bool) *call {
	for range 2 {
		kind := callRequested
		if q.routineFirst {
			kind = callRoutine
		}
		q.routineFirst = !q.routineFirst
		if c, ok := q.of[kind].pop(mayStart); ok {
			c.place = nil
			return c
		}
	}
	return nil
}

// wake gives a user who was passed over a turn again.
func (q *callQueues) wake(userID string) {
	for i := range q.of {
		q.of[i].wake(userID)
	}
}

// removeUser takes out all calls of a user and returns them.
func (q *callQueues) removeUser(userID string) (calls []*call) {
	for i := range q.of {
		calls = append(calls, q.of[i].removeUser(userID)...)
	}
	return noPlaces(calls)
}

// removeAll takes out all calls and returns them.
func (q *callQueues) removeAll() (calls []*call) {
	for i := range q.of {
		calls = append(calls, q.of[i].removeAll()...)
	}
	return noPlaces(calls)
}

func noPlaces(calls []*call) []*call {
	for _, c := range calls {
		c.place = nil
	}
	return calls
}

// joins and checks return how many joins and rechecks wait.
func (q *callQueues) joins() int  { return q.of[callJoin].len() }
func (q *callQueues) checks() int { return q.of[callRequested].len() + q.of[callRoutine].len() }

// oldestCheck returns how long the oldest recheck has waited; 0 if none waits.
func (q *callQueues) oldestCheck(now time.Time) time.Duration {
	return max(q.of[callRequested].oldest(now), q.of[callRoutine].oldest(now))
}
