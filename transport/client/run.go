package client

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// replacedBySelf is how long after a handshake without an answer the client takes a 4409 for its
// own: a slow server can complete that handshake late, after the next one, and then takes the older
// connection for the newer.
const replacedBySelf = time.Minute

// startLocked starts run in a goroutine, which Close waits for. If an earlier run has not returned
// yet, the new one waits for it, so OnState is never called concurrently.
func (c *Client) startLocked() {
	before, done := c.done, make(chan struct{})
	ctx, cancel := context.WithCancel(c.values)
	c.state, c.done, c.cancel = StateConnecting, done, cancel
	go func() {
		defer close(done)
		defer cancel()
		if before != nil {
			<-before
			c.notices.reopen()
		}
		c.run(ctx)
	}()
}

// run connects again and again, until an end is final.
func (c *Client) run(ctx context.Context) {
	for {
		c.setState(StateConnecting, nil)
		end := c.attempt(ctx)
		wait, final := c.judge(end, time.Now())
		c.opts.Logger.Debug("client: connection ended", slog.Any("error", end.err), slog.Duration("wait", wait), slog.Bool("final", final != nil))
		if final != nil && c.finish(final) {
			return
		}
		c.setState(StateWaiting, end.err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-c.kick:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

// setState changes the state and calls OnState. A nil cause keeps the last one: while the client
// reconnects, the program may still want to know why.
func (c *Client) setState(s State, cause error) {
	c.mu.Lock()
	c.state = s
	if cause != nil {
		c.cause = cause
	}
	c.mu.Unlock()
	c.opts.OnState(s, cause)
}

// attempt makes one connection and serves it until it ends.
func (c *Client) attempt(ctx context.Context) ending {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.mu.Lock()
	c.restart, c.interrupt = false, cancel
	select {
	case <-c.kick: // this attempt is the one that it asks for
	default:
	}
	c.mu.Unlock()

	token, err := c.tokenForConnect(ctx)
	if err != nil {
		return endingOf(tokenError{err}, nil)
	}
	dialCtx, dialed := context.WithTimeout(ctx, dialTimeout)
	l, err := c.dial(dialCtx, token.Value)
	dialed()
	if err != nil {
		if refused := (*HandshakeError)(nil); !errors.As(err, &refused) {
			c.mu.Lock()
			c.unanswered = time.Now()
			c.mu.Unlock()
		}
		return endingOf(err, nil)
	}
	return c.serve(ctx, l)
}

// judge returns how long to wait before the next attempt, or the error with which the client ends.
func (c *Client) judge(end ending, now time.Time) (wait time.Duration, final error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return 0, ErrClosed
	}
	if errors.Is(end.err, ErrReplaced) && !c.unanswered.IsZero() && now.Sub(c.unanswered) < replacedBySelf {
		end.reconnect = true
	}
	if end.reauth {
		c.refused = true
		c.refusals++
		if c.offer != nil && c.offer == c.attempted {
			c.offer.finish(end.err)
			c.offer = nil
		}
	}
	if c.restart {
		c.retry.attempts, c.refusals = 0, 0
		return 0, nil
	}
	if !end.reconnect || c.refusals > 1 || end.unlessFirst && !c.greeted && !c.lazy {
		return 0, end.err
	}
	c.retry.worked(end.stableSince, now)
	if wait = c.retry.next(); end.retryAfter > 0 {
		wait = end.retryAfter
	}
	return wait, nil
}

// finish ends the client, its plans, and the calls that wait for them. If Reconnect or Renew was
// called after judge had decided, it does nothing and returns false: the client then goes on, as if
// the call had come after the end.
func (c *Client) finish(err error) bool {
	c.mu.Lock()
	switch {
	case c.closing:
		err = ErrClosed
	case c.restart:
		c.resetLocked()
		c.mu.Unlock()
		return false
	}
	c.state, c.cause = StateClosed, err
	for _, p := range c.plans {
		p.endLocked(err, err == ErrClosed)
	}
	if c.offer != nil {
		c.offer.finish(err)
		c.offer = nil
	}
	c.mu.Unlock()
	c.notices.end(err, err == ErrClosed)
	c.opts.OnState(StateClosed, err)
	return true
}

// resetLocked forgets the token and the failures before a final end.
func (c *Client) resetLocked() {
	c.token, c.refused, c.refusals, c.retry.attempts = Token{}, false, 0, 0
}

// Reconnect connects again at once: it ends the connection, or the attempt or the wait under way,
// and resets the back-off. It does not wait for the new connection. Call it when the network has
// changed, or a person asks for it.
//
// If the next token is another user's, the client starts again with each plan: see [Client.Renew].
//
// Reconnect also restarts a client that has ended without Close, such as one whose user was
// disconnected. The client then asks Options.Token for a token. Plans that have ended, with the
// client or by a refusal, stay ended: join them again, with [Plan.Position] as Since.
//
// After Close it returns [ErrClosed].
func (c *Client) Reconnect() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return ErrClosed
	}
	c.reconnectLocked()
	return nil
}

func (c *Client) reconnectLocked() {
	if c.state == StateClosed {
		c.resetLocked()
		c.startLocked()
		return
	}
	c.restart, c.refusals = true, 0
	select {
	case c.kick <- struct{}{}:
	default:
	}
	if c.conn != nil {
		c.conn.failLocked(errReconnect)
	} else if c.interrupt != nil {
		c.interrupt()
	}
}
