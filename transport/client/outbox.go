package client

import (
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// outgoing is a request to write. It is encoded just before it is written, with what holds then, so
// that requests do not pile up.
type outgoing struct {
	kind   protocol.Type
	plan   *Plan  // of join-plan and update-presence
	planID string // of leave-plan
}

// nextLocked removes the next request from the outbox and encodes it. It skips requests that are no
// longer needed, and returns nil if none is left.
func (n *connection) nextLocked(now time.Time) []byte {
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
		if req, ok := n.requestLocked(o, now); ok {
			b, err := protocol.EncodeRequest(req)
			if err != nil {
				panic(err) // unreachable: SetPresence has checked the state, Join the plan ID
			}
			return b
		}
	}
}

// requestLocked returns the request that o stands for, if it is still needed.
func (n *connection) requestLocked(o outgoing, now time.Time) (req protocol.Request, ok bool) {
	req = protocol.Request{Type: o.kind, PlanID: o.planID}
	switch p := o.plan; o.kind {
	case protocol.TypeJoinPlan:
		p.joinQueued = false
		if p.err != nil || p.phase != asked {
			return req, false
		}
		p.sent, p.askedAt, req.PlanID = true, now, p.id
		if since := p.chain.Position(); since.Epoch != "" {
			req.Since = &since
		}
	case protocol.TypeUpdatePresence:
		p.stateQueued = false
		if p.err != nil || p.phase != live {
			return req, false // it is sent after the next join
		}
		p.unsent, req.PlanID, req.State = false, p.id, p.state
	case protocol.TypeAuthenticate:
		if n.shown == nil {
			return req, false
		}
		req.Token = n.shown.token.Value
	case protocol.TypeLeavePlan:
		n.leaving[o.planID] = now
	}
	return req, true
}

// askLocked joins a plan. Before the hello, and before the answer to leave-plan, it does nothing:
// these call it again.
func (n *connection) askLocked(p *Plan) {
	if !n.ready || n.parting || n.isLeaving(p.id) {
		return
	}
	p.phase, p.retryAt = asked, time.Time{}
	if p.joinQueued {
		return
	}
	p.joinQueued = true
	n.outbox = append(n.outbox, outgoing{kind: protocol.TypeJoinPlan, plan: p})
	n.signal()
}

// showLocked sends the presence state of a plan if the server may not have it.
func (n *connection) showLocked(p *Plan) {
	if p.phase == live && p.unsent && !p.stateQueued {
		p.stateQueued = true
		n.outbox = append(n.outbox, outgoing{kind: protocol.TypeUpdatePresence, plan: p})
		n.signal()
	}
}

// leaveLocked leaves a plan. The client does not join it again before the answer, because it could
// not distinguish the answers.
func (n *connection) leaveLocked(planID string) {
	n.leaving[planID] = time.Time{}
	n.outbox = append(n.outbox, outgoing{kind: protocol.TypeLeavePlan, planID: planID})
	n.signal()
}

func (n *connection) isLeaving(planID string) bool {
	_, ok := n.leaving[planID]
	return ok
}

// leftLocked handles the answer to leave-plan.
func (n *connection) leftLocked(planID string) {
	if !n.isLeaving(planID) {
		return
	}
	delete(n.leaving, planID)
	if p := n.client.plans[planID]; p != nil {
		n.askLocked(p)
	}
}
