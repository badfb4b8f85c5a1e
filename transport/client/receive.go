package client

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// maxSeq bounds the seq of a position that can be sent back to the server.
const maxSeq = 1 << 53

func validPosition(p protocol.Position) bool {
	return p.Epoch != "" && len(p.Epoch) <= protocol.MaxEpochBytes && p.Seq < maxSeq
}

// data reads the data of a message. What a server has no right to send is as good as nothing.
func data[T any](m protocol.Message) (v T, ok bool) {
	return v, json.Unmarshal(m.Data, &v) == nil
}

// remark is something for the log, which is not called under a lock.
type remark struct {
	level slog.Level
	text  string
	attrs []slog.Attr
}

// receive takes one message of the server. Nothing in it waits.
func (n *connection) receive(b []byte) {
	m, err := protocol.Decode(b)
	c := n.client
	c.mu.Lock()
	n.receiveLocked(m, err, time.Now())
	remarks := n.remarks
	n.remarks = nil
	c.mu.Unlock()
	for _, r := range remarks {
		c.opts.Logger.LogAttrs(n.ctx, r.level, r.text, r.attrs...)
	}
}

func (n *connection) remarkLocked(level slog.Level, text string, attrs ...slog.Attr) {
	n.remarks = append(n.remarks, remark{level, text, attrs})
}

func (n *connection) receiveLocked(m protocol.Message, err error, now time.Time) {
	c := n.client
	if n.ready { // the time for the hello does not begin anew
		n.seen, n.pinged = now, time.Time{}
	}
	if err != nil {
		if !n.garbled {
			n.garbled = true
			n.remarkLocked(slog.LevelWarn, "client: a message that is none of the protocol was ignored")
		}
		return
	}
	if !n.ready {
		n.receiveFirstLocked(m, now)
		return
	}
	switch m.Type {
	case protocol.TypePong:
	case protocol.TypeGoodbye:
		n.goodbyeLocked(m, now)
	case protocol.TypeError:
		n.errorLocked(m, now)
	case protocol.TypeAuthenticate:
		n.authenticatedLocked(m, now)
	default:
		switch p := c.plans[m.PlanID]; {
		case n.leaving[m.PlanID]: // what belongs to the plan that was left is nothing to one that waits to be joined
			if m.Type == protocol.TypeLeavePlan && isLeaveAnswer(m) {
				n.leftLocked(m.PlanID)
			}
		case p != nil:
			p.receiveLocked(m, now)
		case m.PlanID == "" && m.Seq == 0 && !m.Type.Reserved():
			c.notices.put(m, newerHalf)
		}
	}
}

// receiveFirstLocked waits for the hello, and takes nothing else but a goodbye.
func (n *connection) receiveFirstLocked(m protocol.Message, now time.Time) {
	c := n.client
	switch m.Type {
	case protocol.TypeGoodbye:
		n.goodbyeLocked(m, now)
	case protocol.TypePong:
		hello, ok := data[protocol.Hello](m)
		if !ok || !hello.Connected {
			return
		}
		n.ready, n.seen = true, now
		n.renewAt = c.token.renewAt(now, now)
		c.refusals = 0
		c.userID = hello.UserID
		c.state, c.cause = StateConnected, nil
		if !c.greeted {
			c.greeted = true
			close(c.ready)
		}
		if len(c.plans) == 0 {
			n.stableSince = now
		}
		for _, p := range c.plans {
			n.askLocked(p)
		}
		n.signal()
	}
}

func (n *connection) goodbyeLocked(m protocol.Message, now time.Time) {
	if g, ok := data[protocol.Goodbye](m); ok && n.goodbye == nil {
		n.goodbye, n.goodbyeAt = &g, now
		n.signal()
	}
}

func (n *connection) errorLocked(m protocol.Message, now time.Time) {
	e, ok := data[protocol.Error](m)
	if !ok {
		return
	}
	switch e.Re {
	case protocol.TypeJoinPlan:
		if p := n.client.plans[m.PlanID]; p != nil && p.phase == asked && !p.asking {
			p.refusedLocked(e, now)
			n.signal()
			return
		}
	case protocol.TypeLeavePlan:
		n.leftLocked(m.PlanID)
		return
	case protocol.TypeAuthenticate:
		n.notRenewedLocked(e.Code, now)
		return
	}
	n.remarkLocked(slog.LevelDebug, "client: a request was refused", slog.String("type", string(e.Re)), slog.String("code", string(e.Code)))
}

