package room

import (
	"context"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Notify sends an event to all open connections of one user, whatever plans they are in: at most
// once, without a position, and in no order with the events of plans: it may arrive before an event
// of an earlier call of Broadcast. It returns for how many connections it queued the event. It
// drops the event for a connection whose queue is at a bound (Options.QueuePerConnection,
// Options.QueuePerUser), and counts that in Stats.NotifiesDropped. With an engine it also sends the
// event to the other nodes, at most once and until ctx ends, if it has at most 63 KiB; the result
// counts this hub alone. Errors: [ErrHubClosed], and those of [protocol.EncodeNotice].
func (h *Hub) Notify(ctx context.Context, userID string, event protocol.Event) (queued int, err error) {
	payload, err := protocol.EncodeNotice(event, time.Now(), h.opts.MaxPayload)
	if err != nil {
		return 0, fmt.Errorf("notify user: %w", err)
	}
	if h.cluster != nil {
		if len(payload) > maxNotify {
			return 0, fmt.Errorf("notify user: %w", protocol.ErrEventTooLarge)
		}
	}
	queued, err = h.notifyHere(ctx, userID, event.Type, payload)
	if err == nil && h.cluster != nil {
		h.cluster.notify(ctx, userID, event.Type, payload)
	}
	return queued, err
}

// notifyHere is Notify for the connections of this hub. Error: [ErrHubClosed].
func (h *Hub) notifyHere(ctx context.Context, userID string, t protocol.Type, payload []byte) (queued int, err error) {
	sessions, err := h.sessionsOf(userID)
	if err != nil {
		return 0, err
	}
	dropped := 0
	if len(sessions) > 0 {
		e, full := &userEvent{payload: payload}, sessions[0].out.queue.account.full()
		for _, s := range sessions {
			switch did, drop := s.out.notify(e, full); {
			case did:
				queued++
			case drop:
				dropped++
			}
		}
	}
	h.stats.notifiesQueued.Add(uint64(queued))
	h.stats.notifiesDropped.Add(uint64(dropped))
	if f := h.opts.Observer.Notified; f != nil {
		h.observe(nil, func() {
			f(ctx, NotifyInfo{UserID: userID, Type: t, Bytes: len(payload), Queued: queued, Dropped: dropped})
		})
	}
	return queued, nil
}
