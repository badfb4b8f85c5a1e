package room_test

import (
	"encoding/json"
	"fmt"

	"github.com/planrooms/planrooms/protocol"
)

// receiveAll applies to the model what a client has read, and checks it.
func (s *clusterSim) receiveAll(c *clusterClient) {
	if c.peer == nil {
		return
	}
	for _, m := range c.take() {
		s.receive(c, m)
	}
}

func (s *clusterSim) decode(c *clusterClient, m protocol.Message, into any) {
	if err := json.Unmarshal(m.Data, into); err != nil {
		s.fail("%s: %s %s: %v", c.who(), m.Type, m.Data, err)
	}
}

func (s *clusterSim) receive(c *clusterClient, d delivered) {
	m := d.msg
	switch m.Type {
	case protocol.TypeJoinPlan:
		var answer protocol.JoinAnswer
		s.decode(c, m, &answer)
		if answer.Success {
			s.answered(c, d, &answer)
		}
	case protocol.TypeLeavePlan:
		var answer protocol.LeaveAnswer
		s.decode(c, m, &answer)
		if v := c.view(m.PlanID); answer.Success {
			v.joined, v.vague = false, false
		}
	case protocol.TypeRemoved:
		v := c.view(m.PlanID)
		v.joined, v.vague = false, false
	case protocol.TypeError:
		var e protocol.Error
		s.decode(c, m, &e)
		if v := c.view(m.PlanID); e.Re == protocol.TypeJoinPlan && v.joined {
			v.joined, v.vague = false, true
		}
	case protocol.TypeResync:
		var r protocol.Resync
		s.decode(c, m, &r)
		s.inPlan(c, d)
		v := c.view(m.PlanID)
		if r.Position.Epoch == v.pos.Epoch && r.Position.Seq < v.pos.Seq {
			s.fail("C1: %s: resync of %s goes back from %v to %v", c.who(), m.PlanID, v.pos, r.Position)
		}
		s.load(c, d, r.Position)
	default:
		if m.Seq > 0 {
			s.event(c, d)
		}
	}
}

// load is what a client does that has to load its plan.
func (s *clusterSim) load(c *clusterClient, d delivered, at protocol.Position) {
	s.mu.Lock()
	committed := c.committed[d.end]
	s.mu.Unlock()
	v := c.view(d.msg.PlanID)
	v.pos = at
	v.load(committed)
}

// inPlan checks that the client may receive something of the plan: C4.
func (s *clusterSim) inPlan(c *clusterClient, d delivered) {
	m, v := d.msg, c.view(d.msg.PlanID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !v.joined && !v.vague {
		s.failLocked("%s: %s %d of %s, which it is not in", c.who(), m.Type, m.Seq, m.PlanID)
	}
	if b := c.barrier[m.PlanID]; b.has(d.end) {
		s.failLocked("C4: %s: %s %d of %s was written up to byte %d, but access had ended at %d", c.who(), m.Type, m.Seq, m.PlanID, d.end, b.from)
	}
	if c.cutoff > 0 && d.end > c.cutoff {
		s.failLocked("C4: %s: %s %d of %s was written up to byte %d, but Disconnect had returned at %d", c.who(), m.Type, m.Seq, m.PlanID, d.end, c.cutoff)
	}
}

// answered takes the answer to a join.
func (s *clusterSim) answered(c *clusterClient, d delivered, a *protocol.JoinAnswer) {
	plan := d.msg.PlanID
	v := c.view(plan)
	s.mu.Lock()
	if b := c.barrier[plan]; b.has(d.end) {
		s.failLocked("C4: %s: the answer to a join of %s was written up to byte %d, but access had ended at %d", c.who(), plan, d.end, b.from)
	}
	s.mu.Unlock()
	v.joined, v.vague = true, false
	if !a.Recovered {
		s.load(c, d, a.Position)
		return
	}
	if !v.asked[a.Position] {
		s.fail("C3: %s: the join of %s was recovered at %v, which is not a position that the client has asked for", c.who(), plan, a.Position)
	}
	v.pos = a.Position // other than the present one if events have arrived since the request
}

// event takes an event or a receipt: C1, C2 and C3.
func (s *clusterSim) event(c *clusterClient, d delivered) {
	m, v := d.msg, c.view(d.msg.PlanID)
	s.inPlan(c, d)
	atEnd := m.Type == protocol.TypeReceipt && m.MutationID == "" // a node that shuts down says how far the log is
	if atEnd && m.Seq <= v.pos.Seq {
		return // known to clients that have joined at that position
	}
	if m.Seq <= v.pos.Seq {
		s.fail("C1: %s: event %d of %s, which is at %v", c.who(), m.Seq, m.PlanID, v.pos)
	}
	if m.Prev > v.pos.Seq {
		s.fail("C2: %s: event %d of %s follows %d, but the client is at %v", c.who(), m.Seq, m.PlanID, m.Prev, v.pos)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skippedLocked(c, m)
	v.pos.Seq = m.Seq
	if atEnd {
		return
	}
	e := s.eventOfLocked(c, m)
	if e == nil {
		return
	}
	e.at = clusterSeq{v.pos.Epoch, m.Seq}
	for _, o := range s.events[e.id:] {
		before := o.at.epoch == e.at.epoch && o.at.seq < e.at.seq // otherwise it comes again
		if o.plan == m.PlanID && o.status == eventStored && e.status != eventStored && o.began.After(e.began) && before && v.covers(o) {
			v.late = e
		}
	}
	v.has[e.id] = true
}

// skippedLocked checks that no event is missing between the position of a client and the event that
// it has received.
func (s *clusterSim) skippedLocked(c *clusterClient, m protocol.Message) {
	v := c.view(m.PlanID)
	for _, e := range s.events {
		if e.plan == m.PlanID && e.at.epoch == v.pos.Epoch && e.at.seq > v.pos.Seq && e.at.seq < m.Seq && !v.covers(e) {
			s.failLocked("C2: %s: event %d of %s was skipped: the client was at %v, and received event %d", c.who(), e.at.seq, m.PlanID, v.pos, m.Seq)
		}
	}
}

// eventOfLocked returns the event that a message contains, and checks it against what others have
// received.
func (s *clusterSim) eventOfLocked(c *clusterClient, m protocol.Message) *clusterEvent {
	var id int
	if n, _ := fmt.Sscanf(m.MutationID, "m%d", &id); n == 0 { // an event of a batch
		var data struct{ Task struct{ ID int } }
		if err := json.Unmarshal(m.Data, &data); err != nil {
			s.failLocked("%s: %s %s: %v", c.who(), m.Type, m.Data, err)
			return nil
		}
		id = data.Task.ID
	}
	e := s.events[id-1]
	receipt := m.Type == protocol.TypeReceipt
	if e.plan != m.PlanID || e.status == eventRefused || receipt != (e.except == c.user) {
		s.failLocked("%s: %s %d of %s is event %+v", c.who(), m.Type, m.Seq, m.PlanID, *e)
	}
	if receipt {
		return e
	}
	at := clusterSeq{c.view(m.PlanID).pos.Epoch, m.Seq}
	text := fmt.Sprintf("%s %s %s %s %s", m.Type, m.PlanID, m.MutationID, m.Timestamp, m.Data)
	if other := s.content[at]; other == "" {
		s.content[at] = text
	} else if other != text {
		s.failLocked("C1: %s: event %v is %s, for another client it was %s", c.who(), at, text, other)
	}
	return e
}
