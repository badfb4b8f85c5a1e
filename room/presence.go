package room

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// presence holds the users of a room. The unit is the user: several connections of one user are one
// person. It has no lock, timer or log: the room guards it, and appends the notices that its
// methods return. In a cluster it also has the users whom other nodes list: presence_cluster.go.
//
// Above limit users the room is crowded: members get only counts, at most one a second. A room that
// has not exceeded the limit for crowdedFor is not crowded any more. All members then get a notice
// for each user who is present, so that a client that dropped its list at the first count has a
// complete one again.
type presence struct {
	limit  int           // Options.PresenceLimit; fixed at creation
	node   func() string // name of this node in a cluster, otherwise nil; fixed at creation
	people map[string]*person
	here   int // how many of them this hub lists: all, without a cluster

	// The same users in the order of their joins. A join answer lists the first of them.
	first, last *person

	crowded  bool
	exceeded time.Time // when the room last ceased to exceed the limit
	counted  int       // the count that all members know; -1 if they may know different ones
}

// person is one user in a room.
type person struct {
	userID   string
	userName string
	joinedAt time.Time
	conns    []connState     // few, mostly one
	shown    json.RawMessage // the state that was sent last
	shownOf  uint64          // the connection that has set it; 0 if that is none of this hub
	sets     uint64          // counts states, for their order
	across   *across         // nil without a cluster

	// The newest state of a connection that has ended without a leave-plan, until linger fires: it
	// may be a reload, after which the user comes back with the same state.
	left   *connState // nil: none
	linger *timer

	before, after *person // neighbours in the order of their joins

	ended *lastActivity // of the connections that have ended; nil if none has
}

// connState is the state that one connection has set for its user.
type connState struct {
	conn  uint64 // viewer.conn
	by    activity
	state json.RawMessage
	set   uint64 // person.sets when it was set
}

// activity is what presence needs from a connection.
type activity interface {
	lastSeen() time.Time    // when the last byte arrived
	lastMessage() time.Time // when the last message arrived
}

// lastActivity is the latest activity of several connections.
type lastActivity struct{ seen, message time.Time }

// add takes a connection in.
func (l *lastActivity) add(c activity) {
	l.seen, l.message = latest(l.seen, c.lastSeen()), latest(l.message, c.lastMessage())
}

// news is a notice that the room has to send.
type news struct {
	kind    noticeKind
	subject string // the user it is about
	typ     protocol.Type
	data    any
	to      *audience
}

// conn returns the index of a connection among those of who, or -1.
func (who *person) conn(conn uint64) int {
	if who == nil {
		return -1
	}
	return slices.IndexFunc(who.conns, func(c connState) bool { return c.conn == conn })
}

// enter adds a connection of a user.
func (p *presence) enter(v *viewer, name string, by activity) []news {
	who := p.people[v.userID]
	if who == nil {
		p.here++
		who = &person{userID: v.userID, userName: name, joinedAt: time.Now(), conns: []connState{{conn: v.conn, by: by}}}
		if p.node != nil {
			who.across = &across{}
			who.enterHere(name)
		}
		return p.add(who)
	}
	if !who.here() {
		p.here++
		who.enterHere(name)
	}
	who.conns = append(who.conns, connState{conn: v.conn, by: by})
	return p.rename(v.userID, name)
}

// add adds a person.
func (p *presence) add(who *person) []news {
	if p.people == nil {
		p.people = make(map[string]*person)
	}
	p.people[who.userID] = who
	if who.before = p.last; who.before == nil {
		p.first = who
	} else {
		who.before.after = who
	}
	p.last = who
	if p.crowd() {
		return nil
	}
	return p.introduce(nil, who)
}

// rename gives a user who is present the name of the token that was verified last. Clients take the
// notice of a join as an update of the user, without a state.
func (p *presence) rename(userID, name string) []news {
	who := p.people[userID]
	if who == nil || !who.here() {
		return nil
	}
	who.nameHere(name)
	if name == who.userName {
		return nil
	}
	if who.userName = name; p.crowded {
		return nil // names in a crowded room are in join answers only
	}
	return p.introduce(nil, who)
}

// exit removes a connection. If its user may be back soon, it returns the person: the room then
// calls lingered after Options.Linger.
func (p *presence) exit(v *viewer, d departureManner) (lingers *person, _ []news) {
	who := p.people[v.userID]
	i := who.conn(v.conn)
	if i < 0 {
		return nil, nil
	}
	was := who.conns[i]
	who.conns = slices.Delete(who.conns, i, i+1)
	if who.ended == nil {
		who.ended = &lastActivity{}
	}
	who.ended.add(was.by)
	newest := was.state != nil && (who.left == nil || was.set >= who.left.set)
	switch {
	case d == departSilent && len(who.conns) == 0:
		p.leave(who)
		return nil, nil
	case d == departNow && len(who.conns) == 0:
		return nil, p.gone(who)
	case d == departLinger && (newest || len(who.conns) == 0):
		if newest {
			left := was
			who.left = &left
		}
		return who, nil
	}
	return nil, p.show(who, 0)
}

