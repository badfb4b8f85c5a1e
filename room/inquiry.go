package room

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Rechecked counts the results of a call of [Hub.Recheck] or [Hub.RecheckUser]. A member that left
// meanwhile is not counted.
type Rechecked struct {
	Kept    int // Authorize allowed it
	Removed int // its access has ended
	// Undecided counts the members for which Authorize failed, or was not called in time. They stay
	// in the plan until they are removed after Options.RemoveAfter, and are checked again before
	// that, ahead of members that are checked at regular times.
	Undecided int
}

// recheckLeft is the result for a member that left before it was decided.
const recheckLeft RecheckResult = ""

// inquiry collects the results of the checks that one call of Recheck has requested.
type inquiry struct {
	over atomic.Bool // wait has returned

	mu     sync.Mutex // guards the following; no other lock is taken under it
	counts Rechecked
	err    error // of the first member whose access could not be checked
	open   int   // results that are missing, and 1 until requested is called
	done   chan struct{}
}

func newInquiry() *inquiry { return &inquiry{open: 1, done: make(chan struct{})} }

// expect announces one call of answer.
func (q *inquiry) expect() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open++
}

// requested is called when all checks have been requested.
func (q *inquiry) requested() { q.answer(recheckLeft, nil) }

// answer takes the result of the check of one member.
func (q *inquiry) answer(result RecheckResult, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch result {
	case RecheckKept:
		q.counts.Kept++
	case RecheckRemoved:
		q.counts.Removed++
	case RecheckUndecided:
		q.counts.Undecided++
		if q.err == nil {
			q.err = err
		}
	}
	if q.open--; q.open == 0 {
		close(q.done)
	}
}

// wait waits until all results have arrived, ctx ends, or the hub ends.
func (q *inquiry) wait(ctx context.Context, hub <-chan struct{}) (Rechecked, error) {
	defer q.over.Store(true)
	var err error
	select {
	case <-q.done:
	case <-ctx.Done():
		err = ctx.Err()
	case <-hub:
		err = ErrHubClosed
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	counts := q.counts
	counts.Undecided += q.open
	if q.open == 0 {
		err = q.err // all results have arrived meanwhile
	}
	if counts.Undecided == 0 {
		return counts, nil
	}
	return counts, fmt.Errorf("%w (%d of %d): %w", ErrUndecided, counts.Undecided, counts.Kept+counts.Removed+counts.Undecided, err)
}

// awaited is an inquiry that waits for the result of a check.
type awaited struct {
	inquiry *inquiry
	asked   bool  // Authorize has been called since it was requested
	spare   int32 // how many are added before it until inquiries that are over are dropped
	next    *awaited
}

// with returns the list a with an inquiry more. It drops the inquiries that are over whenever as
// many have been added as were kept the last time: the list is at most twice as long as needed, and
// an inquiry costs the same however many wait.
func (a *awaited) with(q *inquiry) *awaited {
	if a != nil && a.spare > 0 {
		return &awaited{inquiry: q, spare: a.spare - 1, next: a}
	}
	kept := int32(0)
	for next := &a; *next != nil; {
		if (*next).inquiry.over.Load() {
			*next = (*next).next
		} else {
			kept++
			next = &(*next).next
		}
	}
	return &awaited{inquiry: q, spare: kept, next: a}
}
