package room

import (
	"maps"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// keepHouseLocked schedules the next round of the janitor, every JanitorEvery while there is a room
// or a connection.
func (h *Hub) keepHouseLocked() {
	if h.janitor == nil && !h.closed {
		h.janitor = h.timers.after(h.opts.JanitorEvery, h.clean)
	}
}

// clean is one round of the janitor: it closes connections that have been silent for IdleTimeout,
// which happens only where pings are off, deletes rooms that have been empty as long, and drops
// history that is too old.
func (h *Hub) clean() {
	h.mu.Lock()
	h.janitor = nil
	if len(h.sessions)+len(h.rooms) > 0 {
		h.keepHouseLocked()
	}
	h.mu.Unlock()
	sessions := collect(h.mu.RLocker(), maps.Keys(h.sessions))
	rooms := collect(h.mu.RLocker(), maps.Values(h.rooms))

	now := time.Now()
	for _, s := range sessions {
		if now.Sub(s.lastSeen()) >= h.opts.IdleTimeout {
			s.closeLater(protocol.CloseTimeout)
		}
	}
	for _, r := range rooms {
		r.mu.Lock()
		r.trimLocked(now)
		idle := r.idleLocked() && r.joined && now.Sub(r.emptySince) >= h.opts.IdleTimeout
		r.mu.Unlock()
		if idle {
			h.deleteIf(r, func() bool { return r.joined && now.Sub(r.emptySince) >= h.opts.IdleTimeout })
		}
	}
}

// sweepUnjoined deletes a room that no connection has joined, unjoinedRoomTimeout after its last
// event. It looks again later if there was an event since the timer was set.
func (h *Hub) sweepUnjoined(r *room) {
	h.deleteIf(r, func() bool {
		if r.joined {
			return false
		}
		rest := unjoinedRoomTimeout - time.Since(r.lastActivity)
		if rest > 0 {
			h.timers.reset(r.unjoined, rest)
		}
		return rest <= 0
	})
}

func (r *room) idleLocked() bool { return r.connections == 0 && len(r.presence.people) == 0 }

// deleteIf deletes a room without people if condition, called with r.mu held, returns true.
func (h *Hub) deleteIf(r *room, condition func() bool) {
	r.mu.Lock()
	if r.deleted || !r.idleLocked() || !condition() {
		r.mu.Unlock()
		return
	}
	r.deleteLocked()
	r.mu.Unlock()
	h.remove(r)
}

// deleteLocked ends a room: nothing is appended to it any more. The hub still has it until remove.
func (r *room) deleteLocked() {
	h := r.hub
	r.deleted = true
	// The log is emptied, so that a pump that is about to end has nothing to trim a second time.
	r.log.trim(r.log.events.len)
	r.countLocked()
	h.history.Add(-roomOverhead)
	h.forget(r)
	h.timers.stop(r.unjoined)
	h.timers.stop(r.ticking)
	for _, who := range r.presence.people {
		h.timers.stop(who.linger)
	}
}

// remove takes a room that has been deleted out of the hub. Every goroutine that finds such a room
// calls it, so none has to wait for the one that deleted the room. A later room of the plan starts
// at the floor, so no position of the old log is valid in the new one.
func (h *Hub) remove(r *room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rooms[r.id] == r {
		h.floors.raise(r.id, r.log.last) // which does not change after the deletion
		delete(h.rooms, r.id)
	}
}
