package transport_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/planrooms/planrooms/protocol"
)

// What a viewer of the load makes of each message.

// skip is a piece of a plan's stream that a viewer was told to have missed.
type skip struct {
	plan     string
	from, to uint64
	what     string
}

// hear judges one message. It is called under mu.
func (v *viewer) hear(m told) error {
	f := v.follow(m.PlanID)
	if v.goodbye != 0 {
		return errors.New("message after goodbye")
	}
	if m.Seq > 0 {
		return v.event(f, m)
	}
	var data struct { // of everything that is no event
		Success          bool
		UserID           string
		ParticipantCount int
		Participants     []protocol.Participant
		Position         protocol.Position
		Recovered, Retry bool
		Code             json.RawMessage
		Re               protocol.Type
	}
	if m.Data != nil {
		if err := json.Unmarshal(m.Data, &data); err != nil {
			return err
		}
	}
	switch m.Type {
	case protocol.TypePong:
		if m.Data == nil {
			return errors.New("pong that was not asked for")
		}
		v.greeted = true
	case protocol.TypeGoodbye:
		return json.Unmarshal(data.Code, &v.goodbye)
	case protocol.TypeError:
		if data.Re == protocol.TypeUpdatePresence { // what askLocked sends behind each request
			i := v.oldest(m.PlanID)
			if i < 0 {
				return errors.New("error that was not asked for")
			}
			v.asked = slices.Delete(v.asked, i, i+1)
			return nil
		}
		return v.denied(f, m.PlanID, string(data.Code))
	case protocol.TypeRemoved:
		if v.revocable < 0 || m.PlanID != bigPlan || data.Retry {
			return errors.New("removed, and nobody took the access away")
		}
		f.in = false
		v.askLocked(protocol.TypeJoinPlan, m.PlanID) // while Revoke has not returned yet
	case protocol.TypeResync:
		if !f.in || data.Position.Seq <= f.pos.Seq || data.Position.Epoch != f.pos.Epoch {
			return fmt.Errorf("resync at %v, in=%v", f.pos, f.in)
		}
		v.skips = append(v.skips, skip{m.PlanID, f.pos.Seq, data.Position.Seq, "resync"})
		f.pos = data.Position
		f.resyncs++
	case protocol.TypeJoinPlan, protocol.TypeLeavePlan:
		switch {
		case data.Success && m.Type == protocol.TypeLeavePlan:
			f.in = false
		case data.Success:
			return v.joined(f, m.PlanID, data.Position, data.Recovered, data.ParticipantCount, data.Participants)
		case !f.in:
			return errors.New("presence of a plan that it is not in")
		default:
			f.count = data.ParticipantCount
			switch {
			case data.UserID == "":
				f.people = nil
			case f.people == nil:
			case m.Type == protocol.TypeJoinPlan:
				f.people[data.UserID] = true
			default:
				delete(f.people, data.UserID)
			}
		}
	default:
		return errors.New("message that nobody asked for")
	}
	return nil
}

// oldest returns the index in asked of the oldest request about a plan, or -1.
func (v *viewer) oldest(plan string) int {
	return slices.IndexFunc(v.asked, func(q request) bool { return q.PlanID == plan })
}

// joined judges a join that was granted. The requests about one plan are answered in order, or taken
// back by Revoke, so the answer is to the oldest.
func (v *viewer) joined(f *following, plan string, pos protocol.Position, recovered bool, count int, people []protocol.Participant) error {
	i := v.oldest(plan)
	if i < 0 || v.asked[i].Type != protocol.TypeJoinPlan {
		return errors.New("join that was not asked for")
	}
	since := v.asked[i].Since
	switch {
	case recovered && (since == nil || pos != *since):
		return fmt.Errorf("recovered, since %v", since)
	case recovered:
		f.recovered++
	case since != nil && (pos.Epoch != since.Epoch || pos.Seq < since.Seq):
		return fmt.Errorf("not recovered, since %v", *since)
	case since != nil:
		v.skips = append(v.skips, skip{plan, since.Seq, pos.Seq, "recovered:false"})
	}
	self := slices.ContainsFunc(people, func(p protocol.Participant) bool { return p.UserID == v.user })
	if !self || len(people) != min(count, presenceLimit) {
		return fmt.Errorf("%d people in the answer to a join", len(people))
	}
	f.in, f.pos, f.admitted, f.count, f.people = true, pos, v.asked[i].admitted, count, map[string]bool{}
	for _, p := range people {
		f.people[p.UserID] = true
	}
	return nil
}

// denied judges a refusal: only somebody without access is refused.
func (v *viewer) denied(f *following, plan, code string) error {
	if code != `"forbidden"` || v.revocable < 0 || plan != bigPlan {
		return errors.New("refused")
	}
	f.in = false
	return nil
}

// event judges an event or a receipt: that it may come (I2), that it follows the one before (I3, I4), and that who is excepted from it gets
// no more than its place.
func (v *viewer) event(f *following, m told) error {
	e := m.event
	switch excepted := e.excepts(v.page); {
	case !f.in:
		return errors.New("event of a plan that it is not in")
	case v.revocable >= 0 && e.barred[v.revocable] > f.admitted:
		return fmt.Errorf("event that was broadcast after Revoke number %d had returned; let in after number %d", e.barred[v.revocable], f.admitted)
	case m.Prev != f.pos.Seq:
		return fmt.Errorf("event %d follows %d, at %d", m.Seq, m.Prev, f.pos.Seq)
	case excepted != (m.Type == protocol.TypeReceipt), excepted && m.Data != nil:
		return fmt.Errorf("%s, excepted=%v", m.Type, excepted)
	}
	f.pos.Seq = m.Seq
	f.events++
	if v.restless && f.events%16 == 0 && v.messages < 40 { // the limit is 128, and there are other reasons to ask
		v.askLocked(protocol.TypeJoinPlan, m.PlanID)
	}
	return nil
}

// sees reports whether the viewer knows who is in a plan. It is called under mu.
func (f *following) sees(pages map[string]int) bool {
	same := func(bool, int) bool { return true } // only the users count
	return f.count == len(pages) && (len(pages) > presenceLimit || maps.EqualFunc(f.people, pages, same))
}
