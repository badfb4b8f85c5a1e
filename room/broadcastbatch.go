package room

import (
	"context"
	"fmt"

	"github.com/planrooms/planrooms/protocol"
)

// BroadcastBatch is [Hub.Broadcast] for several events of one plan: all of them or, after an error,
// none. No other event comes between them. Each event is a message with its position, and each
// gets the options: an excluded client receives one receipt for each. MaxPayload bounds the
// data of each event, not their sum.
//
// A member that reads receives all of them, also if they are more than Options.HistoryEvents, as
// long as they fit into Options.HistoryBytes. Of more than that, a member may receive resync
// instead; for a change of that size [Hub.Resync] is cheaper.
//
// With an engine, or with [Once], the events are stored one after the other: others may come
// between them, and after an error the first ones may be stored; the clients of the plan then load
// it.
//
// BroadcastBatch returns the position of the last event. Without events it returns the current
// position and sends nothing. Errors: those of [Hub.Broadcast]; the text of one for an event says
// which event it was.
func (h *Hub) BroadcastBatch(ctx context.Context, planID string, events []protocol.Event, opts ...BroadcastOption) (protocol.Position, error) {
	var b broadcast
	if err := b.prepare(planID, opts); err != nil {
		return protocol.Position{}, err
	}
	if len(events) == 0 {
		return h.Position(ctx, planID)
	}
	encoded := make([]protocol.EncodedEvent, len(events))
	for i, event := range events {
		var err error
		if encoded[i], err = b.encode(event, h.opts.MaxPayload); err != nil {
			return protocol.Position{}, fmt.Errorf("event %d of %d: %w", i+1, len(events), err)
		}
	}
	if h.cluster != nil || b.once != "" {
		return h.batchSingly(ctx, &b, events, encoded)
	}
	r, err := h.acquire(planID)
	if err != nil {
		return protocol.Position{}, err
	}
	sent := make([]appended, len(encoded))
	for i := range encoded {
		sent[i] = r.appendEventLocked(encoded[i], b.audienceOf(events[i]))
	}
	r.appendedLocked()
	recipients := r.connections
	r.release()
	for i := range events {
		h.broadcasted(ctx, &b, events[i].Type, sent[i], recipients)
	}
	return sent[len(sent)-1].position, nil
}
