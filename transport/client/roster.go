package client

import (
	"encoding/json"
	"slices"

	"github.com/planrooms/planrooms/protocol"
)

// roster has the participants of a plan. It is guarded by Client.mu.
type roster struct {
	people []protocol.Participant
	count  int
	bytes  int // memory of people
}

// maxRosterBytes bounds the memory of a roster. A server sends no names in a crowded plan, so it
// does not reach the bound.
const maxRosterBytes = 1 << 20

func participantBytes(p protocol.Participant) int {
	return 128 + len(p.UserID) + len(p.UserName) + len(p.State)
}

// reset sets the participants of a join answer.
func (r *roster) reset(people []protocol.Participant, count int) {
	*r = roster{count: count}
	for _, p := range people {
		if string(p.State) == "null" {
			p.State = nil
		}
		size := participantBytes(p)
		if r.bytes+size > maxRosterBytes {
			break
		}
		r.people, r.bytes = append(r.people, p), r.bytes+size
	}
}

// put adds or replaces a participant.
func (r *roster) put(p protocol.Participant) {
	if string(p.State) == "null" {
		p.State = nil
	}
	i := r.index(p.UserID)
	if i >= 0 {
		r.bytes -= participantBytes(r.people[i])
		r.people[i] = p
	}
	if r.bytes += participantBytes(p); r.bytes > maxRosterBytes {
		*r = roster{count: r.count} // only the number is known, as in a crowded plan
		return
	}
	if i < 0 {
		r.people = append(r.people, p)
	}
}

func (r *roster) index(userID string) int {
	return slices.IndexFunc(r.people, func(p protocol.Participant) bool { return p.UserID == userID })
}

// joined handles the notice that another user has joined.
func (r *roster) joined(j protocol.Joined) {
	r.count = j.ParticipantCount
	p := protocol.Participant{UserID: j.UserID, UserName: j.UserName, Connections: 1}
	if i := r.index(j.UserID); i >= 0 { // a new name, or the plan is no longer crowded
		p.Connections, p.State = r.people[i].Connections, r.people[i].State
	}
	r.put(p)
}

// crowded handles a notice with the number of participants alone. It forgets all except this user.
func (r *roster) crowded(count int, self string) {
	i := r.index(self)
	if i < 0 {
		*r = roster{count: count}
		return
	}
	own := r.people[i]
	*r = roster{count: count}
	r.put(own)
}

// left handles the notice that another user has left.
func (r *roster) left(l protocol.Left) {
	r.count = l.ParticipantCount
	if i := r.index(l.UserID); i >= 0 {
		r.bytes -= participantBytes(r.people[i])
		r.people = slices.Delete(r.people, i, i+1)
	}
}

// updated handles presence-updated. It does nothing for a user who is not listed.
func (r *roster) updated(userID string, state json.RawMessage) {
	if i := r.index(userID); i >= 0 {
		p := r.people[i]
		p.State = state
		r.put(p)
	}
}
