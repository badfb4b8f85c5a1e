package room

import (
	"runtime"
	"sync"
	"time"
)

// shard is a part of a feed's followers with its own pump, so that a large room uses all cores.
type shard struct {
	// Fixed at creation.
	feed *feed
	// Runs the pump. Created once, because a go statement with a receiver allocates each time.
	start func()

	// following is started by this pump when it starts. Set under feed.mu together with pumping,
	// and then owned by start.
	following *shard

	// Guarded by feed.mu.
	members []*follower
	shared  bool   // the pump holds members: copy before changing what is in it
	pumping bool   // the pump runs
	next    mark   // up to which the pump has taken entries
	passed  uint64 // index up to which its passes are complete
}

// mark is a place in a log.
type mark struct {
	index uint64 // of the entry that follows
	seq   uint64 // of the last event before it
}

// pass is what a pump writes to all its members at a time: the entries of a room from one index to
// another, as one batch for each framing.
type pass struct {
	from, to mark
	entries  []entry
	batches  []*batch // one, or two in a room with two transports
}

// prefetched is the number of members that a pump reads before it writes to the first of them. In a
// room that has been silent they are not in the processor's caches. Reading them in a row loads
// them at the same time; reading them between writes loads them one after the other. This saves a
// twentieth of the cost of a delivery in a thousand rooms of ten (S3 of examples/compare).
const prefetched = 16

var passes = sync.Pool{New: func() any { return new(pass) }}

// batch returns the entries framed by f.
func (p *pass) batch(f Framing) *batch {
	for _, b := range p.batches {
		if b.framing == f {
			return b
		}
	}
	b := newBatch(f)
	b.from, b.to, b.unread = p.from.index, cursor{next: p.to.index, seq: p.to.seq}, len(p.entries) == 0
	seq := p.from.seq
	for i := range p.entries {
		e := &p.entries[i]
		seq = max(seq, e.seq)
		b.add(e.payload, cursor{next: e.index + 1, seq: seq})
		if e.to != nil {
			b.audiences = append(b.audiences, e.to)
		}
	}
	p.batches = append(p.batches, b)
	return b
}

// info describes the pass for Observer.Delivered.
func (p *pass) info(d *feed, offered, late int) DeliveryInfo {
	info := DeliveryInfo{PlanID: d.plan, Connections: offered, Late: late}
	for i := range p.entries {
		e := &p.entries[i]
		if !e.isEvent() {
			continue
		}
		if info.Events == 0 {
			info.Lag = d.shared.clock() - time.Duration(e.at)
		}
		info.Events++
		info.Bytes += len(e.payload)
	}
	return info
}

// reset drops the batches and the entries.
func (p *pass) reset() {
	for i, b := range p.batches {
		b.release()
		p.batches[i] = nil
	}
	clear(p.entries)
	p.batches, p.entries = p.batches[:0], p.entries[:0]
}

// wakeLocked makes sure that what was appended to the log is delivered. A pump also ends under
// feed.mu, so no entry is missed in between. The caller, mostly a broadcast, starts only one
// goroutine, however large the room is: each pump starts the next one before it begins.
func (d *feed) wakeLocked() {
	var first, last *shard
	for _, sh := range d.shards {
		if sh.pumping || len(sh.members) == 0 || sh.next.index == d.log.next {
			continue
		}
		sh.pumping = true
		d.shared.wg.Add(1)
		if last == nil {
			first = sh
		} else {
			last.following = sh
		}
		last = sh
	}
	if first != nil {
		go first.start() // ends with wg.Done
	}
}

func newShard(d *feed) *shard {
	sh := &shard{feed: d}
	sh.start = func() {
		defer d.shared.wg.Done()
		if next := sh.following; next != nil {
			sh.following = nil
			go next.start()
		}
		sh.pump(passes.Get().(*pass), nil)
	}
	return sh
}

// pump writes everything that is new to all members of the shard. It runs while there is something
// new, and never waits for a reader. late did not take all of the pass before.
func (sh *shard) pump(p *pass, late []*follower) {
	ended := false
	defer func() {
		if !ended { // Observer.Delivered has called runtime.Goexit
			late := late
			sh.feed.shared.wg.Go(func() { sh.pump(p, late) })
		}
	}()
	for members := sh.begin(p, late); members != nil; members = sh.begin(p, late) {
		late = late[:0]
		offered := len(members)
		for len(members) > 0 {
			group := members[:min(len(members), prefetched)]
			members = members[len(group):]
			for _, f := range group {
				runtime.KeepAlive(f.out.sink) // loads f and its outlet into the caches
			}
			for _, f := range group {
				if !f.out.deliver(&f.subscription, p.batch(f.out.framing)) {
					late = append(late, f)
				}
			}
		}
		if f := sh.feed.shared.delivered; f != nil {
			f(p.info(sh.feed, offered, len(late)))
		}
	}
	ended = true
	p.reset()
	passes.Put(p)
}

// begin takes the entries of the next pass, and returns the members to write them to. It returns
// nil if there is nothing new: the pump has to end. late did not take all of the pass before.
func (sh *shard) begin(p *pass, late []*follower) []*follower {
	d := sh.feed
	d.mu.Lock()
	defer d.mu.Unlock()
	sh.passed = sh.next.index
	for _, f := range late {
		// The outlet was found busy under outlet.mu, so the holder of the token finds f dirty and
		// fetches. The fetch removes f from the lagging members.
		if f.out.markIfBusy(&f.subscription) {
			d.lagsLocked(f, p.from.index)
		}
	}
	p.reset()
	if sh.next.index == d.log.next || len(sh.members) == 0 {
		sh.next = d.log.end()
		sh.passed = sh.next.index
		sh.pumping, sh.shared = false, false
		d.dropPassedLocked()
		d.owner.writtenLocked(time.Now())
		return nil
	}
	p.from = sh.next
	if at := (cursor{next: sh.next.index}); d.log.missed(at) {
		p.to = d.log.end() // without entries: the members find out from their own cursors
	} else {
		p.entries, p.to.index = d.log.read(p.entries, at, batchBytes)
		p.to.seq = p.from.seq
		for i := range p.entries {
			p.to.seq = max(p.to.seq, p.entries[i].seq)
		}
	}
	sh.next, sh.shared = p.to, true
	return sh.members
}

func (sh *shard) addLocked(f *follower) {
	if len(sh.members) == 0 && !sh.pumping {
		sh.next = sh.feed.log.end()
		sh.passed = sh.next.index
	}
	f.place = int32(len(sh.members))
	sh.members = append(sh.members, f) // beyond what a pump holds of the list
}

func (sh *shard) removeLocked(f *follower) {
	if sh.shared {
		sh.members = append(make([]*follower, 0, len(sh.members)), sh.members...)
		sh.shared = false
	}
	end := len(sh.members) - 1
	sh.members[f.place] = sh.members[end]
	sh.members[f.place].place = f.place
	sh.members[end] = nil
	sh.members = sh.members[:end]
	if end == 0 {
		sh.members = nil
	}
}
