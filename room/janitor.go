package room

import (
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// keepHouseLocked makes sure that the janitor comes: while there is a room or a connection, every JanitorEvery.
func (h *Hub) keepHouseLocked() {
	if h.janitor == nil && !h.closed {
		h.janitor = h.timers.after(h.opts.JanitorEvery, h.clean)
	}
}

// clean is one round of the janitor: it closes connections that have been silent for IdleTimeout, which happens only where
// pings are off, deletes rooms that have been empty as long, and drops history that is too old.
func (h *Hub) clean() {
	h.mu.Lock()
	sessions := make([]*Session, 0, len(h.sessions))
	for s := range h.sessions {
		sessions = append(sessions, s)
	}
	rooms := make([]*room, 0, len(h.rooms))
	for _, r := range h.rooms {
		rooms = append(rooms, r)
	}
	h.janitor = nil
	if len(sessions)+len(rooms) > 0 {
		h.keepHouseLocked()
	}
	h.mu.Unlock()

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

// sweepUnjoined deletes a room that nobody joined.
func (h *Hub) sweepUnjoined(r *room) {
	h.deleteIf(r, func() bool { return !r.joined })
}

func (r *room) idleLocked() bool { return r.connections == 0 && len(r.presence.people) == 0 }

// deleteIf deletes a room without people if still holds under its lock.
func (h *Hub) deleteIf(r *room, still func() bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.deleted && r.idleLocked() && still() {
		h.deleteLocked(r)
	}
}

// deleteLocked forgets a room. Whatever is opened for the plan later starts at the floor, so no position from before
// can be taken for one of the new log. h.mu and r.mu are held.
func (h *Hub) deleteLocked(r *room) {
	r.deleted = true
	h.floor = max(h.floor, r.log.last)
	// Emptied, so that a pump which is just ending finds nothing to trim, and to give back, a second time.
	h.history.Add(-int64(r.log.trim(len(r.log.events)) + roomOverhead))
	h.forget(r)
	h.timers.stop(r.unjoined)
	h.timers.stop(r.presence.ticking)
	for _, who := range r.presence.people {
		h.timers.stop(who.linger)
	}
	delete(h.rooms, r.id)
}
