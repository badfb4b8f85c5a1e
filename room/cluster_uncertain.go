package room

import (
	"context"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
)

const (
	maxDoubts  = 1024    // IDs in one record
	maxIgnored = 1 << 14 // IDs that are remembered
)

// doubts are the events of which this node does not know whether they are stored, until a resync
// record names them; and the IDs of all such records. Guarded by cluster.mu.
type doubts struct {
	plans   map[string][]string // IDs of events of a plan
	count   int
	all     bool // too many: all plans are in doubt
	running bool // a goroutine appends the records
	ignored map[string]struct{}
	order   []string // of ignored, the oldest first
}

// doubtful notes that an event may be stored, and makes the clients of its plan load it. With id ""
// an event is certainly missing.
func (c *cluster) doubtful(plan, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := &c.doubts
	if d.plans == nil {
		d.plans = make(map[string][]string)
	}
	ids := d.plans[plan]
	if id != "" && d.count < maxIgnored && len(ids) < maxDoubts {
		ids = append(ids, id)
		d.count++
	} else if id != "" {
		d.all = true
	}
	d.plans[plan] = ids
	d.all = d.all || len(d.plans) > maxIgnored
	if !d.running {
		d.running = true
		c.start(c.resolve)
	}
}

// resolve appends a resync record for each plan in doubt. It ends when none is left.
func (c *cluster) resolve() {
	for {
		plan, ids, ok := c.nextDoubt()
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
				c.mu.Lock()
				c.doubts.running = false
				c.mu.Unlock()
				return
			}
			c.logs.warn("engine", "resync", "room: a resync cannot be stored in the log", "error", err)
			c.sleep(time.Second)
		}
	}
}

// nextDoubt takes a plan in doubt.
func (c *cluster) nextDoubt() (plan string, ids []string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := &c.doubts
	if d.all {
		d.plans, d.count, d.all = nil, 0, false
		return "", nil, true
	}
	for plan, ids = range d.plans {
		if n := fitting(ids, c.log.opened.MaxRecord-len(plan)); n < len(ids) {
			d.plans[plan], ids = ids[n:], ids[:n:n] // another record has the rest
		} else {
			delete(d.plans, plan)
		}
		d.count -= len(ids)
		return plan, ids, true
	}
	d.running = false
	return "", nil, false
}

// fitting returns how many of the IDs a resync record of that size can have: at least one.
func fitting(ids []string, size int) int {
	const besides = 256  // the header, and what is before the IDs
	const lengthOfID = 2 // bytes
	for i, id := range ids {
		if size -= len(id) + lengthOfID; size < besides && i > 0 {
			return i
		}
	}
	return len(ids)
}

// isDoubted reports whether a resync record has named the event.
func (c *cluster) isDoubted(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, is := c.doubts.ignored[id]
	return is
}

// ignore remembers the IDs of a resync record.
func (c *cluster) ignore(ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := &c.doubts
	for _, id := range ids {
		if _, is := d.ignored[id]; is {
			continue
		}
		if d.ignored == nil {
			d.ignored = make(map[string]struct{})
		}
		d.ignored[id] = struct{}{}
		d.order = append(d.order, id)
		if len(d.order) > maxIgnored {
			delete(d.ignored, d.order[0])
			d.order = d.order[1:]
		}
	}
}
