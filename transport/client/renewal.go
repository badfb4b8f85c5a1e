package client

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

const (
	// authenticateEvery is more than the 10 s in which a server accepts one authenticate.
	authenticateEvery = 10500 * time.Millisecond
	// answerTimeout is how long the client waits for the answer to a request.
	answerTimeout = 30 * time.Second
)

var errNoTokenFunc = errors.New("client: Options.Token is not set")

// offer is a new token on its way to the server. Its fields are guarded by Client.mu.
type offer struct {
	token   Token
	waiters []chan<- error // calls of Renew; each has room for one error. Empty for a timed renewal
}

// finish returns err to the calls that wait for o.
func (o *offer) finish(err error) {
	for _, w := range o.waiters {
		w <- err
	}
	o.waiters = nil
}

// offerLocked makes o the token for the server. It replaces a token that the server has not
// received, whose waiters then wait for o.
func (c *Client) offerLocked(o *offer) {
	if c.offer != nil {
		o.waiters = append(o.waiters, c.offer.waiters...)
	}
	c.offer = o
}

// Renew asks Options.Token for a token, with the reason [TokenChanged], and shows it to the server:
// on the open connection if there is one, otherwise with a new connection, which it starts at once.
// Call it when the login has changed. If the server refuses the token on the connection, because it
// is another user's, the client reconnects with it.
//
// When the client has connected as another user, it starts again with each plan. It drops the
// queued items and notices, and forgets positions, participants and presence states. It joins the
// plan without a position, so the stream continues with a [Reload], or ends with [ErrForbidden] if
// the user has no access. All this is done when Renew returns, except for the join. A Next that
// returns at the same time can still return an item of the previous user.
//
// Renew returns nil when the server has accepted the token. Otherwise it returns the error of
// Options.Token, and the client keeps the token that it has; the error with which the server
// refused the token; the error of ctx, and then the client continues to offer the token; or, when
// the client has ended, that of [Client.Err]. A server accepts a token every 10 s, so a second call
// may take as long. Renew restarts a client that has ended, like [Client.Reconnect]; after Close it
// returns [ErrClosed].
func (c *Client) Renew(ctx context.Context) error {
	if c.opts.Token == nil {
		return errNoTokenFunc
	}
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.calls, cancel)()
	t, err := c.tokens.ask(asking, TokenChanged)
	switch {
	case c.calls.Err() != nil:
		return ErrClosed
	case err != nil:
		return err
	}
	done := make(chan error, 1)
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return ErrClosed
	}
	if n := c.conn; n != nil && n.ready && n.fault == nil && n.goodbye == nil {
		n.signal()
	} else {
		c.reconnectLocked()
	}
	c.offerLocked(&offer{token: t, waiters: []chan<- error{done}})
	c.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renewLocked sends the offered token, or asks for one when it is time. A TokenFunc may take long,
// so the call has its own goroutine.
func (n *connection) renewLocked(now time.Time, d *deadline) {
	c := n.client
	switch {
	case n.shown != nil:
		if d.passed(n.shownAt.Add(answerTimeout), now) {
			n.notRenewedLocked(protocol.ErrorUnavailable, now)
		}
	case c.offer != nil:
		if n.shownAt.IsZero() || d.passed(n.shownAt.Add(authenticateEvery), now) {
			n.shown, n.shownAt, c.offer = c.offer, now, nil
			n.urgent = append(n.urgent, outgoing{kind: protocol.TypeAuthenticate})
		}
	case !n.asking && d.passed(n.renewAt, now):
		n.asking = true
		n.renewals.Go(n.ask)
	}
}

// ask asks for the token that replaces one that expires soon.
func (n *connection) ask() {
	c := n.client
	t, err := c.tokens.ask(n.ctx, TokenRenew)
	if err != nil && n.ctx.Err() == nil {
		c.opts.Logger.Warn("client: the token could not be renewed", slog.Any("error", err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n.asking = false
	switch {
	case err != nil:
		n.scheduleLocked(time.Now())
	case c.offer == nil && n.shown == nil: // otherwise Renew has a newer one
		c.offerLocked(&offer{token: t})
	}
	n.signal()
}

// authenticatedLocked handles the answer to authenticate.
func (n *connection) authenticatedLocked(m protocol.Message, now time.Time) {
	o := n.shown
	if o == nil {
		return
	}
	n.shown = nil
	if a, ok := data[protocol.Authenticated](m); ok && o.token.ExpiresAt.IsZero() && a.ExpiresAt != nil {
		o.token.ExpiresAt = a.ExpiresAt.Time
	}
	n.client.token = o.token
	o.finish(nil)
	n.scheduleLocked(now)
}

// notRenewedLocked handles the refusal of authenticate. A token of Renew is sent again; for another
// one the client asks again. After bad_token either needs a new connection.
func (n *connection) notRenewedLocked(code protocol.ErrorCode, now time.Time) {
	o, c := n.shown, n.client
	if o == nil {
		return
	}
	bad := code == protocol.ErrorBadToken
	n.shown = nil
	switch {
	case len(o.waiters) > 0:
		n.returnLocked(o)
		if bad {
			c.reconnectLocked()
		}
	case bad:
		n.failLocked(errBadToken)
	}
	n.scheduleLocked(now)
}

// returnLocked makes o the next token for the server again, unless there is a newer one.
func (n *connection) returnLocked(o *offer) {
	if newer := n.client.offer; newer != nil {
		newer.waiters = append(newer.waiters, o.waiters...)
		return
	}
	n.client.offer = o
}

func (n *connection) scheduleLocked(now time.Time) {
	n.renewAt = n.client.token.renewAt(now, now.Add(authenticateEvery))
	n.signal()
}
