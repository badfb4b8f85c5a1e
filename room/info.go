package room

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Summary describes one room without its users.
type Summary struct {
	PlanID       string            `json:"planId"`
	Participants int               `json:"participants"` // users, lingering ones included
	Connections  int               `json:"connections"`
	Lagging      int               `json:"lagging"`      // connections that have not taken everything; see Hub.Lagging
	Events       int               `json:"events"`       // in the history
	HistoryBytes int               `json:"historyBytes"` // as Options.HistoryTotal counts it
	Position     protocol.Position `json:"position"`
	LastEvent    uint64            `json:"lastEvent"`    // seq of the newest event; with an engine, Position may be beyond
	LastActivity time.Time         `json:"lastActivity"` // last event or join
}

// Info describes one room and the users in it.
type Info struct {
	Summary
	People []Participant `json:"people"` // in the order of their joins
}

// Participant is one user in a room. In a cluster, LastActivity and LastSeen are of the connections
// of this hub, and zero if there has been none; the other fields are of all nodes.
type Participant struct {
	UserID       string          `json:"userId"`
	UserName     string          `json:"userName"`
	Connections  int             `json:"connections"` // 0 while lingering
	JoinedAt     time.Time       `json:"joinedAt"`
	LastActivity time.Time       `json:"lastActivity"` // last message of any connection
	LastSeen     time.Time       `json:"lastSeen"`     // last byte of any connection
	State        json.RawMessage `json:"state,omitempty"`
}

// Room returns the room of a plan, or false if there is none. In a cluster the people are those of
// all nodes, and a plan that only other nodes have members of has a room, too; all else in Summary
// but Participants is of this hub.
func (h *Hub) Room(planID string) (Info, bool) {
	r := h.lookup(planID)
	if r == nil {
		return h.roomElsewhere(planID)
	}
	defer r.mu.Unlock()
	info := Info{Summary: r.summaryLocked(), People: make([]Participant, 0, len(r.presence.people))}
	for who := r.presence.first; who != nil; who = who.after {
		var last lastActivity
		if who.ended != nil {
			last = *who.ended
		}
		for _, c := range who.conns {
			last.add(c.by)
		}
		info.People = append(info.People, Participant{
			UserID: who.userID, UserName: who.userName, Connections: who.connections(), JoinedAt: who.joinedAt,
			LastActivity: last.message, LastSeen: last.seen, State: slices.Clone(who.shown),
		})
	}
	if r.presence.here == 0 {
		info.People = append(info.People, h.elsewhere(planID)...)
	} else if h.rosters != nil {
		slices.SortStableFunc(info.People, func(a, b Participant) int { return a.JoinedAt.Compare(b.JoinedAt) })
	}
	return info, true
}

// Rooms returns all rooms, ordered by plan ID. They include empty rooms that the janitor has not
// removed yet.
func (h *Hub) Rooms() []Summary {
	rooms := collect(h.mu.RLocker(), maps.Values(h.rooms))
	list := make([]Summary, 0, len(rooms))
	for _, r := range rooms {
		if r.lockLive() {
			list = append(list, r.summaryLocked())
			r.mu.Unlock()
		}
	}
	slices.SortFunc(list, func(a, b Summary) int { return cmp.Compare(a.PlanID, b.PlanID) })
	return list
}

// PlansOf returns the plans that the connections of a user are in, in this hub, sorted.
func (h *Hub) PlansOf(userID string) []string {
	h.mu.RLock()
	sessions := slices.Clone(h.users[userID])
	h.mu.RUnlock()
	var plans []string
	for _, s := range sessions {
		s.mu.Lock()
		for _, m := range s.members {
			plans = append(plans, m.room.id)
		}
		s.mu.Unlock()
	}
	slices.Sort(plans)
	return slices.Compact(plans)
}

// UserConnections counts the connections of a user in this hub.
func (h *Hub) UserConnections(userID string) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.users[userID])
}

func (r *room) summaryLocked() Summary {
	return Summary{
		PlanID: r.id, Participants: r.participantsLocked(), Connections: r.connections, Lagging: len(r.lagging),
		Events: r.log.events.len, HistoryBytes: roomOverhead + r.log.held(), Position: r.positionLocked(), LastEvent: r.log.last, LastActivity: r.lastActivity,
	}
}
