package room

import (
	"context"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// broadcast is one call of a broadcasting method: what its options contain.
type broadcast struct {
	by, mutationID string
	once           string // of option Once
	place          int    // of the event in a batch
	version        protocol.EventVersion
	to             *audience // nil: all members
	meta           protocol.EventMeta
	several        bool // of the events of one call; see Hub.beginSeveral
}

// Broadcast gives the event its position in the plan and returns the position. It does not wait for
// readers. The data is encoded once, with encoding/json; a [json.RawMessage] or []byte is sent as
// it is. Call it after the change was committed. A cancelled ctx does not lose the event.
//
// All clients receive the events of a plan in the order of the calls, which may differ from the
// order of the commits; the section Publishing of the package has two remedies. The events of a
// plan that no client has joined are kept for two minutes, for clients that have just loaded the
// plan; with an engine, for Options.HistoryAge or two minutes, whichever is longer.
//
// With an engine, Broadcast returns when the engine has stored the event, and the position is that
// in the log. This hub may not have applied the event yet: do not give the position to a client as
// since, but that of [Hub.Position]. Broadcast waits for the engine for up to
// Options.PublishTimeout. It returns [ErrNotReady] if the engine was not open within that time, and
// otherwise the error of [Engine.Append]: after [ErrUncertain] the event may be stored or not.
// After each of these errors, all clients of the plan load it as soon as the engine answers. [Once]
// makes a repeated call within [DedupWindow] harmless.
//
// Errors: [ErrPlanID], [ErrHubClosed], [ErrUserID] for a user ID in an option, [ErrOnce], and those
// of [protocol.EncodeEvent] for data that is not JSON, lacks the key of its type, or is too large,
// and for an invalid task ID or version. After an error no connection has received the event, except
// after ErrUncertain.
func (h *Hub) Broadcast(ctx context.Context, planID string, event protocol.Event, opts ...BroadcastOption) (protocol.Position, error) {
	var b broadcast
	if err := b.prepare(planID, opts); err != nil {
		return protocol.Position{}, err
	}
	encoded, err := b.encode(event, h.opts.MaxPayload)
	if err != nil {
		return protocol.Position{}, err
	}
	return h.publish(ctx, &b, event.Type, encoded, b.audienceOf(event))
}

// publish appends an encoded event to the history of the plan of b. Errors: [ErrHubClosed], and
// those of the engine.
func (h *Hub) publish(ctx context.Context, b *broadcast, t protocol.Type, encoded protocol.EncodedEvent, to *audience) (protocol.Position, error) {
	if h.cluster != nil {
		return h.publishToAll(ctx, b, t, encoded, to)
	}
	if b.once != "" {
		return h.onces.do(onceID(b.meta.PlanID, b.once, b.place), func() (protocol.Position, error) { return h.publishHere(ctx, b, t, encoded, to) })
	}
	return h.publishHere(ctx, b, t, encoded, to)
}

// publishHere is publish without an engine.
func (h *Hub) publishHere(ctx context.Context, b *broadcast, t protocol.Type, encoded protocol.EncodedEvent, to *audience) (protocol.Position, error) {
	r, err := h.acquire(b.meta.PlanID)
	if err != nil {
		return protocol.Position{}, err
	}
	sent := r.appendEventLocked(encoded, to)
	r.appendedLocked()
	recipients := r.connections
	r.release()
	h.broadcasted(ctx, b, t, sent, recipients)
	return sent.position, nil
}

// prepare checks the plan ID and applies the options. Errors: [ErrPlanID], and those of add.
func (b *broadcast) prepare(planID string, opts []BroadcastOption) error {
	if !protocol.ValidPlanID(planID) {
		return ErrPlanID
	}
	if err := b.apply(opts); err != nil {
		return fmt.Errorf("broadcast to plan %q: %w", planID, err)
	}
	b.meta.PlanID = planID
	return nil
}

// apply applies the options. Errors: those of add.
func (b *broadcast) apply(opts []BroadcastOption) error {
	if err := b.add(opts); err != nil {
		return err
	}
	b.meta = protocol.EventMeta{By: b.by, MutationID: b.mutationID, Version: b.version, Timestamp: time.Now()}
	if b.to != nil {
		b.to.by, b.to.mutationID, b.to.version, b.to.at = b.by, b.mutationID, b.version, b.meta.Timestamp
	}
	return nil
}

// add applies options. Errors: [ErrUserID], [ErrOnce], [protocol.ErrEventVersion].
func (b *broadcast) add(opts []BroadcastOption) error {
	for i := range opts {
		o := &opts[i]
		if o.by != "" {
			if !protocol.ValidUserID(o.by) {
				return ErrUserID
			}
			b.by = o.by
		}
		if o.once != "" {
			if len(o.once) > maxOnceID {
				return ErrOnce
			}
			b.once = o.once
		}
		if o.mutationID != "" {
			b.mutationID = o.mutationID
		}
		if o.version != (protocol.EventVersion{}) {
			if !o.version.Valid() {
				return protocol.ErrEventVersion
			}
			b.version = o.version
		}
		if o.except.userID != "" {
			if !protocol.ValidUserID(o.except.userID) {
				return ErrUserID
			}
			if b.to == nil {
				b.to = &audience{}
			}
			b.to.add(o.except)
		}
		if err := b.add(o.more); err != nil {
			return err
		}
	}
	return nil
}

func (b *broadcast) encode(event protocol.Event, maxPayload int) (protocol.EncodedEvent, error) {
	encoded, err := protocol.EncodeEvent(event, b.meta, maxPayload)
	if err != nil {
		err = fmt.Errorf("broadcast to plan %q: %w", b.meta.PlanID, err)
	}
	return encoded, err
}

// audienceOf returns the audience of an event. An event with another version than b needs separate
// receipts.
func (b *broadcast) audienceOf(event protocol.Event) *audience {
	if b.to == nil || event.Version == (protocol.EventVersion{}) {
		return b.to
	}
	to := *b.to
	to.version = event.Version
	return &to
}

// broadcasted counts an event, and calls Observer.Broadcast.
func (h *Hub) broadcasted(ctx context.Context, b *broadcast, t protocol.Type, sent appended, recipients int) {
	h.stats.broadcasts.Add(1)
	if h.opts.Observer.Broadcast != nil {
		h.observeBroadcast(ctx, BroadcastInfo{
			PlanID: b.meta.PlanID, Type: t, Position: sent.position,
			By: b.by, MutationID: b.mutationID, Timestamp: b.meta.Timestamp, Bytes: sent.bytes, Recipients: recipients,
		})
	}
}
