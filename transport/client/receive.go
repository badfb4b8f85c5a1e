package client

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// data decodes the data of a message. The client ignores data that it cannot decode.
func data[T any](m protocol.Message) (v T, ok bool) {
	return v, json.Unmarshal(m.Data, &v) == nil
}

// logEntry is an entry for the log. The logger is not called while a mutex is locked.
type logEntry struct {
	level slog.Level
	text  string
	attrs []slog.Attr
}

func (n *connection) logLocked(level slog.Level, text string, attrs ...slog.Attr) {
	n.logs = append(n.logs, logEntry{level, text, attrs})
}

// receive handles a message from the server. It does not block.
func (n *connection) receive(b []byte) {
	m, err := protocol.Decode(b)
	c := n.client
	c.mu.Lock()
	n.receiveLocked(m, err, time.Now())
	logs := n.logs
	n.logs = nil
	c.mu.Unlock()
	for _, e := range logs {
		c.opts.Logger.LogAttrs(n.ctx, e.level, e.text, e.attrs...)
	}
}

func (n *connection) receiveLocked(m protocol.Message, err error, now time.Time) {
	c := n.client
	if n.ready { // other messages do not extend the time for the hello
		n.seen, n.pinged = now, time.Time{}
	}
	if err != nil {
		if !n.garbled {
			n.garbled = true
			n.logLocked(slog.LevelWarn, "client: ignored a malformed message")
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
		case n.isLeaving(m.PlanID): // the message belongs to the membership that has ended
			if m.Type == protocol.TypeLeavePlan && isLeaveAnswer(m) {
				n.leftLocked(m.PlanID)
			}
		case p != nil:
			p.receiveLocked(m, now)
		case m.PlanID == "" && m.Seq == 0 && !m.Type.Reserved():
			c.notices.put(m)
		}
	}
}

// receiveFirstLocked waits for the hello and ignores everything else except goodbye.
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
		if c.greeted && hello.UserID != c.userID {
			c.forgetUserLocked()
		}
		c.userID = hello.UserID
		c.state, c.cause = StateConnected, nil
		if !c.greeted {
			c.greeted = true
			close(c.ready)
		}
		if c.offer != nil && c.offer == c.attempted {
			c.offer.finish(nil)
			c.offer = nil
		}
		n.usefulLocked(now)
		for _, p := range c.plans {
			n.askLocked(p)
		}
		n.signal()
	}
}

// forgetUserLocked forgets what the client received and showed as another user. The plans start
// again, as after a first join without a position.
func (c *Client) forgetUserLocked() {
	c.notices.drop(nil)
	for _, p := range c.plans {
		p.forgetLocked()
	}
}

// usefulLocked notes that the connection is useful if no plan needs to be joined. A connection that
// was useful for some time resets the back-off.
func (n *connection) usefulLocked(now time.Time) {
	if n.ready && len(n.client.plans) == 0 && n.stableSince.IsZero() {
		n.stableSince = now
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
		if p := n.client.plans[m.PlanID]; p != nil && p.phase == asked && !p.joinQueued {
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
	case protocol.TypeUpdatePresence:
		if p := n.client.plans[m.PlanID]; p != nil && e.Code == protocol.ErrorRateLimited {
			p.unsent, p.showAt = true, now.Add(showAgainAfter)
			n.signal()
		}
	}
	n.logLocked(slog.LevelDebug, "client: the server refused a request", slog.String("type", string(e.Re)), slog.String("code", string(e.Code)))
}

func isLeaveAnswer(m protocol.Message) bool {
	a, ok := data[protocol.LeaveAnswer](m)
	return ok && a.Success
}
