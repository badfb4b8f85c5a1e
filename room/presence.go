package room

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// presence is who is in a room. The unit is the user: several connections of one user are one
// person. Guarded by room.mu.
//
// Notices go through the room's log, so that all members receive them in one order with the events.
// Above Options.PresenceLimit users the room is crowded: the hub sends only counts, at most one a
// second. When the room stops being crowded, the hub sends a notice for each user who is present,
// so that a client that dropped its list at the first count has a complete one again.
type presence struct {
	room   *room // fixed at creation
	people map[string]*person

	// The same users in the order in which they came. A join answer lists the first of them.
	first, last *person

	crowded bool
	ticking *timer // sends the count of a crowded room
	arrived uint64 // counts people, for their order
}

// person is one user in a room.
type person struct {
	userID   string
	userName string
	joinedAt time.Time
	order    uint64
	conns    []connState     // few, mostly one
	shown    json.RawMessage // the state that was sent last
	sets     uint64          // counts states, for their order
	linger   *timer

	before, after *person // neighbours in the order in which they came

	lastSeen time.Time // last byte of the connections that have ended
	lastMsg  time.Time // last message of these
}

// connState is what one connection says about its user.
type connState struct {
	s     *Session
	state json.RawMessage
	set   uint64
}

// clipName returns the first maxName code points of a user's name: all participants of a room hold
// and receive it.
func clipName(name string) string {
	n := 0
	for i := range name {
		if n++; n > maxName {
			return strings.Clone(name[:i]) // without a reference to the rest
		}
	}
	return name
}

// conn returns where s stands among the connections of who, or -1.
func (who *person) conn(s *Session) int {
	if who == nil {
		return -1
	}
	return slices.IndexFunc(who.conns, func(c connState) bool { return c.s == s })
}

func (p *presence) init(r *room) {
	p.room = r
	p.people = make(map[string]*person)
}

// enterLocked adds a connection, and notifies the others if its user, or the user's name, is new.
func (p *presence) enterLocked(s *Session, name string) {
	who := p.people[s.userID]
	if who != nil {
		p.room.hub.timers.stop(who.linger)
		who.linger = nil
		who.conns = append(who.conns, connState{s: s})
		p.renameLocked(who, name)
		p.showLocked(who, nil)
		return
	}
	p.arrived++
	who = &person{
		userID: s.userID, userName: name, joinedAt: time.Now(), order: p.arrived,
		conns: []connState{{s: s}},
	}
	p.addLocked(who)
	p.changedLocked(who, true)
}

// renameLocked gives a user the name of the token that was verified last. Clients take the notice
// of a join as an update of the user, without a state.
func (p *presence) renameLocked(who *person, name string) {
	if who == nil || name == who.userName {
		return
	}
	who.userName = name
	if p.crowded {
		return // names in a crowded room are in join answers only
	}
	p.tellJoinedLocked(who)
	if who.shown != nil {
		p.tellStateLocked(who, nil)
	}
}

// exitLocked removes a connection.
func (p *presence) exitLocked(s *Session, d departure) {
	who := p.people[s.userID]
	i := who.conn(s)
	if i < 0 {
		return
	}
	who.conns = slices.Delete(who.conns, i, i+1)
	// Another connection, which ended before, may have been the livelier one.
	who.lastSeen, who.lastMsg = latest(who.lastSeen, s.lastSeen()), latest(who.lastMsg, s.lastMessage())
	switch {
	case len(who.conns) > 0:
		p.showLocked(who, nil)
		return
	case d == departSilent:
		p.removeLocked(who)
		return
	case d == departNow:
		p.goneLocked(who)
		return
	}
	r := p.room
	var t *timer
	t = r.hub.timers.after(r.hub.opts.Linger, func() {
		r.mu.Lock()
		// The user may have come back, and left again, while this call waited for the lock: a newer
		// timer is then in who.linger.
		if who.linger == t && p.people[who.userID] == who {
			p.goneLocked(who)
		}
		r.mu.Unlock()
	})
	who.linger = t // under r.mu, as the read above
}

// expelLocked removes a user who only lingers.
func (p *presence) expelLocked(userID string) {
	who := p.people[userID]
	if who == nil || len(who.conns) > 0 {
		return
	}
	p.goneLocked(who)
}

func (p *presence) goneLocked(who *person) {
	p.room.hub.timers.stop(who.linger)
	p.removeLocked(who)
	p.changedLocked(who, false)
}

func (p *presence) addLocked(who *person) {
	p.people[who.userID] = who
	if who.before = p.last; who.before == nil {
		p.first = who
	} else {
		who.before.after = who
	}
	p.last = who
}

