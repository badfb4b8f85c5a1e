package room

import (
	"context"

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

// BroadcastProgressUpdated sends progress-updated to the plan: its new progress. See
// [Hub.Broadcast].
func (h *Hub) BroadcastProgressUpdated(ctx context.Context, planID string, progress any, opts ...BroadcastOption) (protocol.Position, error) {
	return h.Broadcast(ctx, planID, protocol.ProgressUpdated(progress), opts...)
}
