package room

import "time"

// unjoinedFor is how long a room is kept that no connection has joined, after its last event. With
// an engine its clients may be on other nodes, and come to this one.
func (h *Hub) unjoinedFor() time.Duration {
	if h.cluster != nil {
		return max(unjoinedRoomTimeout, h.opts.HistoryAge)
	}
	return unjoinedRoomTimeout
}

// sweepUnjoined deletes a room that no connection has joined, unjoinedFor after its last event. It
// looks again later if there was an event since the timer was set.
func (h *Hub) sweepUnjoined(r *room) {
	h.deleteIf(r, func() bool {
		if r.joined {
			return false
		}
		left := h.unjoinedFor() - time.Since(r.lastActivity)
		if left > 0 {
			h.timers.reset(r.unjoined, left)
		}
		return left <= 0
	})
}

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
	h.stats.participants.Add(int64(-r.people))
	r.people = 0
	h.budget.held.Add(-roomOverhead)
	h.budget.forget(&r.budgeted)
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
