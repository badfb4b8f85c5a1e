package room

import (
	"maps"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// clean is one round of the janitor: it closes connections that have been silent for IdleTimeout,
// which happens only where pings are off, deletes rooms that have been empty as long, and drops
// history that is too old.
func (h *Hub) clean() {
	h.mu.Lock()
	h.janitor.next = nil
	h.disconnects.prune(h.clock())
	if len(h.sessions)+len(h.rooms) > 0 && !h.closed {
		h.janitor.startLocked()
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
		idle := r.idleLocked() && r.unusedLocked(now)
		r.mu.Unlock()
		if idle {
			h.deleteIf(r, func() bool { return r.unusedLocked(now) })
		}
	}
}

// unusedLocked reports whether a room that is empty has been so for IdleTimeout. With an engine it
// is also in use as long as its events are in the history: clients on other nodes may come to this
// one.
func (r *room) unusedLocked(now time.Time) bool {
	o := &r.hub.opts
	return r.joined && now.Sub(r.emptySince) >= o.IdleTimeout && (r.hub.cluster == nil || now.Sub(r.lastActivity) >= o.HistoryAge)
}
