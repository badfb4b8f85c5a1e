package room_test

import (
	"encoding/json"
	"fmt"

	"github.com/planrooms/planrooms/protocol"
)

func (s *sim) updatePresence(c *client) {
	plan := pick(s.rnd, s.plans)
	var state json.RawMessage
	if s.rnd.IntN(3) > 0 {
		state = s.newState()
	}
	s.note("presence %s %s %s", c.who(), plan, state)
	s.setPresence(c, plan, state)
}

func (s *sim) newState() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids++
	return json.RawMessage(fmt.Sprintf(`{"n":%d}`, s.ids))
}

func (s *sim) setPresence(c *client, plan string, state json.RawMessage) {
	// The others in the plan receive it. The client itself knows its state.
	v := c.view(plan)
	v.ownUnknown = v.ownUnknown || c.isStalled()
	if v.joined {
		if state != nil || v.people[c.user] == v.own { // another tab's state stays
			v.people[c.user] = string(state)
		}
		v.own = string(state)
	}
	c.request(protocol.Request{Type: protocol.TypeUpdatePresence, PlanID: plan, State: state})
}
