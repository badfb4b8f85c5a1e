package room

// member is one connection's place in one room.
type member struct {
	follower // first: what a pump reads of a member stands together

	s    *Session // fixed at creation
	room *room    // fixed at creation

	// Guarded by Session.mu.
	announced bool        // Observer.Join was called
	departed  bool        // the member has left: Observer.Leave is called after Join
	leaving   LeaveReason // set with departed, and not changed afterwards

	recheck recheck
}

func newMember(s *Session, r *room) *member {
	m := &member{s: s, room: r}
	m.out, m.feed, m.plan, m.source = s.out, &r.feed, r.id, m
	return m
}
