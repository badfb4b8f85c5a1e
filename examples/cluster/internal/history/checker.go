package history

import (
	"slices"
	"sync"
)

// Checker compares what one viewer sees of a plan with what it has to see: each change once and in
// order, after those that the plan contained when it was loaded. The zero value is ready. Its
// methods may be called concurrently.
type Checker struct {
	mu     sync.Mutex // guards the following
	begun  bool
	last   uint64              // the highest change that was seen or loaded
	loaded uint64              // changes up to this one were in a plan that was loaded
	seen   map[uint64]struct{} // the changes of the last events
	gaps   map[uint64]struct{} // changes that were passed over
	counts Counts
}

// Counts are the results of a Checker.
type Counts struct {
	Delivered  uint64 `json:"delivered"`  // events
	Last       uint64 `json:"last"`       // the highest change that was seen or loaded
	Lost       uint64 `json:"lost"`       // changes that were passed over and are not in a loaded plan
	Doubled    uint64 `json:"doubled"`    // events with a change that an earlier event had
	Disordered uint64 `json:"disordered"` // events that came too late, and plans older than the events
	Resumed    uint64 `json:"resumed"`    // connections after the first that continued without a load
	Reloaded   uint64 `json:"reloaded"`   // loads after the first
}

// kept is how many events a Checker remembers to recognize doubled ones.
const kept = 4096

// Load is called with the last change in a plan that the viewer has loaded.
func (c *Checker) Load(change uint64) {
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

// Event is called with the change of an event.
func (c *Checker) Event(change uint64) {
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

// Resumed is called when a connection after the first begins, and NotResumed when it turns out that
// it cannot continue without a load.
func (c *Checker) Resumed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Resumed++
}

// NotResumed takes one Resumed back.
func (c *Checker) NotResumed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts.Resumed > 0 {
		c.counts.Resumed--
	}
}

// Reloaded is called when the plan has to be loaded again.
func (c *Checker) Reloaded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Reloaded++
}

// Counts returns the counts so far.
func (c *Checker) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.counts
	r.Last, r.Lost = c.last, uint64(len(c.gaps))
	return r
}

// Gaps returns the changes that are lost so far.
func (c *Checker) Gaps() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []uint64
	for gap := range c.gaps {
		list = append(list, gap)
	}
	slices.Sort(list)
	return list
}
