package room

import (
	"time"

	"github.com/planrooms/planrooms/room/internal/roster"
)

// Presence in a cluster. While this hub lists a user of a plan, the presence of the room also has
// the users whom other nodes list. Otherwise it is empty: the room has no member to notify, and the
// rosters have the users. Each node notifies its own members.

// across has what the nodes list about a person.
type across struct {
	// What this hub lists. The state is that of person.newest.
	here     bool
	name     string // of the token that this hub verified last
	nameAt   uint64 // see roster.Person
	joinedAt time.Time

	elsewhere *roster.Person // what the other nodes list, together; nil if none does
}

// here reports whether this hub lists the user.
func (who *person) here() bool { return who.across == nil || who.across.here }

// connections counts the connections of the user on all nodes.
func (who *person) connections() int {
	if a := who.across; a != nil && a.elsewhere != nil {
		return len(who.conns) + a.elsewhere.Connections
	}
	return len(who.conns)
}

// enterHere is called when this hub begins to list the user.
func (who *person) enterHere(name string) {
	a := who.across
	a.here, a.joinedAt = true, time.Now()
	if a.elsewhere == nil {
		a.name, a.nameAt = name, 1
	}
}

// leaveHere is called when this hub does not list the user any more. It reports whether another
// node does.
func (who *person) leaveHere() (stays bool) {
	a := who.across
	if a == nil || a.elsewhere == nil {
		return false
	}
	a.here = false
	who.conns, who.left = nil, nil
	return true
}

// nameHere notes the name of the token that this hub verified last.
func (who *person) nameHere(name string) {
	a := who.across
	if a == nil || name == a.name && name == who.userName {
		return
	}
	if a.elsewhere != nil {
		a.nameAt = max(a.nameAt, a.elsewhere.NameAt)
	}
	a.name = name
	a.nameAt++
}

// seenSet returns the order of the newest state that another node lists.
func (who *person) seenSet() uint64 {
	if a := who.across; a != nil && a.elsewhere != nil && a.elsewhere.State != nil {
		return a.elsewhere.StateAt
	}
	return 0
}

// newestAcross returns the newest of a state of this hub and those of other nodes.
func (who *person) newestAcross(own connState, node string) connState {
	if who.across.elsewhere == nil {
		return own
	}
	p := roster.Person{State: own.state, StateAt: own.set, StateBy: node}
	p.Merge(*who.across.elsewhere)
	if p.StateBy == node {
		return own
	}
	return connState{state: p.State, set: p.StateAt}
}

// fill adds the users whom other nodes list, in the order of their joins. It is called while the
// presence is empty.
func (p *presence) fill(others []roster.Person) {
	for i := range others {
		p.add(newElsewhere(&others[i]))
	}
}

// newElsewhere returns a person whom only other nodes list.
func newElsewhere(other *roster.Person) *person {
	return &person{
		userID: other.UserID, userName: other.UserName, joinedAt: other.JoinedAt, shown: other.State,
		across: &across{elsewhere: other},
	}
}

// relist takes over what the other nodes, together, now list about a user; nil if none does.
func (p *presence) relist(userID string, other *roster.Person) []news {
	who := p.people[userID]
	switch {
	case who == nil && other == nil:
		return nil
	case who == nil:
		return p.add(newElsewhere(other))
	case other == nil && !who.here():
		p.remove(who)
		return p.left(who)
	}
	who.across.elsewhere = other
	return p.refresh(who)
}

// refresh returns the news about a person for whom this node or another one now lists something
// else.
func (p *presence) refresh(who *person) []news {
	a := who.across
	var merged roster.Person
	if a.here {
		merged = roster.Person{UserName: a.name, NameAt: a.nameAt, NameBy: p.node(), JoinedAt: a.joinedAt}
	}
	if a.elsewhere != nil {
		if a.here {
			merged.Merge(*a.elsewhere)
		} else {
			merged = *a.elsewhere
		}
	}
	who.joinedAt = merged.JoinedAt
	list := p.show(who, 0)
	if merged.UserName == who.userName {
		return list
	}
	if who.userName = merged.UserName; p.crowded {
		return nil
	}
	return p.introduce(nil, who)
}

// listed returns what this hub lists about a user.
func (p *presence) listed(userID string) (_ roster.Person, ok bool) {
	who := p.people[userID]
	if who == nil || !who.here() {
		return roster.Person{}, false
	}
	a := who.across
	l := roster.Person{
		UserID: userID, UserName: a.name, NameAt: a.nameAt, JoinedAt: a.joinedAt.Round(0), Connections: len(who.conns),
	}
	if newest := who.newest(); newest.state != nil && !p.crowded {
		l.State, l.StateAt = newest.state, newest.set
	}
	return l, true
}
