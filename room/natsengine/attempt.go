package natsengine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// tryTimeout ends one attempt of a request. JetStream never answers a request that it got
	// before a leader was elected.
	tryTimeout = 2 * time.Second
	// notReady is how long a request of the JetStream API is repeated.
	notReady = 10 * time.Second
)

// attempt calls f with a context that ends with ctx, after tryTimeout, or when the connection is
// lost. It returns nil, the error of f, a deniedError, errDisconnected or errUnconnected.
func (c *client) attempt(ctx context.Context, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	l := c.currentLink()
	try, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	err := plain(f(try))
	if err != nil && errors.Is(err, context.Canceled) && ctx.Err() == nil && l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	return err
}

// attemptWhile is attempt for a request with many answers: tryTimeout begins again with each call
// of progress. What a slow connection takes longer for would otherwise be requested again, before
// it has arrived.
func (c *client) attemptWhile(ctx context.Context, f func(ctx context.Context, progress func()) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	l := c.currentLink()
	try, end := context.WithCancelCause(ctx)
	defer end(nil)
	t := time.AfterFunc(tryTimeout, func() { end(context.DeadlineExceeded) })
	defer t.Stop()
	defer context.AfterFunc(l.ctx, func() { end(context.Cause(l.ctx)) })()
	err := plain(f(try, func() { t.Reset(tryTimeout) }))
	if err != nil && errors.Is(err, context.Canceled) && ctx.Err() == nil && try.Err() != nil {
		return context.Cause(try)
	}
	return err
}

// persist repeats a request of the JetStream API that may be repeated, while an error may go away.
func (c *client) persist(ctx context.Context, what string, f func(context.Context) error) error {
	limit, cancel := context.WithTimeout(ctx, notReady)
	defer cancel()
	for n := 0; ; n++ {
		err := c.attempt(limit, f)
		if err == nil {
			return nil
		}
		if passing(err) && pause(limit, n) == nil {
			continue
		}
		switch {
		case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
			what += ": JetStream is not enabled for the account"
		case errors.Is(err, errUnconnected):
		case unanswered(err) && !c.nc.IsConnected():
			what += ": " + errUnconnected.Error()
		case unanswered(err):
			what += ": JetStream does not answer: it is not enabled, or its servers have no leader"
		}
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			return fmt.Errorf("natsengine: %s: %w; last: %w", what, cause, err)
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

// passing reports whether an error of a request may go away when it is repeated.
func passing(err error) bool {
	var denied *deniedError
	var api *jetstream.APIError
	var legacy *nats.APIError
	switch {
	case errors.As(err, &denied), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, errClosed):
		return false
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
		errors.Is(err, errUnconnected) || errors.Is(err, nats.ErrDisconnected)
}

// pause waits before the attempt after the nth, 20 to 250 ms. It returns the error of ctx if ctx
// ends meanwhile.
func pause(ctx context.Context, n int) error {
	t := time.NewTimer(min(20*time.Millisecond<<min(n, 4), 250*time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
