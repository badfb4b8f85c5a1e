package room

import "context"

// Where the presence of rooms and the rosters meet: a room passes on whom this hub lists, and takes
// over whom the other nodes list. What that does to a presence is in presence_cluster.go.

// joinRosters creates the rosters, and starts their goroutines.
func (h *Hub) joinRosters(c *cluster) {
	x := newRosters(c.ctx)
	x.ready, x.send, x.changed = c.opened, c.send, h.relist
	x.count = func(bytes int) { h.budget.held.Add(int64(bytes)) }
	x.broken = func(v any) {
		c.logger.Error("room: a message of another node caused a panic", panicAttrs(v)...)
	}
	h.rosters, c.rosters = x, x
	h.wg.Go(x.share)
	h.wg.Go(x.take)
}

// newPresence returns the presence of a room that no user is in.
func (h *Hub) newPresence() presence {
	p := presence{limit: h.opts.PresenceLimit}
	if h.rosters != nil {
		p.node = h.rosters.name
	}
	return p
}

// relist takes over what other nodes now list about users of a plan.
func (h *Hub) relist(planID string, userIDs []string) {
	r := h.lookup(planID)
	if r == nil {
		return
	}
	defer r.mu.Unlock()
	if r.presence.here == 0 {
		return // fillLocked will read it
	}
	var list []news
	for _, id := range userIDs {
		list = append(list, r.presence.relist(id, h.rosters.merged(planID, id))...)
	}
	r.presenceChangedLocked(list)
}

// fillLocked adds the users whom other nodes list, before this hub lists the first one.
func (r *room) fillLocked() {
	if x := r.hub.rosters; x != nil && r.presence.here == 0 {
		r.presence.fill(x.in(r.id))
	}
}

// emptyLocked removes the users whom other nodes list, once this hub lists none.
func (r *room) emptyLocked() {
	if h := r.hub; h.rosters != nil && r.presence.here == 0 {
		r.presence = h.newPresence()
	}
}

// listLocked passes to the rosters what this hub now lists about a user.
func (r *room) listLocked(userID string) {
	x := r.hub.rosters
	if x == nil {
		return
	}
	if p, ok := r.presence.listed(userID); ok {
		x.list(r.id, p)
	} else {
		x.delist(r.id, userID)
	}
}

// listAllLocked is listLocked for all users: those of a crowded room were listed without states.
func (r *room) listAllLocked() {
	if r.hub.rosters == nil {
		return
	}
	for who := r.presence.first; who != nil; who = who.after {
		if who.here() {
			r.listLocked(who.userID)
		}
	}
}

// delistAllLocked removes from the rosters all users of the plan whom this hub lists.
func (r *room) delistAllLocked() {
	if x := r.hub.rosters; x != nil {
		for userID, who := range r.presence.people {
			if who.here() {
				x.delist(r.id, userID)
			}
		}
	}
}

// participantsLocked counts the participants of a plan on all nodes.
func (r *room) participantsLocked() int {
	if x := r.hub.rosters; x != nil && r.presence.here == 0 {
		return x.countIn(r.id)
	}
	return len(r.presence.people)
}

// elsewhere returns the users whom other nodes list in a plan in which this hub lists none.
func (h *Hub) elsewhere(planID string) []Participant {
	if h.rosters == nil {
		return nil
	}
	var list []Participant
	for _, p := range h.rosters.in(planID) {
		list = append(list, Participant{
			UserID: p.UserID, UserName: p.UserName, Connections: p.Connections, JoinedAt: p.JoinedAt, State: p.State,
		})
	}
	return list
}

// roomElsewhere is Hub.Room for a plan without a room on this hub. It reports false if no node
// lists a user.
func (h *Hub) roomElsewhere(planID string) (Info, bool) {
	people := h.elsewhere(planID)
	position, err := h.Position(context.Background(), planID)
	if len(people) == 0 || err != nil {
		return Info{}, false
	}
	return Info{Summary: Summary{PlanID: planID, Participants: len(people), Position: position}, People: people}, true
}
