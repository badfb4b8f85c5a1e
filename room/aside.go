package room

import "context"

// aside makes calls to functions of the host for goroutines that must not wait for them: one after
// the other, in one goroutine. Calls beyond the bound are dropped.
type aside struct{ calls chan func() }

// newAside returns an aside in which at most n calls wait. Call run.
func newAside(n int) aside { return aside{make(chan func(), n)} }

// add has f called later. It reports false if f was dropped.
func (a aside) add(f func()) bool {
	select {
	case a.calls <- f:
		return true
	default:
		return false
	}
}

// run makes the calls until ctx ends. It uses start to begin again after a call that has ended its
// goroutine with runtime.Goexit.
func (a aside) run(ctx context.Context, start func(func())) {
	defer func() {
		if ctx.Err() == nil {
			start(func() { a.run(ctx, start) })
		}
	}()
	for {
		select {
		case f := <-a.calls:
			f()
		case <-ctx.Done():
			return
		}
	}
}
