package room

import (
	"context"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
)

// Events that this node could not store, or of which it does not know whether they are stored: as
// soon as the engine answers, the node appends a resync record for their plan. The clients then
// load the plan, and no node applies an event that the record names, should it come later.

const (
	// maxResyncIDs is the number of IDs in one resync record.
	maxResyncIDs = 1024
	// maxIgnored is the number of IDs from resync records that a node remembers. A node therefore
	// keeps no more IDs of events, and no more plans, that wait for a resync.
	maxIgnored = 1 << 14
)

// resyncs are the plans for which this node has yet to append a resync record. Guarded by
// cluster.mu. The zero value is ready.
type resyncs struct {
	plans   map[string][]string // IDs of the events that may be stored, by plan
	count   int                 // IDs in plans
	all     bool                // there were too many: one record concerns all plans
	running bool                // a goroutine appends the records
	now     *string             // the plan whose record it appends, "" for all plans; nil: none
	calls   int                 // broadcasts that have begun before awaitResyncs
	waiting chan struct{}       // not nil once awaitResyncs was called; closed by stopWaitingLocked
}

// ignored are the IDs from the newest resync records of all nodes. Guarded by cluster.mu. The zero
// value is ready.
type ignored struct {
	ids   map[string]struct{}
	order []string // the oldest first
}

// resyncLater has the clients of a plan load it as soon as the engine answers. id is that of an
// event which may be stored; it is "" if the clients certainly miss something.
func (c *cluster) resyncLater(plan, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Load() {
		return // Shutdown may already have waited for all goroutines
	}
	s := &c.resyncs
	if s.plans == nil {
		s.plans = make(map[string][]string)
	}
	ids, known := s.plans[plan]
	if id != "" && s.count < maxIgnored {
		s.plans[plan] = append(ids, id)
		s.count++
	} else if id != "" || !known && len(s.plans) >= maxIgnored {
		s.all = true
	} else if !known && !s.all {
		s.plans[plan] = nil
	}
	if !s.running {
		s.running = true
		c.start(c.appendResyncs)
	}
}

// appendResyncs appends a resync record for each plan that waits for one, once the engine is open.
// It ends when none is left.
func (c *cluster) appendResyncs() {
	select {
	case <-c.opened:
	case <-c.ctx.Done():
		return
	}
	for {
		plan, ids, ok := c.nextResync()
		if !ok {
			return
		}
		r := record.Resync{IDs: ids}
		for {
			ctx, cancel := context.WithTimeout(c.ctx, c.ownAppend())
			_, err := c.engine.Append(ctx, c.id(), c.record(record.KindResync, plan, r.Append(nil)))
			cancel()
			if err == nil {
				break
			}
			if c.ctx.Err() != nil {
				return
			}
			c.logs.warn("engine", "resync", "room: a resync cannot be stored in the log", "error", err)
			c.sleep(time.Second)
		}
	}
}

// nextResync takes a plan that waits for a resync record, or at last "" for all plans, and the IDs
// that the record names.
func (c *cluster) nextResync() (plan string, ids []string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.resyncs
	for plan, ids = range s.plans {
		if s.all && len(ids) == 0 { // the record for all plans will do
			delete(s.plans, plan)
			continue
		}
		if n := fitting(ids, c.log.opened.MaxRecord-len(plan)); n < len(ids) {
			s.plans[plan], ids = ids[n:], ids[:n:n] // another record has the rest
		} else {
			delete(s.plans, plan)
		}
		s.count -= len(ids)
		s.now = &plan
		return plan, ids, true
	}
	if s.all {
		s.all, s.now = false, new(string)
		return "", nil, true
	}
	s.running, s.now = false, nil
	s.stopWaitingLocked()
	return "", nil, false
}

// uncertain returns how many plans wait for a resync record, with that whose record is being
// appended. The record for all plans counts as one.
func (s *resyncs) uncertain() int {
	n := len(s.plans)
	if s.now != nil {
		if _, again := s.plans[*s.now]; !again {
			n++
		}
	}
	if s.all {
		n++
	}
	return n
}

// fitting returns how many of the IDs a resync record of that size can have: at least one, if
// there is one.
func fitting(ids []string, size int) int {
	const besides = 256  // the header, and what is before the IDs
	const lengthOfID = 2 // bytes
	for i, id := range ids {
		if size -= len(id) + lengthOfID; i == maxResyncIDs || size < besides && i > 0 {
			return i
		}
	}
	return len(ids)
}

// isIgnored reports whether a resync record has named the event.
func (c *cluster) isIgnored(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, is := c.ignored.ids[id]
	return is
}

// ignore remembers the IDs of a resync record.
func (c *cluster) ignore(ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := &c.ignored
	for _, id := range ids {
		if _, is := g.ids[id]; is {
			continue
		}
		if g.ids == nil {
			g.ids = make(map[string]struct{})
		}
		g.ids[id] = struct{}{}
		g.order = append(g.order, id)
		if len(g.order) > maxIgnored {
			delete(g.ids, g.order[0])
			g.order = g.order[1:]
		}
	}
}
