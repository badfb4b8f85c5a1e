package room

import (
	"runtime"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// shard is a part of a room's members with its own pump, so that a large room uses all cores.
type shard struct {
	// Fixed at creation.
	room  *room
	start func() // runs the pump; made once, since a go statement with a receiver allocates each time

	// following is started by this pump when it starts. Set under room.mu together with pumping,
	// and then owned by start.
	following *shard

	// Guarded by room.mu.
	members []*member
	shared  bool   // the pump holds members: copy before writing
	pumping bool   // the pump runs
	next    uint64 // index up to which the pump has taken entries
	passed  uint64 // index up to which its passes are complete
}

// pass is what a pump writes to all its members in one go: the entries of a room from one index to
// another, framed once for each framing.
type pass struct {
	from, to  uint64
	entries   []entry
	excepting bool // some entry excludes a member

	// The first framing has its place here; a second one, in a room with two transports, costs an
	// allocation.
	framing Framing
	buf     []byte
	ends    []int
	others  []*pass
}

// prefetched is how many members a pump looks at before it writes to the first of them. In a room
// that has been silent they are in none of the processor's caches: looked at in a row they come at
// the same time, looked at between two writes one after the other. It saves a twentieth of what a
// delivery costs in a thousand rooms of ten (S3 of examples/compare).
const prefetched = 16

var (
	passPool  = sync.Pool{New: func() any { return new(pass) }}
	batchPool = sync.Pool{New: func() any { return new([]entry) }}
)

// excepts reports whether s gets something other than the entries of the pass.
func (p *pass) excepts(s *Session) bool {
	if p.excepting {
		if len(p.entries) == 0 {
			return true // the member finds out from its own cursor
		}
		for i := range p.entries {
			if p.entries[i].excepts(s) {
				return true
			}
		}
	}
	return false
}

// frames returns the entries as frames of f, and where in the buffer each ends.
func (p *pass) frames(f Framing) (buf []byte, ends []int) {
	if p.framing == nil {
		p.framing = f
		for i := range p.entries {
			p.buf = f.AppendMessage(p.buf, p.entries[i].payload)
			p.ends = append(p.ends, len(p.buf))
		}
	}
	if p.framing == f {
		return p.buf, p.ends
	}
	for _, o := range p.others {
		if o.framing == f {
			return o.buf, o.ends
		}
	}
	o := &pass{entries: p.entries}
	p.others = append(p.others, o)
	return o.frames(f)
}

func (p *pass) release() {
	if cap(p.buf) > 2*batchBytes {
		p.buf = nil
	}
	clear(p.entries)
	*p = pass{entries: p.entries[:0], buf: p.buf[:0], ends: p.ends[:0]}
	passPool.Put(p)
}

// wakeLocked makes sure that what was appended to the room's log is delivered. It is called under
// room.mu, as is the decision of a pump to end: so an entry can't slip in between. The caller,
// mostly a broadcast, pays for one goroutine however large the room is: each pump starts the one
// that follows it before it begins.
func (r *room) wakeLocked() {
	var first, last *shard
	for _, sh := range r.shards {
		if sh.pumping || len(sh.members) == 0 {
			continue
		}
		sh.pumping = true
		r.hub.wg.Add(1)
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

func newShard(r *room) *shard {
	sh := &shard{room: r}
	sh.start = func() {
		defer r.hub.wg.Done()
		if next := sh.following; next != nil {
			sh.following = nil
			go next.start()
		}
		sh.pump()
	}
	return sh
}

// pump writes everything that is new to all members of the shard. It runs while there is something
// new, and never waits for a reader.
func (sh *shard) pump() {
	r := sh.room
	p := passPool.Get().(*pass)
	defer p.release()
	var late []*member // did not take all of the last pass
	for {
		r.mu.Lock()
		sh.passed = sh.next
		for _, m := range late {
			r.lagsLocked(m, p.from)
		}
		if sh.next == r.log.next || len(sh.members) == 0 {
			sh.next, sh.passed = r.log.next, r.log.next
			sh.pumping, sh.shared = false, false
			r.trimLocked(time.Now()) // of what was kept for this pump
			r.releaseKeptLocked()
			r.settleLocked()
			r.mu.Unlock()
			return
		}
		if r.log.missed(cursor{next: sh.next}) {
			// The log was cut before this pump came to it: the members find out from their own
			// cursors.
			p.from, p.to, p.entries = sh.next, r.log.next, p.entries[:0]
		} else {
			p.from = sh.next
			p.entries, p.to = r.log.read(p.entries[:0], cursor{next: sh.next}, batchBytes)
		}
		sh.next, sh.shared = p.to, true
		members := sh.members
		r.mu.Unlock()

		p.framing, p.buf, p.ends, p.others, p.excepting = nil, p.buf[:0], p.ends[:0], nil, len(p.entries) == 0
		for i := range p.entries {
			if p.entries[i].to != nil {
				p.excepting = true
			}
		}
		late = late[:0]
		for len(members) > 0 {
			group := members[:min(len(members), prefetched)]
			members = members[len(group):]
			for _, m := range group {
				runtime.KeepAlive(m.out.sink) // brings m and its writer into the caches
			}
			for _, m := range group {
				if !m.out.offer(m, p) {
					late = append(late, m)
				}
			}
		}
	}
}

func (sh *shard) addLocked(m *member) {
	if len(sh.members) == 0 && !sh.pumping {
		sh.next, sh.passed = sh.room.log.next, sh.room.log.next
	}
	if sh.shared {
		sh.members = append(make([]*member, 0, len(sh.members)+len(sh.members)/4+1), sh.members...)
		sh.shared = false
	}
	m.place = len(sh.members)
	sh.members = append(sh.members, m)
}

func (sh *shard) removeLocked(m *member) {
	if sh.shared {
		sh.members = append(make([]*member, 0, len(sh.members)), sh.members...)
		sh.shared = false
	}
	end := len(sh.members) - 1
	sh.members[m.place] = sh.members[end]
	sh.members[m.place].place = m.place
	sh.members[end] = nil
	sh.members = sh.members[:end]
	if end == 0 {
		sh.members = nil
	}
}

// lagsLocked remembers m, which did not take all of the pass that began at from, until it has
// caught up: the notices that it has not heard must stay. That its writer is busy is seen under
// writer.mu, so the holder of the token finds m dirty and fetches again, which is where it is
// forgotten.
func (r *room) lagsLocked(m *member, from uint64) {
	w := m.out
	w.mu.Lock()
	late := w.busy && !m.gone.Load()
	if late {
		w.markDirtyLocked(m)
	}
	w.mu.Unlock()
	if _, known := r.lagging[m]; late && !known {
		m.fetched = from
		r.lagging[m] = struct{}{}
	}
}

// settleLocked drops the notices that all members have received. If too many are left, it closes the
// connections that hold them back.
func (r *room) settleLocked() {
	passed := r.log.next
	for _, sh := range r.shards {
		if len(sh.members) > 0 {
			passed = min(passed, sh.passed)
		}
	}
	for m := range r.lagging {
		passed = min(passed, m.fetched)
	}
	r.log.passed(passed)
	if r.log.live > maxWaitingNotices {
		for m := range r.lagging {
			if m.fetched == passed {
				m.s.closeLater(protocol.CloseTooSlow)
			}
		}
	}
}
