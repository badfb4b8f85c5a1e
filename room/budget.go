package room

// HistoryTotal bounds the history of all rooms. A call that adds a room or an event evicts the
// least recently used rooms before it returns, until the total fits. Rooms with something to evict
// are in Hub.recent, so eviction needs no scan, and its cost is amortized over the events and rooms
// that were added.
//
// While half of the budget is free, no eviction is near, and a room that is in Hub.recent keeps its
// place: moving it takes a lock of the whole hub and touches its neighbours, which in a hub of many
// rooms are not in a processor cache.

func (h *Hub) overBudget() bool { return h.history.Load() > int64(h.opts.HistoryTotal) }

// makeSpace evicts the history of rooms, the least recently used first, until the total fits or
// nothing is left to evict. It deletes rooms without users; clients that come back to the others
// have to reload. It is called without a lock.
func (h *Hub) makeSpace() {
	for h.overBudget() {
		h.evictMu.Lock()
		front := h.recent.Front()
		if front == nil {
			h.evictMu.Unlock()
			return
		}
		r := h.recent.Remove(front).(*room)
		r.listPlace = nil
		h.evictMu.Unlock()

		r.mu.Lock()
		if r.usedAgainLocked() {
			r.mu.Unlock()
			continue
		}
		r.listed = false
		r.evictLocked()
		idle := r.idleLocked()
		r.mu.Unlock()
		if idle {
			h.deleteIf(r, func() bool { return true })
		}
	}
}

// usedAgainLocked reports whether r got something between the moment makeSpace took it from
// Hub.recent and the moment it locked r. Such a room is among the most recently used, and its
// pump may not have written all of its new events yet.
func (r *room) usedAgainLocked() bool {
	r.hub.evictMu.Lock()
	defer r.hub.evictMu.Unlock()
	return r.listPlace != nil
}

// touchLocked makes r the most recently used room.
func (r *room) touchLocked() {
	h := r.hub
	if r.deleted || r.listed && h.history.Load() < int64(h.opts.HistoryTotal)/2 {
		return
	}
	r.listed = true
	h.evictMu.Lock()
	defer h.evictMu.Unlock()
	if r.listPlace != nil {
		h.recent.MoveToBack(r.listPlace)
	} else {
		r.listPlace = h.recent.PushBack(r)
	}
}

// forget takes a room that is being deleted out of Hub.recent.
func (h *Hub) forget(r *room) {
	h.evictMu.Lock()
	defer h.evictMu.Unlock()
	if r.listPlace != nil {
		h.recent.Remove(r.listPlace)
		r.listPlace = nil
	}
}

// evictLocked evicts the room's history, except the newest event while a pump has yet to write it.
// So a client that keeps up misses nothing, and one that does not keep up holds no memory.
func (r *room) evictLocked() {
	n := r.log.events.len
	r.kept = n > 0 && r.log.events.at(n-1).index >= r.passedLocked()
	if r.kept {
		n--
	}
	r.log.trim(n)
	r.countLocked()
}

// releaseKeptLocked decides, when a pump ends, about an event that was kept for it.
func (r *room) releaseKeptLocked() {
	if !r.kept {
		return
	}
	r.kept = false
	// In this order: a call that exceeds the budget in between either finds r in Hub.recent or is
	// seen here.
	r.touchLocked()
	if r.hub.overBudget() {
		r.evictLocked()
	}
}
