package transport_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/planrooms/planrooms/protocol"
)

// This file checks each message that a viewer of the load receives.

// skip is a part of a plan's stream that a viewer missed according to the server.
type skip struct {
	plan     string
	from, to uint64
	what     string
}

// handleLocked checks one message.
func (v *viewer) handleLocked(m received) error {
	f := v.followLocked(m.PlanID)
	if v.goodbye != 0 {
		return errors.New("message after goodbye")
	}
	if m.Seq > 0 {
		return v.event(f, m)
	}
	var data struct { // of every message other than an event
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
			return errors.New("pong without a ping")
		}
		v.greeted = true
	case protocol.TypeGoodbye:
		return json.Unmarshal(data.Code, &v.goodbye)
	case protocol.TypeError:
		// the answer to the update that askLocked sends after each request
		if data.Re == protocol.TypeUpdatePresence {
			i := v.oldest(m.PlanID)
			if i < 0 {
				return errors.New("error without a request")
			}
			v.asked = slices.Delete(v.asked, i, i+1)
			return nil
		}
		return v.denied(f, m.PlanID, string(data.Code))
	case protocol.TypeRemoved:
		if v.revocable < 0 || m.PlanID != bigPlan || data.Retry {
			return errors.New("removed without a Revoke")
		}
		f.in = false
		v.askLocked(protocol.TypeJoinPlan, m.PlanID) // while Revoke is still running
	case protocol.TypeResync:
		at := f.chain.Position()
		if !f.in || data.Position.Seq <= at.Seq || data.Position.Epoch != at.Epoch {
			return fmt.Errorf("resync at %v, in=%v", at, f.in)
		}
		v.skips = append(v.skips, skip{m.PlanID, at.Seq, data.Position.Seq, "resync"})
		f.chain.Reset(data.Position)
		f.resyncs++
	case protocol.TypeJoinPlan, protocol.TypeLeavePlan:
		switch {
		case data.Success && m.Type == protocol.TypeLeavePlan:
			f.in = false
		case data.Success:
			return v.joined(f, m.PlanID, data.Position, data.Recovered, data.ParticipantCount, data.Participants)
		case !f.in:
			return errors.New("presence of a plan that the viewer is not in")
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
		return errors.New("unexpected message")
	}
	return nil
}

// oldest returns the index in asked of the oldest request about a plan, or -1.
func (v *viewer) oldest(plan string) int {
	return slices.IndexFunc(v.asked, func(q request) bool { return q.PlanID == plan })
}

// joined checks a join that the server granted. The requests about one plan are answered in order,
// or removed by Revoke, so the answer belongs to the oldest one.
func (v *viewer) joined(f *following, plan string, pos protocol.Position, recovered bool, count int, people []protocol.Participant) error {
	i := v.oldest(plan)
	if i < 0 || v.asked[i].Type != protocol.TypeJoinPlan {
		return errors.New("answer to a join without a request")
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
	f.chain.Reset(pos)
	f.in, f.admitted, f.count, f.people = true, v.asked[i].admitted, count, map[string]bool{}
	for _, p := range people {
		f.people[p.UserID] = true
	}
	return nil
}

// denied checks a refusal. The server may refuse only a user without access.
func (v *viewer) denied(f *following, plan, code string) error {
	if code != `"forbidden"` || v.revocable < 0 || plan != bigPlan {
		return errors.New("refused")
	}
	f.in = false
	return nil
}

// event checks an event or a receipt. The viewer must have access (I2), the event must follow the
// previous one (I3, I4), and an excluded page must receive a receipt.
func (v *viewer) event(f *following, m received) error {
	e, at := m.event, f.chain.Position().Seq
	switch excluded := e.excludes(v.page); {
	case !f.in:
		return errors.New("event of a plan that the viewer is not in")
	case v.revocable >= 0 && e.barred[v.revocable] > f.admitted:
		return fmt.Errorf("event that was broadcast after Revoke number %d had returned; joined after number %d", e.barred[v.revocable], f.admitted)
	case m.Prev != at, f.chain.Take(m.Message) != protocol.PlaceNext: // a hub sends the exact prev
		return fmt.Errorf("event %d follows %d, at %d", m.Seq, m.Prev, at)
	case excluded != (m.Type == protocol.TypeReceipt), excluded && m.Data != nil:
		return fmt.Errorf("%s, excluded=%v", m.Type, excluded)
	}
	f.events++
	// the limit is 128, and other requests count as well
	if v.restless && f.events%16 == 0 && v.messages < 40 {
		v.askLocked(protocol.TypeJoinPlan, m.PlanID)
	}
	return nil
}

// sees reports whether the viewer knows the participants of a plan. The caller holds viewer.mu.
func (f *following) sees(pages map[string]int) bool {
	same := func(bool, int) bool { return true } // compare only the users
	return f.count == len(pages) && (len(pages) > presenceLimit || maps.EqualFunc(f.people, pages, same))
}
