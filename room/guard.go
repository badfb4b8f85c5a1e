package room

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// errPanicked is what guard returns for a callback that panicked.
var errPanicked = errors.New("room: callback panicked")

// errExited is what guard returns for a callback that called runtime.Goexit, as the FailNow of a
// test does. It counts as a panic.
var errExited = fmt.Errorf("%w: it called runtime.Goexit", errPanicked)

// guard calls functions of the host, so that a panic in one ends only the call.
type guard struct {
	// Fixed at creation.
	ctx     context.Context // ends with the hub
	timeout time.Duration   // Options.AuthorizeTimeout
	logger  *slog.Logger
	start   func(func()) // starts a goroutine of the hub
}

// within calls f in a separate goroutine, so that within returns after the timeout even if f
// ignores its context.
func (g *guard) within(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(g.ctx, g.timeout)
	defer cancel()
	result := make(chan error, 1)
	g.start(func() {
		err := errExited
		defer func() { result <- err }()
		err = g.call(func() error { return f(ctx) })
	})
	select {
	case err := <-result:
		if err == nil {
			err = ctx.Err() // nil, but too late: both channels may be ready
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// call calls f. If f panics, it logs the panic and returns errPanicked.
func (g *guard) call(f func() error) (err error) {
	err = errPanicked
	defer func() {
		if v := recover(); v != nil {
			g.logger.Error("room: callback panicked", panicAttrs(v)...)
		}
	}()
	return f()
}
