package transport

import (
	"cmp"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/planrooms/planrooms/room"
)

const (
	// Rooms, and people of one room, that Inspect returns by default and at most.
	inspectLimit, maxInspectLimit = 100, 1000
	// inspectRows limits the connections of an explanation and those that lag.
	inspectRows = 100
)

// inspection is the JSON of Inspect.
type inspection struct {
	Now      time.Time      `json:"now"`
	Stats    map[string]any `json:"stats"`
	Total    int            `json:"total"`    // rooms
	Matching int            `json:"matching"` // rooms that fit the search
	Rooms    []room.Summary `json:"rooms"`

	Room        *inspectedRoom      `json:"room,omitempty"` // nil: not asked for, or there is none
	Explanation *inspectExplanation `json:"explanation,omitempty"`
}

// inspectedRoom is one room with its users.
type inspectedRoom struct {
	room.Summary
	LaggingConnections []room.LaggingConnection `json:"laggingConnections"`
	PeopleMatching     int                      `json:"peopleMatching"`
	People             []inspectedPerson        `json:"people"`
}

// inspectedPerson is a [room.Participant] without the presence state, which may be private.
type inspectedPerson struct {
	UserID       string    `json:"userId"`
	UserName     string    `json:"userName"`
	Connections  int       `json:"connections"`
	JoinedAt     time.Time `json:"joinedAt"`
	LastActivity time.Time `json:"lastActivity"`
	LastSeen     time.Time `json:"lastSeen"`
}

// inspectExplanation is a [room.Explanation] with a limited number of connections.
type inspectExplanation struct {
	room.Explanation
	Further int `json:"further"` // connections left out
}

// roomOrders are the values of the parameter sort.
var roomOrders = map[string]func(a, b room.Summary) int{
	"plan":        func(a, b room.Summary) int { return 0 }, // as Hub.Rooms returns them
	"activity":    func(a, b room.Summary) int { return b.LastActivity.Compare(a.LastActivity) },
	"people":      func(a, b room.Summary) int { return cmp.Compare(b.Participants, a.Participants) },
	"connections": func(a, b room.Summary) int { return cmp.Compare(b.Connections, a.Connections) },
	"lagging":     func(a, b room.Summary) int { return cmp.Compare(b.Lagging, a.Lagging) },
	"history":     func(a, b room.Summary) int { return cmp.Compare(b.HistoryBytes, a.HistoryBytes) },
}

// inspectionOf returns what the parameters ask for. Its errors are about the parameters.
func inspectionOf(hub *room.Hub, query url.Values) (*inspection, error) {
	limit := inspectLimit
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxInspectLimit {
			return nil, errors.New("limit is not a number from 1 to 1000")
		}
		limit = n
	}
	order, ok := roomOrders[cmp.Or(query.Get("sort"), "plan")]
	if !ok {
		return nil, errors.New("sort is not plan, activity, people, connections, lagging or history")
	}
	v := &inspection{Now: time.Now(), Stats: lowerCamel(hub.Stats())}
	rooms := hub.Rooms()
	v.Total = len(rooms)
	if search := strings.ToLower(query.Get("search")); search != "" {
		rooms = slices.DeleteFunc(rooms, func(s room.Summary) bool { return !strings.Contains(strings.ToLower(s.PlanID), search) })
	}
	v.Matching = len(rooms)
	slices.SortStableFunc(rooms, order)
	v.Rooms = rooms[:min(len(rooms), limit)]

	plan := query.Get("plan")
	if plan == "" {
		return v, nil
	}
	if info, ok := hub.Room(plan); ok {
		v.Room = inspectedRoomOf(hub, &info, strings.ToLower(query.Get("person")), limit)
	}
	if !query.Has("seq") {
		return v, nil
	}
	seq, err := strconv.ParseUint(query.Get("seq"), 10, 64)
	if err != nil || seq == 0 {
		return nil, errors.New("seq is not a number from 1 on")
	}
	x, err := hub.Explain(plan, query.Get("user"), seq)
	if err != nil {
		return nil, err
	}
	further := max(0, len(x.Connections)-inspectRows)
	x.Connections = append([]room.ConnectionOutcome{}, x.Connections[:len(x.Connections)-further]...)
	v.Explanation = &inspectExplanation{x, further}
	return v, nil
}

// inspectedRoomOf returns the room with at most limit of the people whose ID or name contains
// person.
func inspectedRoomOf(hub *room.Hub, info *room.Info, person string, limit int) *inspectedRoom {
	r := &inspectedRoom{
		Summary: info.Summary, People: []inspectedPerson{},
		LaggingConnections: append([]room.LaggingConnection{}, hub.Lagging(info.PlanID, inspectRows)...),
	}
	for i := range info.People {
		p := &info.People[i]
		if !strings.Contains(strings.ToLower(p.UserID), person) && !strings.Contains(strings.ToLower(p.UserName), person) {
			continue
		}
		if r.PeopleMatching++; len(r.People) < limit {
			r.People = append(r.People, inspectedPerson{
				p.UserID, p.UserName, p.Connections, p.JoinedAt, p.LastActivity, p.LastSeen,
			})
		}
	}
	return r
}

// lowerCamel returns the fields of a struct by their names in lower camel case, so that new fields
// appear without a change here.
func lowerCamel(s any) map[string]any {
	v := reflect.ValueOf(s)
	fields := make(map[string]any, v.NumField())
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		value := v.Field(i).Interface()
		if f := v.Field(i); f.Kind() == reflect.Map && f.IsNil() {
			value = struct{}{} // {}, not null
		}
		fields[strings.ToLower(name[:1])+name[1:]] = value
	}
	return fields
}
