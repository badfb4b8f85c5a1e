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
// each invalid ID, [ErrHubClosed], which ends the call, and with an engine those of Broadcast. If
// the engine does not answer for one plan, the others after it are not tried: their clients load
// them as soon as it answers.
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
	defer h.endSeveral(h.beginSeveral(&b))
	to := b.audienceOf(event)
	var failed []error
	for i, planID := range planIDs {
		err := h.broadcastEncoded(ctx, planID, event, &b, to)
		if err == nil {
			continue
		}
		failed = append(failed, fmt.Errorf("broadcast to plan %q: %w", planID, err))
		if errors.Is(err, ErrHubClosed) {
			break
		}
		if h.cluster != nil && unanswered(err) { // each further plan would take PublishTimeout
			return errors.Join(append(failed, h.notTried(planIDs[i+1:], err)...)...)
		}
	}
	return errors.Join(failed...)
}

// notTried returns an error for each of the plans, which miss an event because of cause, and has
// their clients load them.
func (h *Hub) notTried(planIDs []string, cause error) (failed []error) {
	for _, planID := range planIDs {
		err := ErrPlanID
		if protocol.ValidPlanID(planID) {
			h.notPublished(planID, cause)
			err = fmt.Errorf("not tried after an earlier plan: %w", cause)
		}
		failed = append(failed, fmt.Errorf("broadcast to plan %q: %w", planID, err))
	}
	return failed
}

// unanswered reports whether an error of a broadcast says that the engine has not answered in time.
func unanswered(err error) bool {
	return errors.Is(err, ErrUncertain) || errors.Is(err, ErrNotReady) || errors.Is(err, context.DeadlineExceeded)
}

// broadcastEncoded broadcasts an event whose data is encoded. The options have been applied to b.
// Errors: [ErrPlanID], and those of Broadcast.
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
