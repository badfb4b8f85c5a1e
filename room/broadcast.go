package room

import (
	"context"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// BroadcastOption says by whom a change was made and who need not hear of it. It is a plain value, so that making and applying one
// costs no allocation.
type BroadcastOption struct {
	by, mutationID string
	except         exclusion
	more           []BroadcastOption
}

type broadcast struct {
	by, mutationID string
	to             *audience // nil: everybody
}

// By names the user who made the change; everybody sees the id.
func By(userID string) BroadcastOption { return BroadcastOption{by: userID} }

// ExceptUser gives all connections of the user a receipt in place of the event.
func ExceptUser(userID string) BroadcastOption {
	return BroadcastOption{except: exclusion{userID: userID}}
}

// ExceptClient gives the connections of that user with that client id a receipt in place of the event. It never affects
// another user: a client ID is not a secret. A client ID that is empty or not valid excepts no
// connection.
func ExceptClient(userID, clientID string) BroadcastOption {
	if !protocol.ValidClientID(clientID) {
		return BroadcastOption{}
	}
	return BroadcastOption{except: exclusion{userID: userID, clientID: clientID}}
}

// Mutation carries an id of the client's own for the change, 1 to 64 of [A-Za-z0-9_-]; another one is ignored.
func Mutation(id string) BroadcastOption {
	if !protocol.ValidMutationID(id) {
		return BroadcastOption{}
	}
	return BroadcastOption{mutationID: id}
}

// Combine makes several options one.
func Combine(opts ...BroadcastOption) BroadcastOption { return BroadcastOption{more: opts} }

// add applies options. Error: [ErrUserID].
func (b *broadcast) add(opts []BroadcastOption) error {
	for i := range opts {
		o := &opts[i]
		if o.by != "" {
			if !protocol.ValidUserID(o.by) {
				return ErrUserID
			}
			b.by = o.by
		}
		if o.mutationID != "" {
			b.mutationID = o.mutationID
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

// BroadcastTaskUpdated tells everybody in the plan that a task has changed. See [Hub.Broadcast].
func (h *Hub) BroadcastTaskUpdated(ctx context.Context, planID string, task any, opts ...BroadcastOption) error {
	return h.Broadcast(ctx, planID, protocol.TaskUpdated(task), opts...)
}

// BroadcastTaskCreated tells everybody in the plan of a new task. See [Hub.Broadcast].
func (h *Hub) BroadcastTaskCreated(ctx context.Context, planID string, task any, opts ...BroadcastOption) error {
	return h.Broadcast(ctx, planID, protocol.TaskCreated(task), opts...)
}

// BroadcastTaskDeleted tells everybody in the plan that a task is gone. See [Hub.Broadcast].
func (h *Hub) BroadcastTaskDeleted(ctx context.Context, planID, taskID string, opts ...BroadcastOption) error {
	return h.Broadcast(ctx, planID, protocol.TaskDeleted(taskID), opts...)
}

// BroadcastTaskReordered tells everybody in the plan the new order of all its tasks. See [Hub.Broadcast].
func (h *Hub) BroadcastTaskReordered(ctx context.Context, planID string, taskIDs []string, opts ...BroadcastOption) error {
	return h.Broadcast(ctx, planID, protocol.TaskReordered(taskIDs), opts...)
}

// BroadcastProgressUpdated tells everybody in the plan its progress. See [Hub.Broadcast].
func (h *Hub) BroadcastProgressUpdated(ctx context.Context, planID string, progress any, opts ...BroadcastOption) error {
	return h.Broadcast(ctx, planID, protocol.ProgressUpdated(progress), opts...)
}

// Broadcast gives the event its position in the plan and returns; it waits for no reader. The data is encoded
// once, with encoding/json; a [json.RawMessage] passes through. Call it after the change was committed: a cancelled ctx
// does not lose the event.
//
// Everybody hears the events of a plan in the order of the calls, which need not be that of the commits: a host to which that
// matters holds its row lock across the call, or carries a version in the data. A broadcast to a plan that nobody
// watches is kept for two minutes for those who have just loaded the plan.
//
// Errors: [ErrPlanID], [ErrHubClosed], [ErrUserID] for a user ID in an option, and those of
// [protocol.EncodeEvent] for data that is not JSON, lacks the key of its type, or is too large. After
// an error no connection has received anything.
func (h *Hub) Broadcast(_ context.Context, planID string, event protocol.Event, opts ...BroadcastOption) error {
	if !protocol.ValidPlanID(planID) {
		return ErrPlanID
	}
	var b broadcast
	if err := b.add(opts); err != nil {
		return fmt.Errorf("broadcast to plan %q: %w", planID, err)
	}
	now := time.Now()
	meta := protocol.EventMeta{PlanID: planID, By: b.by, MutationID: b.mutationID, Timestamp: now}
	encoded, err := protocol.EncodeEvent(event, meta, h.opts.MaxPayload)
	if err != nil {
		return fmt.Errorf("broadcast to plan %q: %w", planID, err)
	}
	r, err := h.acquire(planID)
	if err != nil {
		return err
	}
	if b.to != nil {
		b.to.by, b.to.mutationID, b.to.at = b.by, b.mutationID, now
	}
	r.appendEventLocked(encoded, b.to)
	recipients := r.connections
	r.release()
	h.stats.broadcasts.Add(1)
	if f := h.opts.Observer.Broadcast; f != nil {
		h.observe(nil, func() { f(planID, event.Type, recipients) })
	}
	return nil
}

// Resync tells everybody in the plan, and everybody who comes back to it, to load it again: for a host that changed it in
// a way that no event tells. Errors: [ErrPlanID], [ErrHubClosed].
func (h *Hub) Resync(_ context.Context, planID string) error {
	if !protocol.ValidPlanID(planID) {
		return ErrPlanID
	}
	r, err := h.acquire(planID)
	if err != nil {
		return err
	}
	defer r.release()
	// An event that everybody misses: it takes a position, and is gone before anybody can have read it.
	r.log.appendEvent(entry{seq: h.seq.Add(1)})
	r.log.trim(r.log.events.len)
	r.countLocked()
	r.lastActivity = time.Now()
	r.wakeLocked()
	return nil
}

// Notify sends an event to all live connections of one user, whatever plans they are in: at most
// once, without a position. It returns for how many connections it queued the event. It drops the
// event for a connection whose queue is at a bound (Options.QueuePerConnection), and counts that in
// Stats.NotifiesDropped. Errors: [ErrHubClosed], and those of [protocol.EncodeEvent].
func (h *Hub) Notify(_ context.Context, userID string, event protocol.Event) (queued int, err error) {
	payload, err := protocol.EncodeNotice(event, time.Now(), h.opts.MaxPayload)
	if err != nil {
		return 0, fmt.Errorf("notify user: %w", err)
	}
	sessions, err := h.sessionsOf(userID)
	if len(sessions) == 0 {
		return 0, err
	}
	e, full := &userEvent{payload: payload}, sessions[0].out.queue.account.full()
	for _, s := range sessions {
		if s.out.notify(e, full) {
			queued++
		}
	}
	return queued, nil
}
