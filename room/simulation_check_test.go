package room_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// check compares everything with the model, when no goroutine runs.
func (s *sim) check() {
	s.t.Helper()
	for _, c := range s.clients {
		if !c.gone {
			s.receiveAll(c)
		}
	}
	now := time.Now()
	rooms := map[string]room.Summary{}
	for _, r := range s.hub.Rooms() {
		rooms[r.PlanID] = r
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleDeparturesLocked()
	open := 0
	for _, c := range s.clients {
		if c.gone {
			continue
		}
		code, over := s.codes[c.id]
		if !over {
			open++
		}
		s.checkClientLocked(c, code, over, now)
	}
	for _, id := range s.plans {
		r, exists := rooms[id]
		s.checkPlanLocked(s.model[id], r, exists, now)
	}
	stats := s.hub.Stats()
	if stats.Connections > open || stats.Rooms != len(rooms) {
		s.failLocked("%d connections and %d rooms, want %d and %d", stats.Connections, stats.Rooms, open, len(rooms))
	}
	s.checkBudgetLocked(stats, rooms) // I9
}

func (s *sim) checkBudgetLocked(stats room.Stats, rooms map[string]room.Summary) {
	events := 0
	for _, r := range rooms {
		events += r.Events
	}
	low, high := len(rooms)<<10+events*100, len(rooms)<<10+events*1000
	if s.lossy {
		high = min(high, max(s.opts.HistoryTotal, len(rooms)<<10))
	}
	if stats.HistoryBytes < low || stats.HistoryBytes > high {
		s.failLocked("%d bytes of history in %d rooms with %d events", stats.HistoryBytes, len(rooms), events)
	}
}

// checkClientLocked checks that client and hub agree on the position and the memberships.
func (s *sim) checkClientLocked(c *client, code protocol.CloseCode, over bool, now time.Time) {
	if over {
		for m := range s.members {
			if m.conn == c.id {
				s.failLocked("%s is over and still in %s", c.who(), m.plan)
			}
		}
		c.gone = !c.isStalled()
		if c.goodbye != 0 && c.goodbye != code {
			s.failLocked("%s: goodbye %d and the observer got %d", c.who(), c.goodbye, code)
		}
		return
	}
	if !c.expires.IsZero() && now.After(c.expires.Add(2*time.Second)) {
		s.failLocked("%s is open past its expiry", c.who())
	}
	if c.isStalled() {
		return
	}
	if c.isClosed() {
		s.failLocked("%s is closed, and the hub has not noticed", c.who())
	}
	if c.vague {
		c.vague, c.wants = false, nil
	}
	if n := len(c.wants); n > 0 {
		s.failLocked("%s: %d joins were not answered", c.who(), n)
	}
	for _, id := range s.plans {
		p, v := s.model[id], c.view(id)
		_, in := s.members[membership{c.id, id}]
		if v.joined != in {
			s.failLocked("%s: in %s: %v, the hub reports %v", c.who(), id, v.joined, in)
		}
		if !v.joined {
			continue
		}
		if v.pos != p.last { // I3
			s.failLocked("%s: is at %d of %s, which is at %d", c.who(), v.pos, id, p.last)
		}
		c.behind[id] = false
	}
}

// checkPlanLocked checks a room against the model: that it exists as long as it should, and who is
// in it.
func (s *sim) checkPlanLocked(p *modelPlan, r room.Summary, exists bool, now time.Time) {
	in := map[string]int{} // connections
	total := 0
	for m, user := range s.members {
		if m.plan == p.id {
			in[user]++
			total++
		}
	}
	switch {
	case exists && !p.exists:
		s.failLocked("there is a room for %s", p.id)
	case !exists && p.exists:
		idle := now.Sub(s.lastChange[p.id])
		if total > 0 || p.joined && idle < 30*time.Minute && !s.lossy || !p.joined && now.Sub(p.lastEvent) < 2*time.Minute && !s.lossy {
			s.failLocked("the room of %s was deleted: %d members, idle for %v", p.id, total, idle)
		}
		p.exists, s.floors[p.id] = false, max(s.floors[p.id], p.last)
	}
	if total > 0 {
		p.joined = true
	}
	if !exists {
		if total > 0 {
			s.failLocked("%d members in no room", total)
		}
		p.last = s.floorLocked(p.id)
		p.held = nil
		return
	}
	if !p.joined && now.Sub(p.lastEvent) > 2*time.Minute || p.joined && total == 0 && now.Sub(s.lastChange[p.id]) > 36*time.Minute {
		s.failLocked("the room of %s was not deleted", p.id)
	}
	held := len(p.held)
	if s.stalledLocked(p.id) {
		held = len(p.all) // what a member has yet to read is kept beyond HistoryEvents
	}
	if r.Events > held || r.Position.Seq != p.last {
		s.failLocked("%s holds %d events up to %d, want %d up to %d", p.id, r.Events, r.Position.Seq, held, p.last)
	}
	info, _ := s.hub.Room(p.id)
	if info.Connections != total || info.Participants != len(info.People) {
		s.failLocked("%s has %d connections and %d people, want %d and %d", p.id, info.Connections, info.Participants, total, len(info.People))
	}
	s.checkPeopleLocked(p, &info, in, now)
	for m, user := range s.members {
		if since, forbidden := s.forbidden[place{p.id, user}]; m.plan == p.id && forbidden && now.Sub(since) > 6*time.Minute {
			s.failLocked("%s is in %s, forbidden for %v", user, p.id, now.Sub(since))
		}
	}
}

// stalledLocked reports whether a member of the plan does not read.
func (s *sim) stalledLocked(plan string) bool {
	return slices.ContainsFunc(s.clients, func(c *client) bool {
		_, in := s.members[membership{c.id, plan}]
		return in && c.isStalled()
	})
}

// checkPeopleLocked checks I7: the room lists the users of its members and users who linger, and
// all clients that read know them.
func (s *sim) checkPeopleLocked(p *modelPlan, info *room.Info, in map[string]int, now time.Time) {
	truth := map[string]string{}
	for _, who := range info.People {
		truth[who.UserID] = string(who.State)
		if who.Connections != in[who.UserID] {
			s.failLocked("%s: %s with %d connections, want %d", p.id, who.UserID, who.Connections, in[who.UserID])
		}
	}
	for _, user := range s.users {
		_, there := truth[user]
		switch d, ok := s.left[place{p.id, user}]; {
		case in[user] > 0 && !there:
			s.failLocked("%s: %s is a member and is not listed", p.id, user)
		case in[user] > 0:
		case there && (!ok || now.Sub(d.at) >= 5*time.Second):
			s.failLocked("%s: %s is still listed", p.id, user)
		case ok && now.Sub(d.at) < 5*time.Second:
			if !d.unclear && d.immediate == there {
				s.failLocked("%s: %s lingers: %v, want %v", p.id, user, there, !there)
			}
		}
	}
	if people := fmt.Sprint(slices.Sorted(maps.Keys(truth))); people != p.people {
		p.people, p.changed = people, now
	}
	limit := s.opts.PresenceLimit
	// The room may have been crowded at a change, and it stays so for CrowdedFor.
	recent := now.Sub(p.changed) <= room.CrowdedFor+time.Second || now.Sub(s.lastChange[p.id]) <= room.CrowdedFor+time.Second
	// In a room that may be crowded single notices can be waiting for the next count.
	if limit > 0 && (now.Sub(p.changed) <= time.Second || now.Sub(s.lastChange[p.id]) <= time.Second) {
		return
	}
	if s.gatheringLocked(p.id, now) {
		return
	}
	for _, c := range s.clients {
		v := c.view(p.id)
		if c.gone || !v.joined || c.isStalled() {
			continue
		}
		if v.count != len(truth) {
			s.failLocked("%s: counts %d in %s, want %d", c.who(), v.count, p.id, len(truth))
		}
		if limit > 0 && (len(truth) > limit || recent) {
			continue
		}
		want := maps.Clone(truth)
		if v.ownUnknown {
			want[c.user] = v.people[c.user]
		}
		if !maps.Equal(v.people, want) || v.partial {
			s.failLocked("%s: shows %v (partial=%v) in %s, want %v", c.who(), v.people, v.partial, p.id, want)
		}
	}
}

// gatheringLocked reports whether the hub may still gather a notice of a user who came or went.
func (s *sim) gatheringLocked(plan string, now time.Time) bool {
	if now.Sub(s.lastChange[plan]) < room.GatherNotices {
		return true
	}
	for at, d := range s.left { // the end of a linger
		if ended := now.Sub(d.at.Add(5 * time.Second)); at.plan == plan && ended >= 0 && ended < room.GatherNotices {
			return true
		}
	}
	return false
}

// settleDeparturesLocked decides how users have left since the last check. An open connection did
// not vanish. An ended one did, unless its close code shows otherwise.
func (s *sim) settleDeparturesLocked() {
	for at, d := range s.left {
		if d.settled {
			continue
		}
		code, over := s.codes[d.conn]
		switch code {
		case protocol.CloseUnauthorized, protocol.CloseForbidden, protocol.CloseTimeout:
			d.immediate = true
		}
		if !over {
			d.immediate = true
			for _, c := range s.clients {
				// Closing, for a reason that is not known yet.
				d.unclear = d.unclear || c.id == d.conn && c.isStalled()
			}
		}
		d.settled = true
		s.left[at] = d
	}
}