// refusedLocked takes the error that answers a join.
func (p *Plan) refusedLocked(e protocol.Error, now time.Time) {
	switch e.Code {
	case protocol.ErrorForbidden:
		p.endLocked(ErrForbidden, false)
	case protocol.ErrorTooManyRooms:
		p.endLocked(ErrTooManyPlans, false)
	case protocol.ErrorBadMessage, protocol.ErrorBadPlanID, protocol.ErrorUnknownType: // it would be the same again
		p.endLocked(fmt.Errorf("client: join refused: %q", e.Code), false)
	default:
		p.parkLocked(now)
	}
}

func isLeaveAnswer(m protocol.Message) bool {
	a, ok := data[protocol.LeaveAnswer](m)
	return ok && a.Success
}

// receiveLocked takes a message of the plan. Only a join's answer, an event, a receipt and a resync move the position.
func (p *Plan) receiveLocked(m protocol.Message, now time.Time) {
	switch m.Type {
	case protocol.TypeRemoved:
		r, ok := data[protocol.Removed](m)
		switch {
		case !ok:
		case !r.Retry:
			p.endLocked(fmt.Errorf("%w: %q", ErrRemoved, r.Reason), false)
		case p.phase == live: // otherwise the join that is under way decides
			p.parkLocked(now)
			p.client.conn.signal()
		}
		return
	case protocol.TypeJoinPlan:
		if a, ok := data[protocol.JoinAnswer](m); ok && a.Success {
			if p.phase == asked && !p.asking && validPosition(a.Position) {
				p.enteredLocked(m, a, now)
			}
			return
		}
	}
	if p.phase != live {
		return
	}
	switch {
	case m.Type == protocol.TypeResync:
		if r, ok := data[protocol.Resync](m); ok && validPosition(r.Position) {
			p.received = r.Position
			p.put(Event{Kind: Reload, Reason: ReloadResync})
		}
	case m.Type == protocol.TypeReceipt:
		p.moveLocked(Receipt, m)
	case m.Type.Reserved():
		p.presenceLocked(m)
	default:
		p.moveLocked(Change, m)
	}
}

// enteredLocked takes the answer to a join.
func (p *Plan) enteredLocked(m protocol.Message, a protocol.JoinAnswer, now time.Time) {
	first, had := !p.joined, p.received
	p.phase, p.liveSince = live, now
	p.roster.reset(a.Participants, a.ParticipantCount)
	p.received = a.Position
	switch {
	case !a.Recovered || a.Position != had:
		reason := ReloadNotRecovered
		if first && had.Epoch == "" {
			reason = ReloadJoined
		}
		p.put(Event{Kind: Reload, Reason: reason})
	case !first:
		p.put(Event{Kind: Presence, Message: m})
	}
	if first {
		p.joined = true
		close(p.answered)
	}
	n := p.client.conn
	if n.stableSince.IsZero() {
		n.stableSince = now
	}
	p.unsent = p.unsent || p.state != nil // a new connection knows nothing
	n.showLocked(p)
}

// moveLocked takes an event or a receipt.
func (p *Plan) moveLocked(kind Kind, m protocol.Message) {
	switch {
	case m.Seq <= p.received.Seq: // not an event, or one that has come before
	case m.Prev != p.received.Seq && p.gap != p.received:
		p.gap = p.received
		p.client.conn.remarkLocked(slog.LevelDebug, "client: events are missing", slog.String("plan", p.id))
		p.client.conn.askLocked(p) // what is missing may still be had
	default:
		if m.Prev != p.received.Seq {
			p.received.Seq = m.Prev
			p.put(Event{Kind: Reload, Reason: ReloadGap})
		}
		p.received.Seq = m.Seq
		p.put(Event{Kind: kind, Message: m})
	}
}

// presenceLocked takes what tells who is there.
func (p *Plan) presenceLocked(m protocol.Message) {
	ok := false
	switch m.Type {
	case protocol.TypeJoinPlan:
		var j protocol.Joined
		if j, ok = data[protocol.Joined](m); ok && j.UserID == "" {
			p.roster.crowded(j.ParticipantCount, p.client.userID)
		} else if ok {
			p.roster.joined(j)
		}
	case protocol.TypeLeavePlan:
		var l protocol.Left
		if l, ok = data[protocol.Left](m); ok && l.UserID == "" {
			return // the answer to a leave-plan, which is nothing to a plan that was not left
		} else if ok {
			p.roster.left(l)
		}
	case protocol.TypePresenceUpdated:
		var u protocol.PresenceUpdated
		if u, ok = data[protocol.PresenceUpdated](m); ok {
			p.roster.updated(u.UserID, u.State)
		}
	}
	if ok {
		p.put(Event{Kind: Presence, Message: m})
	}
}

// newerHalf makes room among the notices, which nobody promised to keep.
func newerHalf(items []protocol.Message) []protocol.Message { return items[(len(items)+1)/2:] }

func noticeBytes(m protocol.Message) int { return eventBytes + len(m.Data) + len(m.Type) }
