package room

import (
	"math"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// room is one plan: its feed, its members and the people they are.
type room struct {
	hub  *Hub   // fixed at creation
	id   string // fixed at creation
	feed        // its mu guards the following, too

	presence     presence
	people       int               // who count in Stats
	ticking      *timer            // sends the count of a crowded room
	tickAt       time.Time         // when it does
	joined       bool              // a connection has been a member
	deleted      bool              // no longer in Hub.rooms, or about to be removed
	closed       bool              // Shutdown has begun: no event and no member is added
	closedAt     protocol.Position // when it began
	lastActivity time.Time
	emptySince   time.Time
	unjoined     *timer // deletes a room that no connection joins
	kept         bool   // evicted except for an event that a pump has yet to write
	budgeted
}

func newRoom(h *Hub, id string, floor uint64) *room {
	now := time.Now()
	r := &room{hub: h, id: id, lastActivity: now, emptySince: now}
	r.feed = feed{
		plan: id, epoch: h.timeline.current(), shared: &h.outlets, owner: r, maxNotices: maxWaitingNotices + 3*h.opts.PresenceLimit,
		log: log{base: floor, last: floor}, slowest: math.MaxUint64,
	}
	r.presence = h.newPresence()
	return r
}

// lockLive locks the room, or reports false, unlocked, if it has been deleted.
func (r *room) lockLive() bool {
	r.mu.Lock()
	if r.deleted {
		r.mu.Unlock()
		return false
	}
	return true
}

// release unlocks a room that Hub.acquire returned, and evicts history if the call exceeded
// HistoryTotal.
func (r *room) release() {
	r.mu.Unlock()
	r.hub.budget.makeSpace()
}

// appended is an event that got its place in a log.
type appended struct {
	position protocol.Position
	bytes    int // of the message
}

// appendEventLocked gives the event its place in the log. The seq is drawn under the room's lock,
// so it grows in every room.
func (r *room) appendEventLocked(encoded protocol.EncodedEvent, to *audience) appended {
	h, now := r.hub, time.Now()
	e := entry{seq: h.seq.Add(1), at: h.clockAt(now), to: to}
	e.payload = encoded.Splice(e.seq, r.log.last)
	r.log.appendEvent(e)
	r.lastActivity = now
	return appended{protocol.Position{Epoch: r.epoch, Seq: e.seq}, len(e.payload)}
}

// appendedLocked follows one or several calls of appendEventLocked: it wakes the pumps, and holds
// the log to its limits.
func (r *room) appendedLocked() {
	r.wakeLocked() // first: what a pump has yet to take is not trimmed
	r.trimLocked(r.lastActivity)
	r.touchLocked()
}

// trimLocked holds the log to its limits.
func (r *room) trimLocked(now time.Time) {
	o := &r.hub.opts
	r.log.trimTo(o.HistoryEvents, o.HistoryBytes, r.hub.clockAt(now)-int64(o.HistoryAge), r.neededLocked())
	r.countLocked()
}

// writtenLocked implements [feedOwner].
func (r *room) writtenLocked(now time.Time) {
	r.trimLocked(now) // of what was kept until it was written
	r.releaseKeptLocked()
}

// enterLocked adds m, whose cursor is set.
func (r *room) enterLocked(m *member) {
	r.feed.enterLocked(&m.follower)
	if !r.joined {
		r.joined = true
		r.hub.timers.stop(r.unjoined)
	}
	r.lastActivity = time.Now()
	r.touchLocked()
}

// exitLocked takes m out and records that. reason is "" if the connection joins again. It reports
// whether m was still in.
func (r *room) exitLocked(m *member, reason LeaveReason) bool {
	p, was := r.feed.exitLocked(&m.follower)
	if !was {
		return false
	}
	r.hub.journal.add(m.endedLocked(reason, p))
	if r.connections == 0 {
		r.emptySince = time.Now()
	}
	return true
}

// membersLocked returns all members.
func (r *room) membersLocked() []*member {
	followers := r.followersLocked()
	members := make([]*member, len(followers))
	for i, f := range followers {
		members[i] = f.source.(*member)
	}
	return members
}

// idleLocked reports whether this hub lists no user in the room, not even one who lingers.
func (r *room) idleLocked() bool { return r.connections == 0 && r.presence.here == 0 }

// remove takes m out of its room and notifies the others. It reports whether m was in.
func (r *room) remove(m *member, d departure, last []byte) bool {
	r.mu.Lock()
	was := r.exitLocked(m, d.reason)
	if was {
		if last != nil {
			m.out.put(reply{payload: last}) // under the lock: before the reply to a later join
		}
		r.presenceExitLocked(m.s, d.manner)
	}
	r.mu.Unlock()
	if was {
		m.recheck.end()
	}
	return was
}
