package room

import (
	"sync"
	"time"
)

// removals removes members whose access was not confirmed before their deadline. After a long
// failure of Authorize these are many at once, so at most maxRemovers goroutines share the work.
// They exist only while there is a member to remove.
type removals struct {
	start func(func()) // starts a goroutine of the hub; fixed at creation

	mu      sync.Mutex // guards the following
	queue   []removal
	workers int
}

// removal is one member to be removed.
type removal struct {
	unconfirmed
	err error // of its last check; nil if that succeeded
}

// unconfirmed is a member whose access was not confirmed.
type unconfirmed interface {
	// departUnconfirmed takes the member out of its room, and reports whether it was in.
	departUnconfirmed() bool
	// removedUnconfirmed follows it, once all members of a batch are out, which was at the given
	// time. It waits for a moment until no event of the plan can be written to the member, and
	// reports the removal.
	removedUnconfirmed(out time.Time, err error)
}

// add queues a removal.
func (q *removals) add(r removal) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, r)
	if q.workers < maxRemovers {
		q.workers++
		q.start(q.work)
	}
}

// next returns the removals that a worker does next. If there are none, the worker has to end.
func (q *removals) next() []removal {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.queue), removalBatch)
	batch := q.queue[:n:n]
	if q.queue = q.queue[n:]; n == 0 {
		q.queue = nil
		q.workers--
	}
	return batch
}

func (q *removals) work() {
	for batch := q.next(); len(batch) > 0; batch = q.next() {
		left := batch[:0]
		for _, r := range batch {
			if r.departUnconfirmed() {
				left = append(left, r)
			}
		}
		out := time.Now() // all are out before the first is waited for
		for _, r := range left {
			r.removedUnconfirmed(out, r.err)
		}
	}
}
