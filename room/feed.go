package room

import (
	"math"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// feed is the log of one room, and the connections that receive it. Those that take everything at
// once are served by the pumps of their shards; the others fetch what they miss.
type feed struct {
	// Fixed at creation.
	plan       string
	shared     *outlets
	owner      feedOwner
	maxNotices int // that wait for members that lag

	mu          sync.Mutex // guards the following; package comment: order of locks
	epoch       string     // of the log; see timeline
	log         log
	shards      []*shard
	connections int
	lagging     []*follower // those that entries must be kept for
	slowest     uint64      // no follower in lagging has fetched less
	gathering   bool        // a timer of wakeSoonLocked is set
}

// feedOwner is what a feed needs from its room.
type feedOwner interface {
	// writtenLocked is called under feed.mu when a pump has written everything, and when the last
	// follower that lagged has.
	writtenLocked(now time.Time)
}

// follower is one connection's place in a feed.
type follower struct {
	out *outlet // fixed at creation

	subscription
	feed  *feed  // fixed at creation
	shard *shard // fixed at creation

	// Guarded by feed.mu.
	place    int32  // its index in its shard
	lagPlace int32  // its index in feed.lagging, counted from 1; 0: it does not lag
	fetched  uint64 // everything before it has been written, or is not for this follower
	offered  uint64 // seq of the last event that it has fetched
	skipped  *skips // events that it missed, for which it got resync; nil: none
}

// enterLocked gives f a place in a shard. Its cursor is set.
func (d *feed) enterLocked(f *follower) {
	var sh *shard
	for _, s := range d.shards {
		if len(s.members) < shardSize {
			sh = s
			break
		}
	}
	if sh == nil {
		sh = newShard(d)
		d.shards = append(d.shards, sh)
	}
	f.shard = sh
	sh.addLocked(f)
	// Until the reply to its join is on its way and it has read the log to its end.
	d.lagsLocked(f, f.cur.next)
	d.connections++
}

// exitLocked takes f out. It returns how far f has got, and reports whether f was still in.
func (d *feed) exitLocked(f *follower) (p progress, was bool) {
	if f.gone.Swap(true) {
		return p, false
	}
	p = f.progressLocked()
	f.shard.removeLocked(f)
	d.caughtUpLocked(f)
	if d.connections--; d.connections == 0 {
		d.shards, d.slowest = nil, math.MaxUint64
		d.log.passed(d.log.next) // no member is left that needs a notice
	}
	return p, true
}

// followersLocked returns all followers.
func (d *feed) followersLocked() []*follower {
	list := make([]*follower, 0, d.connections)
	for _, sh := range d.shards {
		list = append(list, sh.members...)
	}
	return list
}

// positionLocked is the position of a client that joins now.
func (d *feed) positionLocked() protocol.Position {
	return d.shared.timeline.position(d.epoch, d.log.last)
}

// lagsLocked remembers f until it has caught up: the entries that it has not received are kept for
// it.
func (d *feed) lagsLocked(f *follower, from uint64) {
	if f.lagPlace > 0 {
		return
	}
	f.fetched = from
	d.lagging = append(d.lagging, f)
	f.lagPlace = int32(len(d.lagging))
	d.slowest = min(d.slowest, from)
}

// caughtUpLocked forgets a follower that lagged. With the last one, it drops what was kept for
// them.
func (d *feed) caughtUpLocked(f *follower) {
	if f.lagPlace == 0 {
		return
	}
	end := len(d.lagging) - 1
	last := d.lagging[end]
	d.lagging[f.lagPlace-1], last.lagPlace = last, f.lagPlace
	d.lagging[end], f.lagPlace = nil, 0
	if d.lagging = d.lagging[:end]; end == 0 {
		d.lagging, d.slowest = nil, math.MaxUint64
		d.owner.writtenLocked(time.Now())
	}
}

// neededLocked is the index from which events are still needed: by a pump, or by a follower that
// lags.
func (d *feed) neededLocked() uint64 { return min(d.passedLocked(), d.slowest) }

// passedLocked is the index up to which no pump has anything left to write.
func (d *feed) passedLocked() uint64 {
	passed := d.log.next
	for _, sh := range d.shards {
		if sh.pumping {
			// Not sh.next: during a pass, the members that are excepted from it still read its
			// entries from the log.
			passed = min(passed, sh.passed)
		}
	}
	return passed
}

// dropPassedLocked drops the notices that all members have received. If too many are left, it
// closes the connections that hold them back.
func (d *feed) dropPassedLocked() {
	d.slowest = math.MaxUint64
	for _, f := range d.lagging {
		d.slowest = min(d.slowest, f.fetched)
	}
	passed := min(d.log.next, d.slowest)
	for _, sh := range d.shards {
		if len(sh.members) > 0 {
			passed = min(passed, sh.passed)
		}
	}
	d.log.passed(passed)
	if d.log.live > d.maxNotices && d.shared.gate.open() { // behind a shut gate, all lag
		for _, f := range d.lagging {
			if f.fetched == passed {
				f.out.evict()
			}
		}
	}
}

// appendNoticeLocked appends a presence notice.
func (d *feed) appendNoticeLocked(n *notice) {
	d.log.appendNotice(n)
	if d.log.live > d.maxNotices {
		d.dropPassedLocked()
	}
	if n.kind == noticeMembership {
		d.wakeSoonLocked()
	} else {
		d.wakeLocked()
	}
}

// wakeSoonLocked is wakeLocked after gatherNotices: users mostly join and leave together, after a
// deploy or at the beginning of a meeting, and one write for many notices costs little more than
// one for each. What is appended meanwhile and wakes the pumps takes the notices along, in order.
func (d *feed) wakeSoonLocked() {
	if d.gathering {
		return
	}
	d.gathering = true
	d.shared.timers.after(gatherNotices, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.gathering = false
		d.wakeLocked()
	})
}

