package room

import (
	"slices"
	"sync"
)

// userEvent is an event of Notify. The connections of the user share it.
type userEvent struct {
	payload []byte
	queues  int // number of queues that hold it; guarded by account.mu
}

// account counts the bytes in the queues of all connections of one user.
type account struct {
	limit    int // Options.QueuePerUser; fixed at creation
	sessions int // connections that use it; guarded by Hub.mu

	mu     sync.Mutex // guards the following; taken after outlet.mu
	bytes  int
	paused []*outlet // unpause them when bytes fall below limit
}

// add counts a reply that was queued.
func (a *account) add(r *reply) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.event != nil {
		if r.event.queues++; r.event.queues > 1 {
			return // counted already
		}
	}
	a.bytes += r.cost()
}

// remove ends the count of a reply.
func (a *account) remove(r *reply) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.event != nil {
		if r.event.queues--; r.event.queues > 0 {
			return
		}
	}
	a.bytes -= r.cost()
	if len(a.paused) > 0 && a.bytes < a.limit {
		for _, o := range a.paused {
			o.shared.wg.Go(o.unpause) // in a goroutine: outlet.mu comes before account.mu
		}
		a.paused = nil
	}
}

// full reports whether the bytes have reached the limit.
func (a *account) full() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes >= a.limit
}

// forget ends the wait of a connection that has ended.
func (a *account) forget(o *outlet) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.paused = without(a.paused, o)
}

// holdsUp reports whether the bytes have reached the limit. If so, o.unpause is called when they
// are below it again.
func (a *account) holdsUp(o *outlet) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bytes < a.limit {
		return false
	}
	if !slices.Contains(a.paused, o) {
		a.paused = append(a.paused, o)
	}
	return true
}
