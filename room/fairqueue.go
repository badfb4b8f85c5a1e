package room

import (
	"container/list"
	"time"
)

// fairQueue holds the calls of Authorize that wait for a slot: first in, first out for one user,
// and the users in turn. It has no lock: access.mu guards it.
type fairQueue struct {
	lines map[string]*line // by user; each has at least one call
	turns list.List        // of *line: the users whose next call may start, in turn
	byAge list.List        // of *call: all calls, the oldest first
}

// line is the calls of one user that wait.
type line struct {
	userID string
	calls  list.List     // of *call
	turn   *list.Element // in fairQueue.turns; nil while the user has no free slot
}

// place is the position of a call in a fairQueue.
type place struct {
	line   *line
	inLine *list.Element
	byAge  *list.Element
	since  time.Time
}

// push adds c at the end of its user's line.
func (q *fairQueue) push(c *call, now time.Time) {
	l := q.lines[c.userID]
	if l == nil {
		if q.lines == nil {
			q.lines = make(map[string]*line)
		}
		l = &line{userID: c.userID}
		q.lines[c.userID] = l
		l.turn = q.turns.PushBack(l)
	}
	c.place = &place{line: l, inLine: l.calls.PushBack(c), byAge: q.byAge.PushBack(c), since: now}
}

// pop removes and returns the next call, or returns nil. A user for whom mayStart reports false is
// passed over until wake is called.
func (q *fairQueue) pop(mayStart func(userID string) bool) *call {
	for e := q.turns.Front(); e != nil; e = q.turns.Front() {
		l := e.Value.(*line)
		if !mayStart(l.userID) {
			q.turns.Remove(e)
			l.turn = nil
			continue
		}
		c := l.calls.Front().Value.(*call)
		q.remove(c)
		if l.calls.Len() > 0 {
			q.turns.MoveToBack(e)
		}
		return c
	}
	return nil
}

// wake gives a user who has a free slot now a turn again.
func (q *fairQueue) wake(userID string) {
	if l := q.lines[userID]; l != nil && l.turn == nil {
		l.turn = q.turns.PushBack(l)
	}
}

// remove takes c out. It reports whether c waited.
func (q *fairQueue) remove(c *call) bool {
	p := c.place
	if p == nil {
		return false
	}
	c.place = nil
	q.byAge.Remove(p.byAge)
	p.line.calls.Remove(p.inLine)
	if p.line.calls.Len() == 0 {
		delete(q.lines, p.line.userID)
		if p.line.turn != nil {
			q.turns.Remove(p.line.turn)
		}
	}
	return true
}

// removeUser takes out all calls of a user and returns them, the oldest first.
func (q *fairQueue) removeUser(userID string) (calls []*call) {
	for l := q.lines[userID]; l != nil && l.calls.Len() > 0; {
		c := l.calls.Front().Value.(*call)
		q.remove(c)
		calls = append(calls, c)
	}
	return calls
}

// removeAll takes out all calls and returns them, the oldest first.
func (q *fairQueue) removeAll() (calls []*call) {
	for e := q.byAge.Front(); e != nil; e = q.byAge.Front() {
		c := e.Value.(*call)
		q.remove(c)
		calls = append(calls, c)
	}
	return calls
}

func (q *fairQueue) len() int { return q.byAge.Len() }

// oldest returns how long the oldest call has waited; 0 if none waits.
func (q *fairQueue) oldest(now time.Time) time.Duration {
	if e := q.byAge.Front(); e != nil {
		return now.Sub(e.Value.(*call).place.since)
	}
	return 0
}
