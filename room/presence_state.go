package room

import (
	"encoding/json"

	"github.com/planrooms/planrooms/protocol"
)

// The presence state that is shown of a user: the newest of those that the user's connections have
// set.

// setState sets the state of one connection.
func (p *presence) setState(v *viewer, state json.RawMessage) []news {
	who := p.people[v.userID]
	i := who.conn(v.conn)
	if i < 0 {
		return nil
	}
	who.sets = max(who.sets, who.seenSet()) + 1
	who.conns[i].state, who.conns[i].set = state, who.sets
	if state != nil || who.left != nil && v.conn > who.left.conn {
		who.left = nil // superseded, or this is the page that has been reloaded
	}
	return p.show(who, v.conn)
}

// show sends the newest state of who if it is not the one that was sent last. by is the connection
// that caused the change, or 0.
func (p *presence) show(who *person, by uint64) []news {
	newest := who.newest()
	if p.node != nil {
		newest = who.newestAcross(newest, p.node())
	}
	if string(newest.state) == string(who.shown) {
		return nil
	}
	own := newest.conn == by || newest.state == nil && who.shownOf == by
	who.shown, who.shownOf = newest.state, newest.conn
	if p.crowded {
		return nil
	}
	if !own {
		by = 0 // it does not know whether another connection still has a state
	}
	return []news{p.state(who, by)}
}

// newest returns the newest state of a connection of this hub.
func (who *person) newest() (newest connState) {
	if who.left != nil {
		newest = *who.left
	}
	for _, c := range who.conns {
		if c.state != nil && c.set > newest.set {
			newest = c
		}
	}
	return newest
}

// state is the news of the state that is shown of who, to all but one connection.
func (p *presence) state(who *person, except uint64) news {
	n := news{
		kind: noticeState, subject: who.userID, typ: protocol.TypePresenceUpdated,
		data: protocol.PresenceUpdated{UserID: who.userID, State: who.shown},
	}
	if except != 0 {
		n.to = &audience{sender: except}
	}
	return n
}
