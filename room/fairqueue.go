package room

import (
	"container/list"
	"time"
)

// fairQueue holds items that wait: first in, first out for one user, and the users in turn. It has
// no lock. The zero value is ready.
type fairQueue[T any] struct {
	lines map[string]*line // by user; each has at least one item
	turns list.List        // of *line: the users whose next item may be taken, in turn
	byAge list.List        // of *place[T]: all items, the oldest first
}

// line is the items of one user that wait.
type line struct {
	userID string
	places list.List     // of *place[T]
	turn   *list.Element // in fairQueue.turns; nil while the user is passed over
}

// place is the place of an item in a fairQueue.
type place[T any] struct {
	item   T
	line   *line
	inLine *list.Element
	byAge  *list.Element
	since  time.Time
}

// push adds an item at the end of its user's line.
func (q *fairQueue[T]) push(userID string, item T, now time.Time) *place[T] {
	l := q.lines[userID]
	if l == nil {
		if q.lines == nil {
			q.lines = make(map[string]*line)
		}
		l = &line{userID: userID}
		q.lines[userID] = l
		l.turn = q.turns.PushBack(l)
	}
	p := &place[T]{item: item, line: l, since: now}
	p.inLine, p.byAge = l.places.PushBack(p), q.byAge.PushBack(p)
	return p
}

// pop removes and returns the next item. A user for whom mayTake reports false is passed over until
// wake is called.
func (q *fairQueue[T]) pop(mayTake func(userID string) bool) (item T, ok bool) {
	for e := q.turns.Front(); e != nil; e = q.turns.Front() {
		l := e.Value.(*line)
		if !mayTake(l.userID) {
			q.turns.Remove(e)
			l.turn = nil
			continue
		}
		p := l.places.Front().Value.(*place[T])
		q.remove(p)
		if l.places.Len() > 0 {
			q.turns.MoveToBack(e)
		}
		return p.item, true
	}
	return item, false
}

// wake gives a user who was passed over a turn again.
func (q *fairQueue[T]) wake(userID string) {
	if l := q.lines[userID]; l != nil && l.turn == nil {
		l.turn = q.turns.PushBack(l)
	}
}

// remove takes out the item at p, which is in the queue.
func (q *fairQueue[T]) remove(p *place[T]) {
	q.byAge.Remove(p.byAge)
	p.line.places.Remove(p.inLine)
	if p.line.places.Len() == 0 {
		delete(q.lines, p.line.userID)
		if p.line.turn != nil {
			q.turns.Remove(p.line.turn)
		}
	}
}

// removeUser takes out all items of a user and returns them, the oldest first.
func (q *fairQueue[T]) removeUser(userID string) (items []T) {
	for l := q.lines[userID]; l != nil && l.places.Len() > 0; {
		p := l.places.Front().Value.(*place[T])
		q.remove(p)
		items = append(items, p.item)
	}
	return items
}

// removeAll takes out all items and returns them, the oldest first.
func (q *fairQueue[T]) removeAll() (items []T) {
	for e := q.byAge.Front(); e != nil; e = q.byAge.Front() {
		p := e.Value.(*place[T])
		q.remove(p)
		items = append(items, p.item)
	}
	return items
}

func (q *fairQueue[T]) len() int { return q.byAge.Len() }

// oldest returns how long the oldest item has waited; 0 if none waits.
func (q *fairQueue[T]) oldest(now time.Time) time.Duration {
	if e := q.byAge.Front(); e != nil {
		return now.Sub(e.Value.(*place[T]).since)
	}
	return 0
}
