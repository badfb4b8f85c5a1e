package room_test

import (
	"encoding/json"
	"slices"

	"github.com/planrooms/planrooms/protocol"
)

// receiveAll applies the messages that a client received to the model, and returns the code of the
// goodbye.
func (s *sim) receiveAll(c *client) protocol.CloseCode {
	for _, h := range c.take() {
		if !c.greeted {
			c.greeted = true
			if h.msg.Type != protocol.TypePong || h.msg.Data == nil {
				s.fail("%s: the first message is %s", c.who(), h.msg.Type)
			}
			continue
		}
		if c.goodbye != 0 {
			s.fail("%s: %s after goodbye", c.who(), h.msg.Type)
		}
		s.receive(c, h)
	}
	return c.goodbye
}

func (s *sim) decode(c *client, m protocol.Message, into any) {
	if err := json.Unmarshal(m.Data, into); err != nil {
		s.fail("%s: %s %s: %v", c.who(), m.Type, m.Data, err)
	}
}

func (s *sim) receive(c *client, h delivered) {
	m := h.msg
	v := c.view(m.PlanID)
	if m.Seq > 0 || m.Type == protocol.TypeResync || m.Type == protocol.TypePresenceUpdated {
		s.confined(c, v, h)
	}
	switch m.Type {
	case protocol.TypeGoodbye:
		var g protocol.Goodbye
		s.decode(c, m, &g)
		c.goodbye = g.Code
	case protocol.TypeJoinPlan:
		var answer protocol.JoinAnswer
		s.decode(c, m, &answer)
		if !answer.Success {
			s.confined(c, v, h)
			v.notice(c.user, m)
			return
		}
		s.answered(c, h, &answer)
	case protocol.TypeLeavePlan:
		var answer protocol.LeaveAnswer
		s.decode(c, m, &answer)
		if answer.Success {
			if !v.joined && !c.vague {
				s.fail("%s: left %s without a join", c.who(), m.PlanID)
			}
			v.leave(c.vague)
			return
		}
		s.confined(c, v, h)
		v.notice(c.user, m)
	case protocol.TypePresenceUpdated:
		v.notice(c.user, m)
	case protocol.TypeRemoved:
		if !v.joined && !c.vague && len(c.wants) == 0 {
			s.fail("%s: removed from %s without being a member", c.who(), m.PlanID)
		}
		v.leave(c.vague)
	case protocol.TypeError:
		var e protocol.Error
		s.decode(c, m, &e)
		if e.Re == protocol.TypeJoinPlan {
			s.refused(c, m.PlanID, e.Code)
		}
	case protocol.TypeResync:
		var r protocol.Resync
		s.decode(c, m, &r)
		// I3: only a client that may have missed something gets it.
		if r.Position.Seq <= v.pos || r.Position.Epoch != s.epoch || !c.behind[m.PlanID] {
			s.fail("%s: resync of %s to %v, at %d, behind=%v", c.who(), m.PlanID, r.Position, v.pos, c.behind[m.PlanID])
		}
		v.pos = r.Position.Seq
	default:
		if m.Seq > 0 {
			s.event(c, v, m)
		}
	}
}

// confined checks I2: nothing of a plan before a join was granted, or after a leave or Revoke.
func (s *sim) confined(c *client, v *view, h delivered) {
	if !v.joined {
		s.fail("%s: %s %d of %s, which it is not in", c.who(), h.msg.Type, h.msg.Seq, h.msg.PlanID)
	}
	if at, ok := c.barrier[h.msg.PlanID]; ok && h.end > at {
		s.fail("%s: %s %d of %s was written up to byte %d after Revoke had returned at %d",
			c.who(), h.msg.Type, h.msg.Seq, h.msg.PlanID, h.end, at)
	}
}

// event checks I1, I3 and I4: the event is the one with that position, and follows the one before.
func (s *sim) event(c *client, v *view, m protocol.Message) {
	s.mu.Lock()
	e := s.model[m.PlanID].all[m.Seq]
	s.mu.Unlock()
	if e == nil {
		s.fail("%s: event %d of %s was never broadcast", c.who(), m.Seq, m.PlanID)
		return
	}
	if m.Prev != v.pos {
		s.fail("%s: event %d of %s follows %d, but the position was %d", c.who(), m.Seq, m.PlanID, m.Prev, v.pos)
	}
	v.pos = m.Seq
	if m.Prev != e.prev || m.By != e.by || m.MutationID != e.mutation {
		s.fail("%s: event %d of %s: got %+v, want %+v", c.who(), m.Seq, m.PlanID, m, e)
	}
	if e.excepts(c.user, c.name) {
		if m.Type != protocol.TypeReceipt || m.Data != nil {
			s.fail("%s: %s instead of a receipt", c.who(), m.Type)
		}
		return
	}
	var data struct{ Task struct{ ID int } }
	s.decode(c, m, &data)
	if m.Type != protocol.TypeTaskUpdated || data.Task.ID != e.id {
		s.fail("%s: event %d of %s is %s %d, want %d", c.who(), m.Seq, m.PlanID, m.Type, data.Task.ID, e.id)
	}
}

func (s *sim) nextWanted(c *client, plan string) (wantedJoin, bool) {
	if c.vague {
		return wantedJoin{}, true
	}
	if len(c.wants) == 0 || c.wants[0].plan != plan {
		s.fail("%s: an answer to a join of %s without a request", c.who(), plan)
		return wantedJoin{}, false
	}
	want := c.wants[0]
	c.wants = c.wants[1:]
	return want, true
}

// answered checks a join that was granted: I6 and I13.
func (s *sim) answered(c *client, h delivered, a *protocol.JoinAnswer) {
	plan := h.msg.PlanID
	want, ok := s.nextWanted(c, plan)
	if !ok {
		return
	}
	if want.outcome != anyOutcome {
		switch {
		case want.outcome != granted:
			s.fail("%s: join of %s was granted, want %s", c.who(), plan, want.outcome)
		case want.recovered != nil && a.Recovered != *want.recovered:
			s.fail("%s: join of %s: recovered %v, want %v", c.who(), plan, a.Recovered, *want.recovered)
		case !a.Recovered && a.Position != want.position:
			s.fail("%s: join of %s at %v, want %v", c.who(), plan, a.Position, want.position)
		}
	}
	limit := 100
	if s.opts.PresenceLimit > 0 {
		limit = s.opts.PresenceLimit
	}
	self := slices.ContainsFunc(a.Participants, func(p protocol.Participant) bool { return p.UserID == c.user })
	if !self || len(a.Participants) != min(limit, a.ParticipantCount) {
		s.fail("%s: join of %s lists %v of %d", c.who(), plan, a.Participants, a.ParticipantCount)
	}
	// A client that was revoked while its answer waited must not receive it.
	if at, ok := c.barrier[plan]; ok && h.end > at {
		if want.revoked {
			s.fail("%s: the answer to a join of %s was written after Revoke", c.who(), plan)
		}
		delete(c.barrier, plan)
	}
	c.view(plan).join(a)
}

func (s *sim) refused(c *client, plan string, code protocol.ErrorCode) {
	want, ok := s.nextWanted(c, plan)
	if ok && want.outcome != anyOutcome && want.outcome != outcome(code) {
		s.fail("%s: join of %s was refused with %s, want %s", c.who(), plan, code, want.outcome)
	}
}
