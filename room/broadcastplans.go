package room

import (
	"context"
	"errors"
	"fmt"

	"github.com/planrooms/planrooms/protocol"
)

// BroadcastToPlans is [Hub.Broadcast] of one event to several plans, for example after a label that
// all of them show was renamed. The data is encoded once. The plans receive the event one after the
// other. A plan that is in the list twice receives it twice.
//
// An error of an option or of the event is returned before any plan has received it. Otherwise the
// result joins the errors of the plans that have not received it ([errors.Join]): [ErrPlanID] for
// each invalid ID, and [ErrHubClosed], which ends the call.
func (h *Hub) BroadcastToPlans(ctx context.Context, planIDs []string, event protocol.Event, opts ...BroadcastOption) error {
	var b broadcast
	if err := b.apply(opts); err != nil {
		return fmt.Errorf("broadcast to plans: %w", err)
	}
	event, err := protocol.EncodeData(event, h.opts.MaxPayload)
	if err != nil {
		return fmt.Errorf("broadcast to plans: %w", err)
	}
	if h.isOver() {
		return ErrHubClosed
	}
	to := b.audienceOf(event)
	var failed []error
	for _, planID := range planIDs {
		if err := h.broadcastEncoded(ctx, planID, event, &b, to); err != nil {
			failed = append(failed, fmt.Errorf("broadcast to plan %q: %w", planID, err))
			if errors.Is(err, ErrHubClosed) {
				break
			}
		}
	}
	return errors.Join(failed...)
}

// broadcastEncoded broadcasts an event whose data is encoded. The options have been applied to b.
// Errors: [ErrPlanID], [ErrHubClosed].
func (h *Hub) broadcastEncoded(ctx context.Context, planID string, event protocol.Event, b *broadcast, to *audience) error {
	if !protocol.ValidPlanID(planID) {
		return ErrPlanID
	}
	b.meta.PlanID = planID
	encoded, err := protocol.EncodeEvent(event, b.meta, h.opts.MaxPayload)
	if err != nil {
		return err
	}
	_, err = h.publish(ctx, b, event.Type, encoded, to)
	return err
}
