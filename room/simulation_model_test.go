package room_test

import (
	"encoding/json"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// exception is an ExceptUser or ExceptClient of the model.
type exception struct{ user, client string }

// modelEvent is an event as the host sent it, with its position.
type modelEvent struct {
	id           int
	seq, prev    uint64
	at           time.Time
	by, mutation string
	except       []exception
}

func (e *modelEvent) excepts(user, client string) bool {
	for _, x := range e.except {
		if x.user == user && (x.client == "" || x.client == client) {
			return true
		}
	}
	return false
}

// modelPlan is the expected state of a plan in the hub.
type modelPlan struct {
	id     string
	all    map[uint64]*modelEvent // every event ever, by seq
	resync map[uint64]bool        // positions that Resync took

	exists    bool // a room is held for it
	held      []*modelEvent
	base      uint64
	last      uint64
	joined    bool
	lastEvent time.Time // or when the room was opened
	people    string    // of the last check
	changed   time.Time // when a user was last seen to join or leave
}

func (p *modelPlan) open(floor uint64) {
	if !p.exists {
		p.exists, p.held, p.base, p.last, p.joined, p.lastEvent = true, nil, floor, floor, false, time.Now()
	}
}

func (p *modelPlan) trim(maxEvents int, oldest time.Time) {
	for len(p.held) > 0 && (len(p.held) > maxEvents || p.held[0].at.Before(oldest)) {
		p.base = p.held[0].seq
		p.held = p.held[1:]
	}
}

// recoverable reports whether the chain from seq on is held.
func (p *modelPlan) recoverable(seq uint64) bool {
	for _, e := range p.held {
		if e.seq == seq {
			return true
		}
	}
	return seq == p.base
}

// view is the state of one plan on a client.
type view struct {
	joined  bool
	pos     uint64
	people  map[string]string // user to state, "" for none
	partial bool              // the room was crowded: only count is known
	count   int
	// ownUnknown: the client's state may differ, because it set the state while it was not reading.
	ownUnknown bool
	own        string // the state that the client set last
}

func (v *view) join(a *protocol.JoinAnswer) {
	*v = view{joined: true, pos: a.Position.Seq, people: map[string]string{}, count: a.ParticipantCount, ownUnknown: v.ownUnknown, own: v.own}
	for _, p := range a.Participants {
		v.people[p.UserID] = string(p.State)
	}
	v.partial = len(a.Participants) < a.ParticipantCount
}

// leave forgets the plan, except for the position. A client that reads the answer late may have
// joined again and set a state: that state is then still unknown.
func (v *view) leave(late bool) {
	*v = view{pos: v.pos, ownUnknown: v.ownUnknown && late}
}

// notice folds a presence notice into the view of user.
func (v *view) notice(user string, m protocol.Message) {
	var data struct {
		UserID           *string         `json:"userId"`
		ParticipantCount *int            `json:"participantCount"`
		State            json.RawMessage `json:"state"`
	}
	if err := json.Unmarshal(m.Data, &data); err != nil {
		panic(err)
	}
	if data.ParticipantCount != nil {
		v.count = *data.ParticipantCount
	}
	switch {
	case m.Type == protocol.TypePresenceUpdated:
		v.people[*data.UserID] = ""
		if string(data.State) != "null" {
			v.people[*data.UserID] = string(data.State)
		}
	case m.Type == protocol.TypeLeavePlan:
		delete(v.people, *data.UserID)
	case data.UserID != nil:
		v.people[*data.UserID] = ""
	default: // only a count: the list is no longer valid
		v.people, v.partial = map[string]string{user: ""}, true
	}
	if len(v.people) == v.count {
		v.partial = false
	}
}

// floorLocked returns the seq at which a new log of the plan starts.
func (s *sim) floorLocked(plan string) (floor uint64) {
	for other, last := range s.floors {
		if room.SameFloor(plan, other) {
			floor = max(floor, last)
		}
	}
	return floor
}

// openLocked has the model's plan opened by a join or an event.
func (s *sim) openLocked(plan string) *modelPlan {
	p := s.model[plan]
	p.open(s.floorLocked(plan))
	p.trim(s.opts.HistoryEvents, time.Now().Add(-30*time.Minute))
	return p
}
