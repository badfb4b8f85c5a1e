package client

import (
	"encoding/json"
	"slices"

	"github.com/planrooms/planrooms/protocol"
)

// roster is who is in a plan, as the server told. Guarded by Client.mu.
type roster struct {
	people []protocol.Participant
	count  int
	bytes  int // what people take
}

// maxRosterBytes bounds what a server can make the client keep. The server itself stops telling names in a crowded plan.
const maxRosterBytes = 1 << 20

func participantBytes(p protocol.Participant) int {
	return 128 + len(p.UserID) + len(p.UserName) + len(p.State)
}

// reset takes the list of a join answer.
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

// put adds a person, or changes one.
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
		*r = roster{count: r.count} // like a crowded plan: only their number is known
		return
	}
	if i < 0 {
		r.people = append(r.people, p)
	}
}

func (r *roster) index(userID string) int {
	return slices.IndexFunc(r.people, func(p protocol.Participant) bool { return p.UserID == userID })
}

// joined takes a join-plan that tells of another user.
func (r *roster) joined(j protocol.Joined) {
	r.count = j.ParticipantCount
	p := protocol.Participant{UserID: j.UserID, UserName: j.UserName, Connections: 1}
	if i := r.index(j.UserID); i >= 0 { // told again after the plan was crowded
		p.Connections, p.State = r.people[i].Connections, r.people[i].State
	}
	r.put(p)
}

// crowded takes a join-plan that tells only a count: who is there is no longer known, but for this user.
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

// left takes a leave-plan of another user.
func (r *roster) left(l protocol.Left) {
	r.count = l.ParticipantCount
	if i := r.index(l.UserID); i >= 0 {
		r.bytes -= participantBytes(r.people[i])
		r.people = slices.Delete(r.people, i, i+1)
	}
}

// updated takes a presence-updated. Someone who is not listed stays unlisted.
func (r *roster) updated(userID string, state json.RawMessage) {
	if i := r.index(userID); i >= 0 {
		p := r.people[i]
		p.State = state
		r.put(p)
	}
}
