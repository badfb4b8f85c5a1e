package room

import (
	"container/list"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// room is one plan: its log, its members and the people they are.
type room struct {
	hub *Hub   // fixed at creation
	id  string // fixed at creation

	mu           sync.Mutex // guards the following; package comment: order of locks
	log          log
	shards       []*shard
	lagging      map[*member]struct{} // members that notices must be kept for
	presence     presence
	connections  int
	joined       bool // a connection has been a member
	deleted      bool // no longer in Hub.rooms, or about to be removed
	closed       bool // Shutdown has begun: no event and no member is added
	lastActivity time.Time
	emptySince   time.Time
	unjoined     *timer // deletes a room that no connection joins
	listed       bool   // in Hub.recent, or just taken out to evict its history
	counted      int    // bytes of the log that Hub.history counts
	kept         bool   // evicted except for an event that a pump has yet to write

	place *list.Element // in Hub.recent; nil if there is nothing to evict. Guarded by Hub.evictMu
}

func newRoom(h *Hub, id string, floor uint64) *room {
	now := time.Now()
	r := &room{
		hub: h, id: id,
		log:     log{base: floor, last: floor},
		lagging: make(map[*member]struct{}), lastActivity: now, emptySince: now,
	}
	r.presence.init(r)
	return r
}

// positionLocked is the position of a client that joins now.
func (r *room) positionLocked() protocol.Position {
	return protocol.Position{Epoch: r.hub.epoch, Seq: r.log.last}
}

// appendEventLocked gives the event its place in the log. The seq is drawn under the room's lock,
// so it grows in every room.
func (r *room) appendEventLocked(encoded protocol.EncodedEvent, to *audience) {
	h, now := r.hub, time.Now()
	e := entry{seq: h.seq.Add(1), at: h.clockAt(now), to: to}
	e.payload = encoded.Splice(e.seq, r.log.last)
	r.log.appendEvent(e)
	r.lastActivity = now
	r.trimLocked(now)
	r.usedLocked()
	r.wakeLocked()
}

// trimLocked holds the log to its limits.
func (r *room) trimLocked(now time.Time) {
	o := &r.hub.opts
	r.log.trimTo(o.HistoryEvents, o.HistoryBytes, r.hub.clockAt(now)-int64(o.HistoryAge), r.passedLocked())
	r.countLocked()
}

// countLocked counts what the log holds in Hub.history.
func (r *room) countLocked() {
	held := r.log.held()
	r.hub.history.Add(int64(held - r.counted))
	r.counted = held
}

// passedLocked is the index up to which no pump has anything left to write.
func (r *room) passedLocked() uint64 {
	passed := r.log.next
	for _, sh := range r.shards {
		if sh.pumping {
			passed = min(passed, sh.passed) // not next: those excepted from a pass read it themselves, while it is under way
		}
	}
	return passed
}

// enterLocked gives m a place in a shard.
func (r *room) enterLocked(m *member) {
	var sh *shard
	for _, s := range r.shards {
		if len(s.members) < shardSize {
			sh = s
			break
		}
	}
	if sh == nil {
		sh = newShard(r)
		r.shards = append(r.shards, sh)
	}
	m.shard = sh
	sh.addLocked(m)
	m.fetched = m.cur.next
	r.lagging[m] = struct{}{} // until its join answer is on its way and it has read the log to its end
	r.connections++
	if !r.joined {
		r.joined = true
		r.hub.timers.stop(r.unjoined)
	}
	r.lastActivity = time.Now()
	r.usedLocked()
}

// exitLocked takes m out. It reports whether m was still in.
func (r *room) exitLocked(m *member) bool {
	if m.gone.Swap(true) {
		return false
	}
	m.shard.removeLocked(m)
	delete(r.lagging, m)
	r.connections--
	if r.connections == 0 {
		r.emptySince = time.Now()
		r.shards = nil
		r.log.passed(r.log.next) // no member is left that needs a notice
	}
	return true
}

// departure is how a connection leaves a room.
type departure uint8

const (
	departLinger departure = iota // it may come back at once: a reload
	departNow                     // it left, or was removed
	departSilent                  // the hub shuts down
)

// remove takes m out of its room and notifies the others. It reports whether m was in.
func (r *room) remove(m *member, d departure, last []byte) bool {
	r.mu.Lock()
	was := r.exitLocked(m)
	if was {
		if last != nil {
			m.out.put(answer{payload: last}) // here, since a later member is entered under the same lock
		}
		r.presence.exitLocked(m.s, d)
		r.wakeLocked()
	}
	r.mu.Unlock()
	if was {
		m.endChecks()
	}
	return was
}

// rename gives a user who is in the room another name.
func (r *room) rename(userID, name string) {
	r.mu.Lock()
	r.presence.renameLocked(r.presence.people[userID], name)
	r.mu.Unlock()
}

// noticeLocked appends a presence notice.
func (r *room) noticeLocked(kind noticeKind, subject string, t protocol.Type, data any, to *audience) {
	if r.connections == 0 {
		return
	}
	n := &notice{kind: kind, subject: subject}
	n.to = to
	n.payload = mustEncode(t, r.id, data)
	r.log.appendNotice(n)
	if r.log.live > maxWaitingNotices {
		r.settleLocked()
	}
	r.wakeLocked()
}

// mustEncode encodes a message whose parts are all the hub's own.
func mustEncode(t protocol.Type, planID string, data any) []byte {
	b, err := protocol.Encode(t, planID, data, time.Now())
	if err != nil {
		panic("room: " + string(t) + ": " + err.Error()) // unreachable: ids and states were validated when they came in
	}
	return b
}