// progressLocked returns how far f has got. It holds until something more is written: a caller that
// wants it to last sets follower.gone before.
func (f *follower) progressLocked() progress {
	o := f.out
	o.mu.Lock()
	defer o.mu.Unlock()
	p := progress{written: f.cur.seq, begun: f.cur.seq}
	if o.state == stateFlushing {
		p.slow = max(o.flushing, 1)
	}
	switch {
	case o.end == endAborted:
		// The write that failed may have taken later events: if it was a pump's, up to the last.
		if p.begun = f.feed.log.last; o.inFlush {
			p.begun = max(f.cur.seq, f.offered)
		}
		if o.torn {
			p.written = f.skipped.before(f.cur.seq)
		}
	case o.remainder != nil && o.remainder.entry && o.remainder.plan == f.plan:
		p.written = f.skipped.before(f.cur.seq)
	case o.remainder == nil && o.inSink && o.writingOf == f.plan:
		p.begun = max(p.begun, f.offered)
		if o.state == stateWriting && f.shard.pumping { // it may be the pump that writes
			p.begun = max(p.begun, f.shard.next.seq)
		}
	}
	return p
}

// entryLists holds the lists into which followers fetch.
var entryLists = sync.Pool{New: func() any { return new([]entry) }}

// fetch implements [source].
func (f *follower) fetch(b *batch) (more bool) {
	d := f.feed
	d.mu.Lock()
	if f.gone.Load() {
		d.mu.Unlock()
		return false
	}
	cur := f.cur
	f.fetched = cur.next
	var resync *resyncMessage
	if d.log.missed(cur) {
		if !f.gone.Load() { // otherwise the membership has been recorded
			if f.skipped == nil {
				f.skipped = new(skips)
			}
			f.skipped.add(skip{cur.seq, d.log.last, int64(d.shared.clock())})
		}
		cur.events, cur.seq = d.log.next, d.log.last
		resync = &resyncMessage{position: d.positionLocked(), spread: spreadOf(d.connections)}
	}
	list := entryLists.Get().(*[]entry)
	read, through := d.log.read((*list)[:0], cur, batchBytes)
	f.offered = cur.seq
	for i := range read {
		f.offered = max(f.offered, read[i].seq)
	}
	more = through < d.log.next
	if f.lagPlace > 0 {
		if len(read) > 0 || resync != nil || more {
			more = true // to find out that it has caught up
		} else {
			d.caughtUpLocked(f)
		}
	}
	if len(read) == 0 && resync == nil {
		f.cur.next = through // nothing in between is for this follower
	}
	d.mu.Unlock()

	if resync != nil {
		b.add(resync.encode(d.plan), cur)
		f.out.owner.resynced(d.plan, resync.position)
	}
	for i := range read {
		e := &read[i]
		cur.next, cur.seq = e.index+1, max(cur.seq, e.seq)
		if i == len(read)-1 {
			cur.next = through
		}
		if !e.excepts(f.out.viewer) {
			b.add(e.payload, cur)
		} else if e.isEvent() {
			meta := protocol.EventMeta{PlanID: d.plan, By: e.to.by, MutationID: e.to.mutationID, Version: e.to.version, Timestamp: e.to.at}
			b.add(protocol.AppendReceipt(nil, meta, e.seq, e.prev), cur)
		} else if n := len(b.items); n > 0 {
			b.items[n-1].after = cur
		} else {
			f.cur.next = cur.next // no entry is before it, so it is already passed
		}
	}
	clear(read)
	*list = read[:0]
	entryLists.Put(list)
	return more
}

// resyncMessage is the resync for a follower whose next event was evicted: where its events
// continue.
type resyncMessage struct {
	position protocol.Position
	spread   time.Duration // over which the clients spread their loads
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

func (n *resyncMessage) encode(plan string) []byte {
	return mustEncode(protocol.TypeResync, plan, protocol.Resync{
		Position: n.position, Reason: "events were missed", SpreadMs: n.spread.Milliseconds(),
	})
}
