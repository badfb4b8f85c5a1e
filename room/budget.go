package room

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// budget bounds the memory that the histories of all rooms take together. A call that adds a room
// or an event evicts the least recently used rooms before it returns, until the total fits. Rooms
// with something to evict are in a list, so eviction needs no scan, and its cost is amortized over
// the events and rooms that were added.
//
// While half of the budget is free, no eviction is near, and a room that is in the list keeps its
// place: moving it takes a lock of the whole hub and touches its neighbours, which in a hub of many
// rooms are not in a processor cache.
type budget struct {
	total int64        // Options.HistoryTotal; fixed at creation
	held  atomic.Int64 // bytes that all rooms hold

	mu     sync.Mutex // guards the following, and budgeted.place; taken after room.mu
	recent list.List  // of evictable, the least recently used first
	unused list.List  // the same, of those that are evicted before all others
}

// evictable is what a budget needs from a room.
type evictable interface {
	// evict drops the history of the room, which was just taken from the list. It is called without
	// a lock.
	evict()
	// budgetOf returns what the budget keeps about the room.
	budgetOf() *budgeted
}

// budgeted is what a budget keeps about one room. room.mu guards it, except for place.
type budgeted struct {
	listed  bool          // in a list, or just taken out by makeSpace
	unused  bool          // in budget.unused
	counted int           // bytes that count in budget.held
	place   *list.Element // in its list; nil if there is nothing to evict
}

func (d *budgeted) budgetOf() *budgeted { return d }

// exceeded reports whether the histories take more than the total.
func (b *budget) exceeded() bool { return b.held.Load() > b.total }

// makeSpace evicts the histories of rooms, the least recently used first, until the total fits or
// nothing is left to evict. It is called without a lock.
func (b *budget) makeSpace() {
	for b.exceeded() {
		e := b.takeOldest()
		if e == nil {
			return
		}
		e.evict()
	}
}

// takeOldest takes the least recently used room from the list, or returns nil.
func (b *budget) takeOldest() evictable {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := &b.unused
	if l.Len() == 0 {
		l = &b.recent
	}
	front := l.Front()
	if front == nil {
		return nil
	}
	e := l.Remove(front).(evictable)
	e.budgetOf().place = nil
	return e
}

// listOf returns the list that a room is in.
func (b *budget) listOf(d *budgeted) *list.List {
	if d.unused {
		return &b.unused
	}
	return &b.recent
}

// count records how many bytes the history of a room takes now.
func (b *budget) count(d *budgeted, held int) {
	b.held.Add(int64(held - d.counted))
	d.counted = held
}

// touch makes a room the most recently used one or, if it is unused, the most recent one of those
// that are evicted first.
func (b *budget) touch(e evictable, d *budgeted, unused bool) {
	if d.listed && d.unused == unused && b.held.Load() < b.total/2 {
		return
	}
	d.listed = true
	b.mu.Lock()
	defer b.mu.Unlock()
	if d.place != nil && d.unused == unused {
		b.listOf(d).MoveToBack(d.place)
		return
	}
	if d.place != nil {
		b.listOf(d).Remove(d.place)
	}
	d.unused = unused
	d.place = b.listOf(d).PushBack(e)
}

// taken reports whether a room that makeSpace has taken from the list is still out of it. Otherwise
// it got something meanwhile: it is among the most recently used, and its pump may not have written
// all of its new events.
func (b *budget) taken(d *budgeted) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d.place != nil {
		return false
	}
	d.listed = false
	return true
}

// forget takes a room that is being deleted out of the list.
func (b *budget) forget(d *budgeted) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d.place != nil {
		b.listOf(d).Remove(d.place)
		d.place = nil
	}
}
