package natsengine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// tryTimeout is when a request is repeated. JetStream never answers one that it got before a
	// leader was elected.
	tryTimeout = 2 * time.Second
	// notReady is how long a request of the JetStream API is repeated.
	notReady = 10 * time.Second
)

// whyEnded returns errClosed if the engine was closed, and otherwise the error of a context that
// has ended.
func whyEnded(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, errClosed) {
		return cause
	}
	return ctx.Err()
}

// whyUnfinished is whyEnded, with errUnconnected if the client is not connected.
func (c *client) whyUnfinished(ctx context.Context) error {
	if err := whyEnded(ctx); errors.Is(err, errClosed) || c.currentLink().up {
		return err
	}
	return fmt.Errorf("%w: %w", errUnconnected, whyEnded(ctx))
}

// attempt calls f with a context that ends with ctx, when an answer is overdue, or when the
// connection is lost. It returns nil, the error of f, a deniedError, errDisconnected or
// errUnconnected.
func (c *client) attempt(ctx context.Context, f func(context.Context) error) error {
	return c.attemptOn(ctx, c.currentLink(), f)
}

// attemptOn is attempt during one link.
func (c *client) attemptOn(ctx context.Context, l *link, f func(context.Context) error) error {
	limit, cancel := context.WithTimeout(ctx, notReady)
	defer cancel()
	return c.attemptWhile(limit, l, func(ctx context.Context, _ func()) error { return f(ctx) })
}

// attemptWhile is attemptOn for a request with many answers, each of which f reports by a call of
// progress.
func (c *client) attemptWhile(ctx context.Context, l *link, f func(ctx context.Context, progress func()) error) error {
	if ctx.Err() != nil {
		return whyEnded(ctx)
	}
	if !l.up { // a call of nats.go would wait while it dials
		return errUnconnected
	}
	try, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(l.ctx, func() { end(context.Cause(l.ctx)) })()
	progress, stop := c.overdue(try, func() { end(context.DeadlineExceeded) })
	defer stop()
	err := plain(f(try, progress))
	if err != nil && errors.Is(err, context.Canceled) && ctx.Err() == nil && try.Err() != nil {
		return context.Cause(try)
	}
	return err
}

// overdue calls end when an answer is overdue: tryTimeout has passed since the last call of
// progress, and nothing that the server has sent is under way. On a slow connection the answer may
// be behind much else, or large; a repetition would come behind it. Call stop at the end.
func (c *client) overdue(ctx context.Context, end func()) (progress, stop func()) {
	var steps atomic.Uint64
	var t *time.Timer
	ready := make(chan struct{})
	t = time.AfterFunc(tryTimeout, func() {
		<-ready
		if ctx.Err() != nil {
			return
		}
		before := steps.Load()
		flush, cancel := context.WithTimeout(ctx, notReady)
		defer cancel()
		_ = c.current().nc.FlushWithContext(flush) // its answer comes behind all that was sent before
		switch {
		case ctx.Err() != nil:
		case steps.Load() != before:
			t.Reset(tryTimeout)
		default:
			end()
		}
	})
	close(ready)
	return func() { steps.Add(1); t.Reset(tryTimeout) }, func() { t.Stop() }
}

// request describes a request of the JetStream API that may be repeated.
type request struct {
	what    string // it does, for errors
	subject string // that it is published to
}

// persist repeats a request while its error may go away.
func (c *client) persist(ctx context.Context, r request, f func(context.Context) error) error {
	limit, cancel := context.WithTimeout(ctx, notReady)
	defer cancel()
	what := r.what
	for n := 0; ; n++ {
		err := c.attempt(limit, f)
		if err == nil {
			return nil
		}
		if passing(err, r.subject) && pause(limit, n) == nil {
			continue
		}
		last := c.current().nc.LastError() // nil again once the connection is made again
		switch {
		case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
			what += ": JetStream is not enabled for the account"
		case errors.Is(err, errUnconnected):
		case unanswered(err) && !c.currentLink().up:
			what += ": " + errUnconnected.Error()
		case unanswered(err) && refusedSubscription(last):
			what += ": no answer arrives: " + last.Error()
		case unanswered(err):
			what += ": JetStream does not answer: it is not enabled, or its servers have no leader"
		}
		if ctx.Err() != nil && !errors.Is(err, whyEnded(ctx)) {
			return fmt.Errorf("natsengine: %s: %w; last: %w", what, whyEnded(ctx), err)
		}
		return fmt.Errorf("natsengine: %s: %w", what, err)
	}
}

// unanswered reports whether an error says that JetStream has not answered.
func unanswered(err error) bool {
	return errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, errUnconnected) || errors.Is(err, errDisconnected)
}

// noPeers is the error code of a cluster in which too few servers are known yet.
const noPeers = 10005

// passing reports whether an error of a request that is published to subject may go away when it is
// repeated. An operation that the server refuses ends all attempts, also those of other operations.
func passing(err error, subject string) bool {
	var denied *deniedError
	var api *jetstream.APIError
	var legacy *nats.APIError
	switch {
	case errors.As(err, &denied):
		return !denied.isPublish(subject)
	case errors.Is(err, errClosed):
		return false
	case errors.Is(err, errWrongSeq):
		return true
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return false
	case errors.As(err, &api):
		return api.Code == 503 || api.ErrorCode == noPeers
	}
	if errors.As(err, &legacy) {
		return legacy.Code == 503
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, errDisconnected) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.Is(err, errUnconnected) || errors.Is(err, nats.ErrDisconnected) ||
		errors.Is(err, nats.ErrConnectionClosed)
}

// backoff returns how long to wait before the attempt after the nth: 20 to 250 ms.
func backoff(n int) time.Duration {
	return min(20*time.Millisecond<<min(n, 4), 250*time.Millisecond)
}

// pause waits before the attempt after the nth. It returns the error of ctx if ctx ends meanwhile.
func pause(ctx context.Context, n int) error {
	t := time.NewTimer(backoff(n))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return whyEnded(ctx)
	}
}
