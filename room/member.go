package room

// member is one connection's place in one room.
type member struct {
	follower // first: what a pump reads of a member stands together

	s    *Session // fixed at creation
	room *room    // fixed at creation

	// Guarded by Session.mu.
	left      *LeaveReason // why the member has left: Observer.Leave is called after Join; nil: it has not
	announced bool         // Observer.Join was called

	// Guarded by room.mu.
	unconfirmed bool   // since the history was dropped, Authorize has not allowed it again
	resets      uint16 // how often the history was dropped

	// Set under room.mu before the member enters its room, and then fixed.
	recovered bool // it resumed
	begin     beginning

	recheck recheck
}

func newMember(s *Session, r *room) *member {
	m := &member{s: s, room: r}
	m.out, m.feed, m.plan, m.source = s.out, &r.feed, r.id, m
	return m
}

// endedLocked returns the record of m, which has just left its room.
func (m *member) endedLocked(reason LeaveReason, p progress) ended {
	s := m.s
	e := ended{
		viewer: s.viewer, plan: m.plan, connection: s.id, begin: m.begin, recovered: m.recovered, at: s.hub.clock(), seq: m.feed.log.last,
		reason: reason, progress: p, skipped: m.skipped.clone(),
	}
	if reason == LeaveClosed {
		s.mu.Lock()
		e.code = s.code
		s.mu.Unlock()
	}
	return e
}
