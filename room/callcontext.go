package room

import (
	"context"
	"sync"
	"time"
)

// callContext is the context of one call of Authorize: it ends with the hub, at a deadline, or when the call is over. One of package
// context would cost each call a timer and an entry among the hub's children, which many a host has no use for, its rights being in
// memory: here they come with the first call of Done.
type callContext struct {
	context.Context           // of the hub
	deadline        time.Time // fixed at creation

	mu     sync.Mutex      // guards the following
	real   context.Context // nil until it is needed
	cancel context.CancelFunc
	over   bool
}

// Deadline implements [context.Context].
func (c *callContext) Deadline() (time.Time, bool) { return c.deadline, true }

// Done implements [context.Context].
func (c *callContext) Done() <-chan struct{} { return c.materialize().Done() }

// Err implements [context.Context].
func (c *callContext) Err() error { return c.materialize().Err() }

// Value implements [context.Context]. Package context asks it who the parent of a context made from this one is.
func (c *callContext) Value(key any) any {
	c.mu.Lock()
	real := c.real
	c.mu.Unlock()
	if real == nil {
		return c.Context.Value(key)
	}
	return real.Value(key)
}

func (c *callContext) materialize() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.real == nil {
		c.real, c.cancel = context.WithDeadline(c.Context, c.deadline)
		if c.over {
			c.cancel()
		}
	}
	return c.real
}

// end tells that the call is over, and returns the error of a context that had ended before.
func (c *callContext) end() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.real != nil {
		defer c.cancel()
		return c.real.Err()
	}
	if err := c.Context.Err(); err != nil {
		return err
	}
	if !time.Now().Before(c.deadline) {
		return context.DeadlineExceeded
	}
	return nil
}
