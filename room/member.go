package room

import (
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// member is one connection's place in one room: a cursor into the room's log.
type member struct {
	s     *Session // fixed at creation
	out   *writer  // fixed at creation: that of s, since a pump asks for little else
	room  *room    // fixed at creation
	shard *shard   // fixed at creation

	cur cursor // owned by the holder of the writer's token

	// gone is set under room.mu, once. A writer looks at it under writer.mu just before it writes.
	gone atomic.Bool

	// Guarded by writer.mu.
	ready     bool // the join answer is on its way
	dirty     bool // it is in writer.dirty
	announced bool // Observer.Join was called
	departed  bool // the member has left: Observer.Leave is called after Join

	fetched uint64 // guarded by room.mu: everything before it has been written, or is not for this member
	place   int    // guarded by room.mu: its index in its shard

	checks checks
}

// fetch reads the next entries of m into c. It is called by the holder of the writer's token. It
// reports whether it has to be called again once they have been written.
func (m *member) fetch(c *chunk) (more bool) {
	r := m.room
	r.mu.Lock()
	l := &r.log
	cur := m.cur
	var resync *resyncNotice
	if l.missed(cur) {
		cur.events = l.next
		resync = &resyncNotice{position: r.positionLocked(), spread: spreadOf(r.connections), after: cur}
	}
	batch := batchPool.Get().(*[]entry)
	entries, through := l.read((*batch)[:0], cur, batchBytes)
	m.fetched = cur.next
	more = through < l.next
	if _, lags := r.lagging[m]; lags {
		if len(entries) > 0 || resync != nil || more {
			more = true // to find out that it has caught up
		} else {
			delete(r.lagging, m)
		}
	}
	if len(entries) == 0 && resync == nil {
		m.cur.next = through // nothing in between is for this member
	}
	r.mu.Unlock()

	if resync != nil {
		c.add(resync.encode(r.id), resync.after)
		r.hub.stats.resyncs.Add(1)
		if f := r.hub.opts.Observer.Resync; f != nil {
			// Not here: this is the token's holder.
			r.hub.wg.Go(func() { r.hub.observe(m.s, func() { f(m.s.Info(), r.id) }) })
		}
	}
	for i := range entries {
		e := &entries[i]
		cur.next = e.index + 1
		if i == len(entries)-1 {
			cur.next = through
		}
		if !e.excepts(m.s) {
			c.add(e.payload, cur)
		} else if e.isEvent() {
			meta := protocol.EventMeta{PlanID: r.id, By: e.to.by, MutationID: e.to.mutationID, Timestamp: e.to.at}
			c.add(protocol.AppendReceipt(nil, meta, e.seq, e.prev), cur)
		} else if n := len(c.frames); n > 0 {
			c.frames[n-1].after = cur
		} else {
			m.cur = cur // nothing stands before it, so it is passed already
		}
	}
	clear(entries)
	*batch = entries[:0]
	batchPool.Put(batch)
	return more
}

// resyncNotice is the resync for a member whose next event was evicted: where its events continue.
type resyncNotice struct {
	position protocol.Position
	spread   time.Duration // over which the clients spread their loads
	after    cursor
}

const (
	// spreadEach is the time in which one member loads the plan: the members of a room load at
	// 1/spreadEach together.
	spreadEach = 10 * time.Millisecond
	// maxSpread bounds how long a member shows a plan that it knows to be outdated.
	maxSpread = 10 * time.Second
)

// spreadOf returns the time over which so many members spread their loads. It is 0 for one member.
func spreadOf(members int) time.Duration {
	return min(time.Duration(max(members-1, 0))*spreadEach, maxSpread)
}

func (n *resyncNotice) encode(planID string) []byte {
	return mustEncode(protocol.TypeResync, planID, protocol.Resync{
		Position: n.position, Reason: "events were missed", SpreadMs: n.spread.Milliseconds(),
	})
}
