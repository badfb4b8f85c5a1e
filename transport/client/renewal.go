package client

import (
	"log/slog"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// renewLocked asks for a new token when it is time. That may take long, so it has a goroutine of its own.
func (n *connection) renewLocked(now time.Time, d *deadline) {
	if n.renewing || !d.passed(n.renewAt, now) {
		return
	}
	n.renewing = true
	c := n.client
	n.renewals.Go(func() {
		t, err := c.ask(n.ctx, TokenRenew)
		if err != nil && n.ctx.Err() == nil {
			c.opts.Logger.Warn("client: no token to renew with", slog.Any("error", err))
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil {
			n.notRenewedLocked(protocol.ErrorUnavailable, time.Now())
			return
		}
		n.renewed = t
		n.urgent = append(n.urgent, outgoing{kind: protocol.TypeAuthenticate})
		n.signal()
	})
}

// authenticatedLocked takes the answer to an authenticate.
func (n *connection) authenticatedLocked(m protocol.Message, now time.Time) {
	if !n.renewing || n.renewed.Value == "" {
		return
	}
	t := n.renewed
	if a, ok := data[protocol.Authenticated](m); ok && t.ExpiresAt.IsZero() && a.ExpiresAt != nil {
		t.ExpiresAt = a.ExpiresAt.Time
	}
	n.client.token = t
	n.scheduleLocked(now)
}

// notRenewedLocked has the renewal tried again, or the connection made anew with another token.
func (n *connection) notRenewedLocked(code protocol.ErrorCode, now time.Time) {
	if !n.renewing {
		return
	}
	if code == protocol.ErrorBadToken {
		n.fault = errBadToken
		n.signal()
	}
	n.scheduleLocked(now)
}

func (n *connection) scheduleLocked(now time.Time) {
	n.renewing, n.renewed = false, Token{}
	n.renewAt = n.client.token.renewAt(now, now.Add(authenticateEvery))
	n.signal()
}
