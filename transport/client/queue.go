package client

import (
	"context"
	"sync"
	"time"
)

// queue holds items for the program, in order and within bounds. It has no goroutine, and put does
// not block.
type queue[T any] struct {
	// Fixed at creation.
	maxItems, maxBytes int
	size               func(T) int
	add                func(items []T, item T) []T // appends an item; may remove others
	overflow           func(items []T) []T         // shortens items when they exceed a bound
	due                func(T) time.Time           // when an item may be taken; nil: now
	wake               chan struct{}               // holds a value when there may be an item

	mu    sync.Mutex // guards the following; locked after Client.mu
	items []T
	bytes int
	err   error         // why the queue has ended
	over  chan struct{} // closed when the queue has ended
}

func newQueue[T any](maxItems, maxBytes int, size func(T) int, add func([]T, T) []T, overflow func([]T) []T) *queue[T] {
	return &queue[T]{
		maxItems: maxItems, maxBytes: maxBytes, size: size, add: add, overflow: overflow,
		wake: make(chan struct{}, 1), over: make(chan struct{}),
	}
}

// appendItem is the add of a queue that keeps all items.
func appendItem[T any](items []T, item T) []T { return append(items, item) }

// put adds an item. After the end it does nothing.
func (q *queue[T]) put(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return
	}
	before := len(q.items)
	if q.items = q.add(q.items, item); len(q.items) == before+1 {
		q.bytes += q.size(item)
	} else {
		q.countLocked()
	}
	if len(q.items) > q.maxItems || q.bytes > q.maxBytes {
		q.items = q.overflow(q.items)
		q.countLocked()
	}
	q.signal()
}

func (q *queue[T]) countLocked() {
	q.bytes = 0
	for _, item := range q.items {
		q.bytes += q.size(item)
	}
}

// last calls f with the last item, or with nil if the queue is empty. The size of the item must not
// change.
func (q *queue[T]) last(f func(*T)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		f(nil)
		return
	}
	f(&q.items[len(q.items)-1])
}

// drop removes all items. It calls dropped, if it is not nil, while q.mu is locked.
func (q *queue[T]) drop(dropped func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items, q.bytes = nil, 0
	if dropped != nil {
		dropped()
	}
}

// end ends the queue: put does nothing from now on. Queued items can still be taken, unless drop is
// set. The error of the first call counts.
func (q *queue[T]) end(err error, drop bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if drop {
		q.items, q.bytes = nil, 0
	}
	if q.err == nil {
		q.err = err
		close(q.over)
	}
}

// reopen makes a queue that has ended usable again.
func (q *queue[T]) reopen() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		q.err, q.over = nil, make(chan struct{})
	}
}

// take waits for the first item and removes it. It calls taken with the item while q.mu is locked.
func (q *queue[T]) take(ctx context.Context, taken func(T)) (item T, err error) {
	for {
		if err := ctx.Err(); err != nil {
			q.signal() // this call may have consumed the signal that another one needs
			return item, err
		}
		item, ok, wait, over, err := q.tryTake(taken)
		if ok || err != nil {
			return item, err
		}
		var due <-chan time.Time
		if wait > 0 {
			due = time.After(wait)
		}
		select {
		case <-q.wake:
		case <-over:
		case <-due:
		case <-ctx.Done():
		}
	}
}

// tryTake removes the first item if there is one that may be taken. Otherwise it returns how long
// to wait for it, or 0 if there is none.
func (q *queue[T]) tryTake(taken func(T)) (item T, ok bool, wait time.Duration, over <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return item, false, 0, q.over, q.err
	}
	if q.due != nil && q.err == nil {
		if wait = time.Until(q.due(q.items[0])); wait > 0 {
			return item, false, wait, q.over, nil
		}
	}
	item = q.items[0]
	var zero T
	q.items[0] = zero // releases its memory
	q.items = q.items[1:]
	q.bytes -= q.size(item)
	if len(q.items) > 0 {
		// Two put calls may have left one signal for two callers of take.
		q.signal()
	} else {
		q.items = nil
	}
	taken(item)
	return item, true, 0, nil, nil
}

func (q *queue[T]) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
