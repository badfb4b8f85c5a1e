package client

import (
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// outgoing is a message that waits to be written. It is encoded when its turn comes and says what is true then, so nothing piles up.
type outgoing struct {
	kind   protocol.Type
	plan   *Plan  // of join-plan and update-presence
	planID string // of leave-plan
}

// nextLocked takes the next message out of the outbox; nil if there is none that still makes sense.
func (n *connection) nextLocked() []byte {
	for {
		box := &n.outbox
		if len(n.urgent) > 0 {
			box = &n.urgent
		}
		if len(*box) == 0 {
			return nil
		}
		o := (*box)[0]
		*box = (*box)[1:]
		if req, ok := n.requestLocked(o); ok {
			b, err := protocol.EncodeRequest(req)
			if err != nil {
				panic(err) // only a state can be no JSON, and SetPresence has seen to that
			}
			return b
		}
	}
}

// requestLocked is what o asks for by now.
func (n *connection) requestLocked(o outgoing) (req protocol.Request, ok bool) {
	req = protocol.Request{Type: o.kind, PlanID: o.planID}
	switch p := o.plan; o.kind {
	case protocol.TypeJoinPlan:
		p.asking = false
		if p.err != nil || p.phase != asked {
			return req, false
		}
		p.sent, req.PlanID = true, p.id
		if p.received.Epoch != "" {
			since := p.received
			req.Since = &since
		}
	case protocol.TypeUpdatePresence:
		p.queued = false
		if p.err != nil || p.phase != live {
			return req, false // sent after the next join
		}
		p.unsent, req.PlanID, req.State = false, p.id, p.state
	case protocol.TypeAuthenticate:
		req.Token = n.renewed.Value
	}
	return req, true
}

// askLocked joins a plan, unless that has to wait.
func (n *connection) askLocked(p *Plan) {
	if !n.ready || n.parting || n.leaving[p.id] {
		return // the hello, or the answer to leave-plan, will ask
	}
	p.phase, p.retryAt = asked, time.Time{}
	if p.asking {
		return
	}
	p.asking = true
	n.outbox = append(n.outbox, outgoing{kind: protocol.TypeJoinPlan, plan: p})
	n.signal()
}

// showLocked sends the state of a plan that the server does not know yet.
func (n *connection) showLocked(p *Plan) {
	if p.phase == live && p.unsent && !p.queued {
		p.queued = true
		n.outbox = append(n.outbox, outgoing{kind: protocol.TypeUpdatePresence, plan: p})
		n.signal()
	}
}

// leaveLocked leaves a plan. Until that is answered it is not joined again, or answers could not be told apart.
func (n *connection) leaveLocked(planID string) {
	n.leaving[planID] = true
	n.outbox = append(n.outbox, outgoing{kind: protocol.TypeLeavePlan, planID: planID})
	n.signal()
}

// leftLocked takes the answer to a leave-plan.
func (n *connection) leftLocked(planID string) {
	if !n.leaving[planID] {
		return
	}
	delete(n.leaving, planID)
	if p := n.client.plans[planID]; p != nil {
		n.askLocked(p)
	}
}
