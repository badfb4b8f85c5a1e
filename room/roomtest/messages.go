package roomtest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/planrooms/planrooms/protocol"
)

// NextMessage waits for the next message of any type.
func (m *Member) NextMessage() protocol.Message {
	m.t.Helper()
	var msg protocol.Message
	m.wait("a message", func() (done bool) {
		msg, done = m.poll()
		return done
	})
	return msg
}

// wait calls cond until it returns true. It fails the test if the connection ends before, or after
// a time.
func (m *Member) wait(what string, cond func() bool) {
	m.t.Helper()
	done := false
	ended := m.sink.Wait(patience, func() bool {
		over := m.sink.State().Over // before cond, which may read the last message
		done = done || cond()
		return done || over
	})
	switch {
	case done:
	case ended:
		m.t.Fatalf("%s: the connection has ended, want %s%s", m.who(), what, m.before())
	default:
		m.t.Fatalf("%s: no message came, want %s%s", m.who(), what, m.before())
	}
}

// poll takes the next message if there is one.
func (m *Member) poll() (protocol.Message, bool) {
	m.t.Helper()
	if len(m.skipped) > 0 {
		msg := m.skipped[0]
		m.skipped = m.skipped[1:]
		return msg, true
	}
	got, ok := m.sink.Message()
	if faults := m.sink.Faults(); len(faults) > 0 {
		m.t.Fatalf("%s: %s%s", m.who(), strings.Join(faults, "; "), m.before())
	}
	if ok {
		m.track(got.Message)
		if m.recent = append(m.recent, got.Message); len(m.recent) > 8 {
			m.recent = m.recent[1:]
		}
	}
	return got.Message, ok
}

// Next waits for the next message that is not a presence notice: an event, a receipt, a resync, a
// removed, a goodbye, or an answer or error for a request of this client.
func (m *Member) Next() protocol.Message {
	m.t.Helper()
	for {
		if msg := m.NextMessage(); !isNotice(msg) {
			return msg
		}
	}
}

// WantEvent waits for the next message that is not a presence notice, which must have the given
// type: that of an event, or any other, such as [protocol.TypeRemoved]. It decodes the message's
// data into data, unless data is nil.
func (m *Member) WantEvent(typ protocol.Type, data any) protocol.Message {
	m.t.Helper()
	msg := m.Next()
	m.decode(msg, typ, data)
	return msg
}

// WantReceipt waits for the next message that is not a presence notice, which must be the receipt
// for a mutation of this client.
func (m *Member) WantReceipt(mutationID string) protocol.Message {
	m.t.Helper()
	msg := m.WantEvent(protocol.TypeReceipt, nil)
	if msg.MutationID != mutationID {
		m.t.Fatalf("%s: receipt for mutation %q, want %q%s", m.who(), msg.MutationID, mutationID, m.before())
	}
	return msg
}

// Refused waits for the next message that is not a presence notice, which must be an error with the
// code, such as the answer to a join that was sent with Request.
func (m *Member) Refused(code protocol.ErrorCode) protocol.Error {
	m.t.Helper()
	var got protocol.Error
	msg := m.WantEvent(protocol.TypeError, &got)
	if got.Code != code {
		m.t.Fatalf("%s: error %s, want code %q%s", m.who(), msg.Data, code, m.before())
	}
	return got
}

// Silent fails the test if the client receives any other message than presence notices. It waits
// until the client has received everything that is in the rooms of its plans so far. It does not
// wait for messages without a position, such as those of [room.Hub.Notify], nor for the events of a
// plan that the client is not in. To wait for these too, call [testing/synctest.Wait] before it.
func (m *Member) Silent() {
	m.t.Helper()
	for {
		behind := ""
		for _, p := range m.plans {
			if !p.in {
				continue
			}
			info, _ := m.hub.Room(p.planID)
			if at := p.chain.Position(); at.Seq < info.LastEvent {
				behind = fmt.Sprintf("the events of %q from %d to %d", p.planID, at.Seq, info.LastEvent)
			}
		}
		var msg protocol.Message
		got := false
		if behind == "" || m.sink.State().Over {
			if msg, got = m.poll(); !got {
				return
			}
		} else {
			m.wait(behind, func() bool { msg, got = m.poll(); return got || m.sink.State().Over })
		}
		if got && !isNotice(msg) {
			m.t.Fatalf("%s: unexpected %s: %s%s", m.who(), msg.Type, msg.Data, m.before())
		}
	}
}

// Closed waits until the hub has closed the connection. It returns its goodbye and the code of its
// close frame, which is 1006 if there was none.
func (m *Member) Closed() (protocol.Goodbye, protocol.CloseCode) {
	m.t.Helper()
	var goodbye protocol.Goodbye
	if !m.sink.Wait(patience, func() bool { return m.sink.State().Over }) {
		m.t.Fatalf("%s: the connection was not closed%s", m.who(), m.before())
	}
	for {
		msg, ok := m.poll()
		if !ok {
			break
		}
		if msg.Type == protocol.TypeGoodbye {
			m.decode(msg, protocol.TypeGoodbye, &goodbye)
		}
	}
	if code := m.sink.State().Code; code != 0 {
		return goodbye, code
	}
	return goodbye, protocol.CloseAbnormal
}