// lingered ends the time in which a user, or the state of a connection of the user, is kept.
func (p *presence) lingered(who *person) []news {
	if p.people[who.userID] != who || !who.here() {
		return nil
	}
	if len(who.conns) == 0 {
		return p.gone(who)
	}
	who.left = nil
	return p.show(who, 0)
}

// expel removes a user who only lingers.
func (p *presence) expel(userID string) []news {
	if !p.lingers(userID) {
		return nil
	}
	return p.gone(p.people[userID])
}

// lingers reports whether a user is present without a connection.
func (p *presence) lingers(userID string) bool {
	who := p.people[userID]
	return who != nil && who.here() && len(who.conns) == 0
}

// gone removes a person whom this hub lists, and returns the notice about it.
func (p *presence) gone(who *person) []news {
	if p.leave(who) {
		return p.refresh(who)
	}
	return p.left(who)
}

// leave removes a person whom this hub lists, unless another node lists the user.
func (p *presence) leave(who *person) (stays bool) {
	p.here--
	if who.leaveHere() {
		return true
	}
	p.remove(who)
	return false
}

// left returns the notice about a person who was removed.
func (p *presence) left(who *person) []news {
	if p.crowd() {
		return nil
	}
	return []news{{
		kind: noticeMembership, subject: who.userID, typ: protocol.TypeLeavePlan,
		data: protocol.Left{UserID: who.userID, ParticipantCount: len(p.people)},
	}}
}

func (p *presence) remove(who *person) {
	if len(p.people) == p.limit+1 {
		p.exceeded = time.Now()
	}
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
}

// crowd reports whether the room is crowded: then tick sends its count.
func (p *presence) crowd() bool {
	p.crowded = p.crowded || len(p.people) > p.limit
	return p.crowded
}

// tick returns the count of a crowded room if a member may not know it, or, if the room is not
// crowded any more, all who are present. It is called while the room is crowded, after a change,
// and at the time that thins returns.
func (p *presence) tick(now time.Time) (list []news) {
	if !p.crowded {
		return nil
	}
	p.crowded = len(p.people) > p.limit || now.Sub(p.exceeded) < crowdedFor
	if !p.crowded || p.counted != len(p.people) {
		// The count first: a client that joined while the room was crowded may not have received
		// one, and may list users who have left.
		list = append(list, news{kind: noticeCount, typ: protocol.TypeJoinPlan, data: protocol.Count{ParticipantCount: len(p.people)}})
	}
	p.counted = len(p.people)
	if !p.crowded {
		p.counted = 0
		for who := p.first; who != nil; who = who.after {
			list = p.introduce(list, who)
		}
	}
	return list
}

// thins returns when a crowded room that is not above its limit ceases to be crowded. It is zero
// for any other room.
func (p *presence) thins() time.Time {
	if !p.crowded || len(p.people) > p.limit {
		return time.Time{}
	}
	return p.exceeded.Add(crowdedFor)
}

// introduce appends the notices with which a client adds who to its list.
func (p *presence) introduce(list []news, who *person) []news {
	list = append(list, p.joined(who))
	if who.shown != nil {
		list = append(list, p.state(who, 0))
	}
	return list
}

func (p *presence) joined(who *person) news {
	return news{
		kind: noticeMembership, subject: who.userID, typ: protocol.TypeJoinPlan,
		data: protocol.Joined{UserID: who.userID, UserName: who.userName, ParticipantCount: len(p.people)},
		to:   &audience{except: exclusion{userID: who.userID}},
	}
}

// list is the participants of a join answer: the users who came first, always with the joiner.
func (p *presence) list(joiner string) []protocol.Participant {
	if p.counted != len(p.people) {
		p.counted = -1 // the joiner receives another count than the others
	}
	list := make([]protocol.Participant, 0, min(len(p.people), p.limit))
	own := p.people[joiner] // nil once it is in list
	for who := p.first; who != nil && len(list) < cap(list); who = who.after {
		if own != nil && len(list) == cap(list)-1 {
			who = own
		}
		if who == own {
			own = nil
		}
		list = append(list, protocol.Participant{
			UserID: who.userID, UserName: who.userName, Connections: who.connections(), State: who.shown,
		})
	}
	return list
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
