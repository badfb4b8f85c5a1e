package client

import (
	"context"
	"fmt"

	"github.com/planrooms/planrooms/protocol"
)

// JoinOptions configure [Client.Join]. Nil and the zero value mean the defaults.
type JoinOptions struct {
	// Since is the position to resume from: one that was loaded with the plan, or the Position of
	// an [Event]. The stream starts with the events after it, or with a [Reload] if the server no
	// longer has them. The zero value means to start at the current end, with a Reload.
	Since protocol.Position
}

// Join joins a plan and returns when the server has admitted the client. It waits for as long as
// the client is not connected, or the server cannot check the access. If ctx ends first, the client
// does not join. Errors: that of ctx, [ErrPlanID], [ErrPosition], [ErrJoined], [ErrForbidden],
// [ErrTooManyPlans], [ErrRemoved], [ErrClosed], and that of [Client.Err].
func (c *Client) Join(ctx context.Context, planID string, opts *JoinOptions) (*Plan, error) {
	var since protocol.Position
	if opts != nil {
		since = opts.Since
	}
	p, err := c.enter(planID, since)
	if err == nil {
		select {
		case <-p.answered:
			err = p.failure()
		case <-ctx.Done():
			p.Leave()
			err = ctx.Err()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("join plan %q: %w", planID, err)
	}
	return p, nil
}

// enter creates a plan and starts to join it.
func (c *Client) enter(planID string, since protocol.Position) (*Plan, error) {
	switch {
	case !protocol.ValidPlanID(planID):
		return nil, ErrPlanID
	case since != protocol.Position{} && !since.Valid():
		return nil, ErrPosition
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing:
		return nil, ErrClosed
	case c.state == StateClosed:
		return nil, c.cause
	case c.plans[planID] != nil:
		return nil, ErrJoined
	}
	p := newPlan(c, planID, since)
	c.plans[planID] = p
	if c.conn != nil {
		c.conn.askLocked(p)
	}
	return p, nil
}

// failure returns why the client has not joined the plan, or nil if it has.
func (p *Plan) failure() error {
	p.client.mu.Lock()
	defer p.client.mu.Unlock()
	if p.joined {
		return nil
	}
	return p.err
}
