package room

import (
	"context"
	"errors"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

// How a broadcast reaches the log of a cluster.

// publishToAll stores an event in the log of the cluster. Each node, this one too, appends it to
// its room when it reads the record: Hub.applyEvent. Errors: those of cluster.publish.
func (h *Hub) publishToAll(ctx context.Context, b *broadcast, t protocol.Type, encoded protocol.EncodedEvent, to *audience) (protocol.Position, error) {
	epoch := h.timeline.current() // if another one begins, the position is void
	version := b.version
	if to != nil {
		version = to.version
	}
	e := record.Event{
		Type: t, By: b.by, MutationID: b.mutationID, Version: version, At: b.meta.Timestamp,
		Except: to.exclusions(), Encoded: encoded.Bytes(),
	}
	once := ""
	if b.once != "" {
		once = onceID(b.meta.PlanID, b.once, b.place)
	}
	seq, err := h.cluster.publish(ctx, b.meta.PlanID, &e, once, b.several)
	if err != nil {
		return protocol.Position{}, err
	}
	sent := appended{protocol.Position{Epoch: epoch, Seq: seq}, len(e.Encoded)}
	h.broadcasted(ctx, b, t, sent, h.connectionsIn(b.meta.PlanID))
	return sent.position, nil
}

// connectionsIn counts the connections of this hub in the room of a plan.
func (h *Hub) connectionsIn(planID string) int {
	r := h.lookup(planID)
	if r == nil {
		return 0
	}
	defer r.mu.Unlock()
	return r.connections
}

// beginSeveral begins a call that publishes several events, and has Shutdown wait for all of them.
// Otherwise, between two of them, the call would not count. The caller defers endSeveral.
func (h *Hub) beginSeveral(calls ...*broadcast) (counts bool) {
	if h.cluster == nil {
		return false
	}
	for _, b := range calls {
		b.several = true
	}
	return h.cluster.beginPublish()
}

// endSeveral follows beginSeveral, with its result.
func (h *Hub) endSeveral(counts bool) {
	if h.cluster != nil {
		h.cluster.endPublish(counts)
	}
}

// notPublished has the clients of a plan load it, since they miss an event that was not tried: an
// earlier one of the same call has failed with cause.
func (h *Hub) notPublished(planID string, cause error) {
	if h.cluster != nil && !errors.Is(cause, ErrHubClosed) {
		h.cluster.resyncLater(planID, "")
	}
}

// batchSingly publishes several events one after the other, until one fails.
func (h *Hub) batchSingly(ctx context.Context, b *broadcast, events []protocol.Event, encoded []protocol.EncodedEvent) (position protocol.Position, err error) {
	defer h.endSeveral(h.beginSeveral(b))
	for i := range events {
		b.place = i
		position, err = h.publish(ctx, b, events[i].Type, encoded[i], b.audienceOf(events[i]))
		if err != nil {
			return protocol.Position{}, err
		}
	}
	return position, nil
}
