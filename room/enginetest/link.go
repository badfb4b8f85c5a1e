package enginetest

import (
	"context"
	"errors"
	"sync"
	"time"
)

// link is the connection between an engine and the store, with the faults that a test injects.
type link struct {
	closed chan struct{} // closed by Close

	mu      sync.Mutex // guards the following
	faults  faults
	changed chan struct{} // closed when faults change
	stall   *Stalled      // takes the next record; nil: none
}

// faults are those of a link.
type faults struct {
	paused   bool // the process of the node is stopped
	requests bool // what the engine sends is lost
	answers  bool // what the store sends is lost
	tail     bool // records are held back

	toStore, toNode time.Duration // how long a request and an answer take
}

var (
	errClosed = errors.New("enginetest: the engine is closed")
	errCut    = errors.New("enginetest: the connection is cut")
)

func newLink() *link { return &link{closed: make(chan struct{}), changed: make(chan struct{})} }

// change changes the faults.
func (l *link) change(f func(*faults)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.faults)
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *link) now() (faults, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.faults, l.changed
}

// cutOff reports whether nothing reaches the node.
func (l *link) cutOff() bool {
	f, _ := l.now()
	return f.requests || f.answers
}

// request carries what the engine sends to the store. After an error the store has not got it.
func (l *link) request(ctx context.Context) error {
	f, err := l.carry(ctx, func(f faults) time.Duration { return f.toStore })
	if err == nil && f.requests {
		return errCut
	}
	return err
}

// answer carries the answer of the store. After an error the engine has not got it.
func (l *link) answer(ctx context.Context) error {
	f, err := l.carry(ctx, func(f faults) time.Duration { return f.toNode })
	if err == nil && (f.requests || f.answers) {
		return errCut
	}
	return err
}

// carry waits for the time that the link takes. It returns the faults afterwards.
func (l *link) carry(ctx context.Context, takes func(faults) time.Duration) (faults, error) {
	running := func(faults) bool { return true }
	f, err := l.until(ctx, running)
	if d := takes(f); d > 0 && err == nil {
		if err = l.sleep(ctx, d); err == nil {
			return l.until(ctx, running)
		}
	}
	return f, err
}

// awaitUp waits until requests and answers are carried again, or until ctx ends.
func (l *link) awaitUp(ctx context.Context) error {
	_, err := l.until(ctx, func(f faults) bool { return !f.requests && !f.answers })
	return err
}

// awaitRecords waits until records are carried.
func (l *link) awaitRecords(ctx context.Context) error {
	_, err := l.until(ctx, func(f faults) bool { return !f.requests && !f.answers && !f.tail })
	return err
}

// until waits until the node is not paused and ok returns true. It fails if ctx or the engine ends.
// A stopped process does not see that its context ends, so while the node is paused only Close ends
// the wait.
func (l *link) until(ctx context.Context, ok func(faults) bool) (faults, error) {
	for {
		f, changed := l.now()
		ended := ctx.Done()
		if f.paused {
			ended = nil
		} else if err := l.ended(ctx); err != nil || ok(f) {
			return f, err
		}
		select {
		case <-changed:
		case <-ended:
			return f, ctx.Err()
		case <-l.closed:
			return f, errClosed
		}
	}
}

// awaitRunning waits until the node is not paused. It fails if stop is closed.
func (l *link) awaitRunning(stop <-chan struct{}) error {
	for {
		f, changed := l.now()
		if !f.paused {
			return nil
		}
		select {
		case <-changed:
		case <-stop:
			return errClosed
		}
	}
}

// sleep waits for d, or until ctx or the engine ends.
func (l *link) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	_, err := await(ctx, l.closed, timer.C)
	return err
}

// ended returns why a call has to end now, or nil.
func (l *link) ended(ctx context.Context) error {
	select {
	case <-l.closed:
		return errClosed
	default:
		return ctx.Err()
	}
}

// close ends all waits. It reports whether this is the first call.
func (l *link) close() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended(context.Background()) != nil {
		return false
	}
	close(l.closed)
	return true
}

// takeStall returns what takes the next record, once.
func (l *link) takeStall() *Stalled {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stall
	l.stall = nil
	return s
}

// await waits for c, or until ctx ends or closed is closed.
func await[T any](ctx context.Context, closed <-chan struct{}, c <-chan T) (v T, err error) {
	select {
	case v = <-c:
		return v, nil
	case <-ctx.Done():
		return v, ctx.Err()
	case <-closed:
		return v, errClosed
	}
}
