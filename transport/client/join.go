package client

import (
	"context"
	"fmt"

	"github.com/planrooms/planrooms/protocol"
)

// JoinOptions say how to join a plan. Nil and the zero value mean the defaults.
type JoinOptions struct {
	// Since is where to begin: the position that came with the plan, or that an earlier [Event] carried. What has happened since then comes
	// first, or a [Reload] if the server no longer has it. The zero value means to begin now, with a Reload.
	Since protocol.Position
}

// Join enters a plan, and returns when the server has let the client in. It waits as long as that cannot be found out, be it that there is no
// connection. If ctx ends first the client is not in the plan. Errors: ctx's, [ErrPlanID], [ErrPosition], [ErrJoined],
// [ErrForbidden], [ErrTooManyPlans], [ErrRemoved], [ErrClosed], and that of Err.
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

// enter makes a plan that is to be joined.
func (c *Client) enter(planID string, since protocol.Position) (*Plan, error) {
	switch {
	case !protocol.ValidPlanID(planID):
		return nil, ErrPlanID
	case since != protocol.Position{} && !validPosition(since):
		return nil, ErrPosition
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == StateClosed:
		return nil, c.cause
	case c.closing:
		return nil, ErrClosed
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

// failure is why the plan has not been entered; nil if it has.
func (p *Plan) failure() error {
	p.client.mu.Lock()
	defer p.client.mu.Unlock()
	if p.joined {
		return nil
	}
	return p.err
}
