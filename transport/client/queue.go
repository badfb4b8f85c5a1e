package client

import (
	"context"
	"sync"
)

// queue holds what waits for the program: in order, bounded, and without a goroutine. The side that fills it never waits.
type queue[T any] struct {
	maxItems, maxBytes int           // fixed at creation
	size               func(T) int   // fixed at creation
	wake               chan struct{} // holds a token when there may be something to take
	over               chan struct{} // closed when the queue has ended

	mu    sync.Mutex // guards the following; taken after Client.mu
	items []T
	bytes int
	err   error // why the queue has ended
}

func newQueue[T any](maxItems, maxBytes int, size func(T) int) *queue[T] {
	return &queue[T]{
		maxItems: maxItems, maxBytes: maxBytes, size: size,
		wake: make(chan struct{}, 1), over: make(chan struct{}),
	}
}

// put appends an item. If there is no room for it, overflow gets all items, the new one included, and returns those that
// stand in their place.
func (q *queue[T]) put(item T, overflow func([]T) []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return
	}
	q.items = append(q.items, item)
	q.bytes += q.size(item)
	if len(q.items) > q.maxItems || q.bytes > q.maxBytes {
		q.items = overflow(q.items)
		q.bytes = 0
		for _, item := range q.items {
			q.bytes += q.size(item)
		}
	}
	q.signal()
}

// end lets nothing more in. What waits can still be taken, unless drop says otherwise. The first end counts.
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

// take waits for an item and removes it; taken is called with it, under the queue's lock.
func (q *queue[T]) take(ctx context.Context, taken func(T)) (item T, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return item, err
		}
		if item, ok, err := q.tryTake(taken); ok || err != nil {
			return item, err
		}
		select {
		case <-q.wake:
		case <-q.over:
		case <-ctx.Done():
		}
	}
}

func (q *queue[T]) tryTake(taken func(T)) (item T, ok bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return item, false, q.err
	}
	item = q.items[0]
	var zero T
	q.items[0] = zero // or it would be kept alive
	q.items = q.items[1:]
	q.bytes -= q.size(item)
	if len(q.items) > 0 {
		// Two readers found nothing, two items came before either of them waited, and the second left no token of its own.
		q.signal()
	} else {
		q.items = nil
	}
	taken(item)
	return item, true, nil
}

func (q *queue[T]) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
