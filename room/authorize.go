package room

import (
	"context"
	"errors"
)

// errPanicked is what guard returns for a callback that panicked.
var errPanicked = errors.New("room: callback panicked")

// errRevoking refuses a join during which Revoke was called each time Authorize had allowed it.
var errRevoking = errors.New("room: access was revoked again and again while it was asked for")

// guard calls f, a callback of the host, in a separate goroutine, so that guard returns after
// AuthorizeTimeout even if f ignores its context, and a panic of f ends only the call.
func (h *Hub) guard(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(h.ctx, h.opts.AuthorizeTimeout)
	defer cancel()
	result := make(chan error, 1)
	h.wg.Go(func() { result <- h.catchPanic(func() error { return f(ctx) }) })
	select {
	case err := <-result:
		if err == nil {
			err = ctx.Err() // a yes that came too late: both channels may be ready
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// catchPanic calls f, a callback of the host. If f panics, it logs the panic and returns
// errPanicked.
func (h *Hub) catchPanic(f func() error) (err error) {
	err = errPanicked
	defer func() {
		if v := recover(); v != nil {
			h.opts.Logger.Error("room: callback panicked", panicAttrs(v)...)
		}
	}()
	return f()
}
