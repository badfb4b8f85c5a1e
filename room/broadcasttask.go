package room

import (
	"context"
	"fmt"

	"github.com/planrooms/planrooms/protocol"
)

// BroadcastTaskUpdated sends task-updated to the plan: a task has changed. See [Hub.Broadcast].
func (h *Hub) BroadcastTaskUpdated(ctx context.Context, planID string, task any, opts ...BroadcastOption) (protocol.Position, error) {
	return h.Broadcast(ctx, planID, protocol.TaskUpdated(task), opts...)
}

// BroadcastTaskCreated sends task-created to the plan: there is a new task. See [Hub.Broadcast].
func (h *Hub) BroadcastTaskCreated(ctx context.Context, planID string, task any, opts ...BroadcastOption) (protocol.Position, error) {
	return h.Broadcast(ctx, planID, protocol.TaskCreated(task), opts...)
}

// BroadcastTaskDeleted sends task-deleted to the plan: a task was deleted. The ID is a string, or
// an integer from -(2^53-1) to 2^53-1; otherwise the error is [protocol.ErrTaskID]. See
// [Hub.Broadcast].
func (h *Hub) BroadcastTaskDeleted(ctx context.Context, planID string, taskID any, opts ...BroadcastOption) (protocol.Position, error) {
	return h.Broadcast(ctx, planID, protocol.TaskDeleted(taskID), opts...)
}

// BroadcastTaskReordered sends task-reordered to the plan: the new order of all its tasks. taskIDs
// is a slice of IDs as [Hub.BroadcastTaskDeleted] takes them, such as []string or []int64. See
// [Hub.Broadcast].
func (h *Hub) BroadcastTaskReordered(ctx context.Context, planID string, taskIDs any, opts ...BroadcastOption) (protocol.Position, error) {
	return h.Broadcast(ctx, planID, protocol.TaskReordered(taskIDs), opts...)
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
// [Hub.Broadcast], and [ErrPlanID] if both plans are the same. Without an engine, only
// [ErrHubClosed] is possible between the two events, when Shutdown begins: then the clients of the
// plan that had the task show it until they connect to another hub and load the plan again.
//
// With an engine, each event may fail as in Broadcast. After an error of the first event, the second
// is not tried. The clients of a plan whose event has failed or was not tried load it as soon as the
// engine answers.
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
	defer h.endSeveral(h.beginSeveral(&from, &to))
	if _, err := h.publish(ctx, &to, created.Type, first, to.to); err != nil {
		h.notPublished(m.From, err)
		return err
	}
	if _, err := h.publish(ctx, &from, deleted.Type, second, from.to); err != nil {
		return fmt.Errorf("created in plan %q, but not deleted from plan %q: %w", m.To, m.From, err)
	}
	return nil
}

// BroadcastProgressUpdated sends progress-updated to the plan: its new progress. See
// [Hub.Broadcast].
func (h *Hub) BroadcastProgressUpdated(ctx context.Context, planID string, progress any, opts ...BroadcastOption) (protocol.Position, error) {
	return h.Broadcast(ctx, planID, protocol.ProgressUpdated(progress), opts...)
}
