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
	if h.isClosed() {
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

// isClosed reports whether Shutdown has begun.
func (h *Hub) isClosed() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.closed
}

// TaskMove describes the move of a task from one plan to another.
type TaskMove struct {
	From, To string // IDs of the plans
	TaskID   any    // of the task in From; see [Hub.BroadcastTaskDeleted]
	Task     any    // the task as it is in To
}

// BroadcastTaskMoved sends task-created to the plan that has the task now and then task-deleted to
// the plan that had it, so a user who watches both always sees the task in one of them. The options
// apply to both events.
//
// Everything that can be wrong with the arguments is an error before the first event: those of
// [Hub.Broadcast], and [ErrPlanID] if both plans are the same. Between the two events only
// [ErrHubClosed] is possible, when Shutdown begins: then the clients of the plan that had the task
// show it until they connect to another hub and load the plan again.
func (h *Hub) BroadcastTaskMoved(ctx context.Context, m TaskMove, opts ...BroadcastOption) error {
	if m.From == m.To {
		return fmt.Errorf("move of a task within plan %q: %w", m.To, ErrPlanID)
	}
	var from, to broadcast
	if err := from.prepare(m.From, opts); err != nil {
		return err
	}
	if err := to.prepare(m.To, opts); err != nil {
		return err
	}
	created, deleted := protocol.TaskCreated(m.Task), protocol.TaskDeleted(m.TaskID)
	first, err := to.encode(created, h.opts.MaxPayload)
	if err != nil {
		return err
	}
	second, err := from.encode(deleted, h.opts.MaxPayload)
	if err != nil {
		return err
	}
	if _, err := h.publish(ctx, &to, created.Type, first, to.to); err != nil {
		return err
	}
	if _, err := h.publish(ctx, &from, deleted.Type, second, from.to); err != nil {
		return fmt.Errorf("created in plan %q, but not deleted from plan %q: %w", m.To, m.From, err)
	}
	return nil
}
