package main

import "sync"

// checker compares what one viewer sees with what it has to see: each change once and in order,
// after those that the plan contained when it was loaded. The zero value is ready.
type checker struct {
	mu     sync.Mutex // guards the following
	begun  bool
	last   uint64              // the highest change that was seen or loaded
	loaded uint64              // changes up to this one were in a plan that was loaded
	seen   map[uint64]struct{} // the changes of the last events
	gaps   map[uint64]struct{} // changes that were passed over
	counts counts
}

// counts are the results of a checker.
type counts struct {
	Delivered  uint64 `json:"delivered"`  // events
	Last       uint64 `json:"last"`       // the highest change that was seen or loaded
	Lost       uint64 `json:"lost"`       // changes that were passed over and are not in a loaded plan
	Doubled    uint64 `json:"doubled"`    // events with a change that an earlier event had
	Disordered uint64 `json:"disordered"` // events that came too late, and plans older than the events
	Resumed    uint64 `json:"resumed"`    // connections after the first that continued without a load
	Reloaded   uint64 `json:"reloaded"`   // loads after the first
}

// kept is how many events a checker remembers to recognize doubled ones.
const kept = 4096

// load is called with the last change in a plan that the viewer has loaded.
func (c *checker) load(change uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.begun && change < c.last {
		c.counts.Disordered++
	}
	c.begun = true
	c.last, c.loaded = max(c.last, change), max(c.loaded, change)
	for gap := range c.gaps {
		if gap <= change {
			delete(c.gaps, gap)
		}
	}
}

// event is called with the change of an event.
func (c *checker) event(change uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen, c.gaps = make(map[uint64]struct{}), make(map[uint64]struct{})
	}
	c.counts.Delivered++
	if _, again := c.seen[change]; again {
		c.counts.Doubled++
		return
	}
	c.seen[change] = struct{}{}
	delete(c.seen, change-kept)
	switch {
	case change > c.last:
		for gap := c.last + 1; gap < change; gap++ {
			c.gaps[gap] = struct{}{}
		}
		c.last = change
	case change > c.loaded: // it was passed over
		delete(c.gaps, change)
		c.counts.Disordered++
	} // else the event is older than the plan that was loaded: it was in flight
}

// resumed is called when a connection after the first begins, and notResumed when it turns out that
// it cannot continue without a load.
func (c *checker) resumed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Resumed++
}

func (c *checker) notResumed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts.Resumed > 0 {
		c.counts.Resumed--
	}
}

// reloaded is called when the plan has to be loaded again.
func (c *checker) reloaded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Reloaded++
}

// result returns the counts so far.
func (c *checker) result() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.counts
	r.Last, r.Lost = c.last, uint64(len(c.gaps))
	return r
}