// isNotice reports whether msg is about other users. An answer to a request of the client itself is
// not a notice, although it can have the same type.
func isNotice(msg protocol.Message) bool {
	switch msg.Type {
	case protocol.TypePresenceUpdated:
		return true
	case protocol.TypeJoinPlan, protocol.TypeLeavePlan:
		var answer protocol.LeaveAnswer // a join answer has this field as well
		return json.Unmarshal(msg.Data, &answer) != nil || !answer.Success
	}
	return false
}

// plan returns what the client knows of a plan.
func (m *Member) plan(planID string) *membership {
	for _, p := range m.plans {
		if p.planID == planID {
			return p
		}
	}
	p := &membership{planID: planID}
	m.plans = append(m.plans, p)
	return p
}

// track follows the positions. It fails the test at a gap without a resync, and at a duplicate,
// other than the receipt of a node that shuts down, which the client may not need. A prev smaller
// than the seq of the last event is not a gap: a node of a cluster may have known less.
func (m *Member) track(msg protocol.Message) {
	m.t.Helper()
	if msg.PlanID == "" || msg.Type == protocol.TypeError {
		return
	}
	p := m.plan(msg.PlanID)
	at := p.chain.Position().Seq
	place := p.chain.Take(msg)
	switch {
	case msg.Type == protocol.TypeResync:
		if place != protocol.PlaceStart {
			m.t.Fatalf("%s: resync without a position: %s%s", m.who(), msg.Data, m.before())
		}
	case msg.Seq > 0:
		atEnd := msg.Type == protocol.TypeReceipt && msg.MutationID == "" && place == protocol.PlaceDuplicate
		if p.in && !atEnd && (place != protocol.PlaceNext || msg.Prev > at) {
			m.t.Fatalf("%s: event %d follows %d, but the last position was %d%s", m.who(), msg.Seq, msg.Prev, at, m.before())
		}
	case isNotice(msg):
		p.notice(msg)
	case msg.Type == protocol.TypeJoinPlan:
		var a protocol.JoinAnswer
		_ = json.Unmarshal(msg.Data, &a) // not an answer otherwise
		p.in, p.people = true, make(map[string]protocol.Participant)
		for _, person := range a.Participants {
			p.people[person.UserID] = person
		}
	case msg.Type == protocol.TypeLeavePlan, msg.Type == protocol.TypeRemoved:
		p.in, p.people = false, nil
	}
}

// notice updates the participants.
func (p *membership) notice(msg protocol.Message) {
	var n struct { // the fields of all three notices
		UserID, UserName string
		State            json.RawMessage
	}
	// A crowded room sends a count alone.
	if json.Unmarshal(msg.Data, &n) != nil || n.UserID == "" || !p.in {
		return
	}
	person := p.people[n.UserID]
	switch msg.Type {
	case protocol.TypeLeavePlan:
		delete(p.people, n.UserID)
		return
	case protocol.TypeJoinPlan:
		person = protocol.Participant{UserName: n.UserName, Connections: 1}
	case protocol.TypePresenceUpdated:
		if person.State = n.State; string(n.State) == "null" {
			person.State = nil
		}
	}
	person.UserID = n.UserID
	p.people[n.UserID] = person
}

// decode decodes the data of a message that must have a type, unless data is nil.
func (m *Member) decode(msg protocol.Message, want protocol.Type, data any) {
	m.t.Helper()
	if msg.Type != want {
		m.t.Fatalf("%s: got %s %s, want %s%s", m.who(), msg.Type, msg.Data, want, m.before())
	}
	if data == nil {
		return
	}
	if err := json.Unmarshal(msg.Data, data); err != nil {
		m.t.Fatalf("%s: data of %s %s: %v%s", m.who(), msg.Type, msg.Data, err, m.before())
	}
}

func (m *Member) encode(state any) json.RawMessage {
	m.t.Helper()
	if state == nil {
		return nil
	}
	b, err := json.Marshal(state)
	if err != nil {
		m.t.Fatalf("%s: presence state: %v", m.who(), err)
	}
	return b
}

// who names the client in a failure.
func (m *Member) who() string {
	if m.opts.ClientID != "" {
		return m.id.UserID + "/" + m.opts.ClientID
	}
	return m.id.UserID
}

// before lists the last messages, for a failure.
func (m *Member) before() string {
	if len(m.recent) == 0 {
		return "; it has received nothing"
	}
	var b strings.Builder
	b.WriteString("; the last messages were:")
	for _, msg := range m.recent {
		fmt.Fprintf(&b, "\n\t%s %s", msg.Type, msg.PlanID)
		if msg.Seq > 0 {
			fmt.Fprintf(&b, " seq %d after %d", msg.Seq, msg.Prev)
		}
		fmt.Fprintf(&b, " %.200s", msg.Data)
	}
	return b.String()
}
