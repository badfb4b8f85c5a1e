package room

// What all rooms of a hub hold together is kept within Options.HistoryTotal by those who bring something: before a call that
// made a room or an event returns, the rooms that were used least recently have given way to it. There is no scan and no
// round: a room is put into Hub.recent when it gets something that it could give up, and taken out when it gives it up, so
// what giving way costs has been paid for, one for one, by events and rooms that came in.
//
// While half of the budget is free nobody has to give way soon, and a room that stands there already stays where it is: to move it
// takes a lock of the whole hub and touches its neighbours, which in a hub of many rooms are in no cache.

func (h *Hub) overBudget() bool { return h.history.Load() > int64(h.opts.HistoryTotal) }

// makeSpace has rooms give way, the least recently used first, until the budget is kept or nobody has anything left that can be
// given up. Rooms without people are deleted, in the others those who come back are told to reload. It is called without a lock.
func (h *Hub) makeSpace() {
	for h.overBudget() {
		h.evictMu.Lock()
		front := h.recent.Front()
		if front == nil {
			h.evictMu.Unlock()
			return
		}
		r := h.recent.Remove(front).(*room)
		r.place = nil
		h.evictMu.Unlock()

		r.mu.Lock()
		if r.usedAgainLocked() {
			r.mu.Unlock()
			continue
		}
		r.listed = false
		r.yieldLocked()
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
	return r.place != nil
}

// usedLocked makes r the last to give way.
func (r *room) usedLocked() {
	h := r.hub
	if r.deleted || r.listed && h.history.Load() < int64(h.opts.HistoryTotal)/2 {
		return
	}
	r.listed = true
	h.evictMu.Lock()
	defer h.evictMu.Unlock()
	if r.place != nil {
		h.recent.MoveToBack(r.place)
	} else {
		r.place = h.recent.PushBack(r)
	}
}

// forget takes a room that is being deleted out of those that can give way.
func (h *Hub) forget(r *room) {
	h.evictMu.Lock()
	defer h.evictMu.Unlock()
	if r.place != nil {
		h.recent.Remove(r.place)
		r.place = nil
	}
}

// yieldLocked gives up the room's history: all of it, save the newest event while a pump has yet to write it. Those who read
// as fast as they can miss nothing, and those who don't hold no memory.
func (r *room) yieldLocked() {
	n := r.log.events.len
	r.spared = n > 0 && r.log.events.at(n-1).index >= r.passedLocked()
	if r.spared {
		n--
	}
	r.log.trim(n)
	r.countLocked()
}

// unspareLocked decides, when a pump ends, about an event that was spared for it.
func (r *room) unspareLocked() {
	if !r.spared {
		return
	}
	r.spared = false
	// In this order: whoever exceeds the budget in between either finds r among those that can give way or is seen here.
	r.usedLocked()
	if r.hub.overBudget() {
		r.yieldLocked()
	}
}
