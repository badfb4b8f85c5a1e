package room

// touchLocked makes r the most recently used room. With an engine, each node has the histories of
// all plans: those without members of its own are evicted first.
func (r *room) touchLocked() {
	if !r.deleted {
		r.hub.budget.touch(r, &r.budgeted, r.hub.cluster != nil && r.connections == 0)
	}
}

// countLocked counts what the log holds.
func (r *room) countLocked() { r.hub.budget.count(&r.budgeted, r.log.held()) }

// evict implements [evictable]. It deletes the room if no user is in it. Clients that come back to
// it have to load the plan.
func (r *room) evict() {
	r.mu.Lock()
	taken := r.hub.budget.taken(&r.budgeted)
	evicted := 0
	if taken {
		evicted = r.evictLocked()
	}
	idle := taken && r.idleLocked()
	r.mu.Unlock()
	r.hub.evicted(r.id, evicted)
	if idle {
		r.hub.deleteIf(r, func() bool { return true })
	}
}

// evictLocked evicts the room's history, except the newest event while a pump has yet to write it.
// So a client that keeps up misses nothing, and one that does not keep up holds no memory. It
// returns how many events it has dropped.
func (r *room) evictLocked() int {
	n := r.log.events.len
	r.kept = n > 0 && r.log.events.at(n-1).index >= r.passedLocked()
	if r.kept {
		n--
	}
	r.log.trim(n)
	r.countLocked()
	return n
}

// releaseKeptLocked decides, when a pump ends, about an event that was kept for it.
func (r *room) releaseKeptLocked() {
	if !r.kept {
		return
	}
	r.kept = false
	// In this order: a call that exceeds the budget in between either finds r in the list or is
	// seen here.
	r.touchLocked()
	if h := r.hub; h.budget.exceeded() {
		if n := r.evictLocked(); n > 0 {
			h.wg.Go(func() { h.evicted(r.id, n) }) // not under r.mu
		}
	}
}
