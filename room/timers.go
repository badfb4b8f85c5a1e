package room

import (
	"container/heap"
	"sync"
	"time"
)

// timers has all deadlines of a hub in a heap, and sets a single runtime timer for the earliest.
// With thousands of connections, waking once for many of them is what keeps an idle hub idle.
type timers struct {
	start time.Time // the zero of timer.at; fixed at creation

	mu     sync.Mutex // guards the following
	queue  timerQueue
	timer  *time.Timer
	due    int64 // when timer fires; 0 if it is not set
	closed bool

	running sync.Mutex // held while the functions of timers run, so that close can wait for them
}

// timer is one entry. Its function runs under timers.running alone, and must not block: it holds up
// the others.
type timer struct {
	at    int64 // time since timers.start, in nanoseconds
	f     func()
	index int // place in the heap, counted from 1; 0 when it is not in it
}

// after calls f once, d from now; never after close.
func (ts *timers) after(d time.Duration, f func()) *timer {
	t := &timer{f: f}
	ts.reset(t, d)
	return t
}

// now is the time since start, on the monotonic clock.
func (ts *timers) now() int64 { return ts.clock(time.Now()) }

// clock is now at a moment, which comes from time.Now.
func (ts *timers) clock(t time.Time) int64 { return int64(t.Sub(ts.start)) }

// reset moves t, which may have fired or been stopped, to d from now.
func (ts *timers) reset(t *timer, d time.Duration) { ts.resetAt(t, ts.now()+int64(d)) }

// resetAt moves t to a moment, a time since start.
func (ts *timers) resetAt(t *timer, at int64) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.closed {
		return
	}
	t.at = at
	if t.index > 0 {
		heap.Fix(&ts.queue, t.index-1)
	} else {
		heap.Push(&ts.queue, t)
	}
	ts.setLocked()
}

// stop removes t. Its function may still be running.
func (ts *timers) stop(t *timer) {
	if t == nil {
		return
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t.index > 0 {
		heap.Remove(&ts.queue, t.index-1)
	}
}

// setLocked sets the runtime timer for the earliest entry. A timer that is set too early is left:
// it finds nothing due and sets itself again, which costs less than moving it at every change.
func (ts *timers) setLocked() {
	if len(ts.queue) == 0 {
		return
	}
	at := ts.queue[0].at
	if ts.due != 0 && at >= ts.due {
		return
	}
	ts.due = max(at, 1)
	if d := time.Duration(at - ts.now()); ts.timer == nil {
		ts.timer = time.AfterFunc(d, ts.run)
	} else {
		ts.timer.Reset(d)
	}
}

func (ts *timers) run() {
	ts.running.Lock()
	defer ts.running.Unlock()
	for {
		ts.mu.Lock()
		if ts.closed || len(ts.queue) == 0 || ts.queue[0].at > ts.now() {
			ts.due = 0
			if !ts.closed {
				ts.setLocked()
			}
			ts.mu.Unlock()
			return
		}
		t := heap.Pop(&ts.queue).(*timer)
		ts.mu.Unlock()
		t.f()
	}
}

// close drops everything and returns once no function is running any more.
func (ts *timers) close() {
	ts.mu.Lock()
	ts.closed = true
	for _, t := range ts.queue {
		t.index = 0
	}
	ts.queue = nil
	if ts.timer != nil {
		ts.timer.Stop()
	}
	ts.mu.Unlock()
	ts.running.Lock()
	//nolint:staticcheck // SA2001: this only waits for the holder
	ts.running.Unlock()
}

// timerQueue implements [heap.Interface].
type timerQueue []*timer

func (q timerQueue) Len() int           { return len(q) }
func (q timerQueue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q timerQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i+1, j+1
}

func (q *timerQueue) Push(x any) {
	t := x.(*timer)
	*q = append(*q, t)
	t.index = len(*q)
}

func (q *timerQueue) Pop() any {
	old := *q
	t := old[len(old)-1]
	old[len(old)-1] = nil
	t.index = 0
	*q = old[:len(old)-1]
	return t
}