func (p *presence) removeLocked(who *person) {
	delete(p.people, who.userID)
	if who.before == nil {
		p.first = who.after
	} else {
		who.before.after = who.after
	}
	if who.after == nil {
		p.last = who.before
	} else {
		who.after.before = who.before
	}
	who.before, who.after = nil, nil
	if p.room.idleLocked() {
		p.room.usedLocked() // from now on it can be deleted
	}
}

// changedLocked sends the notice that a user has joined or left.
func (p *presence) changedLocked(who *person, came bool) {
	if p.tellCountLocked() {
		return
	}
	if !came {
		p.room.noticeLocked(noticeMembership, who.userID, protocol.TypeLeavePlan,
			protocol.Left{UserID: who.userID, ParticipantCount: len(p.people)}, nil)
		return
	}
	p.tellJoinedLocked(who)
}

func (p *presence) tellJoinedLocked(who *person) {
	p.room.noticeLocked(noticeMembership, who.userID, protocol.TypeJoinPlan,
		protocol.Joined{UserID: who.userID, UserName: who.userName, ParticipantCount: len(p.people)},
		&audience{except: exclusion{userID: who.userID}})
}

// tellCountLocked reports whether the room is crowded. If it is, its count is sent within a second.
func (p *presence) tellCountLocked() bool {
	if !p.crowded && len(p.people) <= p.room.hub.opts.PresenceLimit {
		return false
	}
	p.crowded = true
	if p.ticking == nil {
		p.ticking = p.room.hub.timers.after(crowdedNoticeEvery, p.tick)
	}
	return true
}

// tick sends the count of a crowded room. If the room is not crowded any more, it also sends a
// notice for each user who is present.
func (p *presence) tick() {
	r := p.room
	r.mu.Lock()
	p.ticking = nil
	if p.crowded = len(p.people) > r.hub.opts.PresenceLimit; p.crowded {
		r.noticeLocked(noticeCount, "", protocol.TypeJoinPlan, protocol.Count{ParticipantCount: len(p.people)}, nil)
	} else {
		// The count first: a client that joined while the room was crowded may not have received
		// one, and may list users who have left.
		r.noticeLocked(noticeCount, "", protocol.TypeJoinPlan, protocol.Count{ParticipantCount: len(p.people)}, nil)
		for who := p.first; who != nil; who = who.after {
			p.tellJoinedLocked(who)
			if who.shown != nil {
				p.tellStateLocked(who, nil)
			}
		}
	}
	r.mu.Unlock()
}

// setStateLocked sets the state of one connection.
func (p *presence) setStateLocked(s *Session, state json.RawMessage) {
	who := p.people[s.userID]
	i := who.conn(s)
	if i < 0 {
		return
	}
	who.sets++
	who.conns[i] = connState{s: s, state: state, set: who.sets}
	if state == nil {
		p.showLocked(who, s)
		return
	}
	who.shown = state
	p.tellStateLocked(who, s)
}

// showLocked sends the newest state of who if it is not the one that was sent last. by is the
// connection that caused the change.
func (p *presence) showLocked(who *person, by *Session) {
	var newest connState
	for _, c := range who.conns {
		if c.state != nil && c.set > newest.set {
			newest = c
		}
	}
	if string(newest.state) == string(who.shown) {
		return
	}
	who.shown = newest.state
	if newest.state != nil {
		by = nil // it is the state of another connection, which by does not know to be shown now
	}
	p.tellStateLocked(who, by)
}

func (p *presence) tellStateLocked(who *person, by *Session) {
	if p.crowded {
		return
	}
	var to *audience
	if by != nil {
		to = &audience{sender: by.conn}
	}
	p.room.noticeLocked(noticeState, who.userID, protocol.TypePresenceUpdated,
		protocol.PresenceUpdated{UserID: who.userID, State: who.shown}, to)
}

// listLocked is the participants of a join answer: those who came first, the joiner always among
// them.
func (p *presence) listLocked(joiner string) []protocol.Participant {
	list := make([]protocol.Participant, 0, min(len(p.people), p.room.hub.opts.PresenceLimit))
	own := p.people[joiner]
	for who := p.first; who != nil && len(list) < cap(list); who = who.after {
		if own != nil && len(list) == cap(list)-1 && own.order > who.order {
			who = own
		}
		list = append(list, protocol.Participant{
			UserID: who.userID, UserName: who.userName, Connections: len(who.conns), State: who.shown,
		})
	}
	return list
}
