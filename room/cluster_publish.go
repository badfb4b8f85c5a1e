package room

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
)

// append stores a record, and waits for that for up to PublishTimeout. The end of ctx does not stop
// it: what the record describes has happened already. Errors: [ErrNotReady] if the engine was not
// open in time, [ErrHubClosed], and those of Engine.Append.
func (c *cluster) append(ctx context.Context, id string, data []byte) (seq uint64, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.publishFor)
	defer cancel()
	if err := c.awaitOpen(ctx); err != nil {
		return 0, err
	}
	return c.engine.Append(ctx, id, data)
}

// awaitOpenFor is awaitOpen for so long.
func (c *cluster) awaitOpenFor(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c.awaitOpen(ctx)
}

// awaitOpen waits until the engine was opened once. It is not closed when Open is called again.
func (c *cluster) awaitOpen(ctx context.Context) error {
	if c.closed.Load() {
		return ErrHubClosed
	}
	select {
	case <-c.opened:
		return nil
	default:
	}
	select {
	case <-c.opened:
		return nil
	case <-c.ctx.Done():
		return ErrHubClosed
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.refused != nil {
			return fmt.Errorf("%w: %w", ErrNotReady, c.refused)
		}
		return fmt.Errorf("%w: %w", ErrNotReady, errNotOpen)
	}
}

var errNotOpen = errors.New("the engine is not open yet")

// ownAppend is how long an Append may take that no caller waits for, however short
// Options.PublishTimeout is.
func (c *cluster) ownAppend() time.Duration { return max(c.publishFor, nodeTTL) }

// record returns the bytes of a record.
func (c *cluster) record(k record.Kind, plan string, body []byte) []byte {
	h := record.Header{Cluster: c.hash, Version: record.Version, Class: k.Class(), Kind: k, Plan: plan}
	return record.Append(make([]byte, 0, len(body)+len(plan)+32), h, body)
}

// publish stores an event. once is an ID of the host, or "". If the event is not stored, or if that
// is uncertain, the clients of the plan load it as soon as the engine answers; see
// cluster_uncertain.go. The ID in the event is always another one, since a resync record may name
// it: a later call with the same ID of the host is another event. several is whether the caller has
// called beginPublish itself.
func (c *cluster) publish(ctx context.Context, plan string, e *record.Event, once string, several bool) (seq uint64, err error) {
	if !several {
		defer c.endPublish(c.beginPublish())
	}
	e.ID = c.id()
	if once == "" {
		once = e.ID
	}
	seq, err = c.append(ctx, once, c.record(record.KindEvent, plan, e.Append(nil)))
	switch {
	case errors.Is(err, ErrUncertain):
		c.resyncLater(plan, e.ID)
	case err != nil && !errors.Is(err, ErrHubClosed):
		c.resyncLater(plan, "") // it is certain that the clients miss it
	}
	return seq, err
}

// resync stores a record that makes the clients of a plan load it.
func (c *cluster) resync(ctx context.Context, planID string) error {
	id := c.id()
	r := record.Resync{ID: id}
	_, err := c.append(ctx, id, c.record(record.KindResync, planID, r.Append(nil)))
	return err
}
