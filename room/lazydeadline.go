package room

import (
	"context"
	"sync"
	"time"
)

// lazyDeadline is the context of one call of Authorize. It ends with the hub, at its deadline, or
// when the call is over. context.WithDeadline would allocate a timer for every join. Most Authorize
// functions never look at Done, so the timer is created on the first call of Done or Err.
type lazyDeadline struct {
	context.Context           // that of the hub
	deadline        time.Time // set before the context is handed out

	mu     sync.Mutex      // guards the following
	real   context.Context // nil until it is needed
	cancel context.CancelFunc
	over   bool
}

// Deadline implements [context.Context].
func (c *lazyDeadline) Deadline() (time.Time, bool) { return c.deadline, true }

// Done implements [context.Context].
func (c *lazyDeadline) Done() <-chan struct{} { return c.materialize().Done() }

// Err implements [context.Context].
func (c *lazyDeadline) Err() error { return c.materialize().Err() }

// Value implements [context.Context]. Package context calls it to find the parent of a context that
// is derived from this one.
func (c *lazyDeadline) Value(key any) any {
	c.mu.Lock()
	real := c.real
	c.mu.Unlock()
	if real == nil {
		return c.Context.Value(key)
	}
	return real.Value(key)
}

func (c *lazyDeadline) materialize() context.Context {
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

// end cancels the context after the call. It returns the error of a context that had ended before.
func (c *lazyDeadline) end() error {
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
