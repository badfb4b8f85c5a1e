package room

import (
	"context"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// BroadcastOption sets the author of a change, its version, and the clients that the event
// excludes. It is a plain value, so that creating and applying one does not allocate.
type BroadcastOption struct {
	by, mutationID string
	version        protocol.EventVersion
	except         exclusion
	more           []BroadcastOption
}

type broadcast struct {
	by, mutationID string
	version        protocol.EventVersion
	to             *audience // nil: all members
	meta           protocol.EventMeta
}

// By names the user who made the change. All clients receive the ID.
func By(userID string) BroadcastOption { return BroadcastOption{by: userID} }

// ExceptUser sends all connections of the user a receipt instead of the event.
func ExceptUser(userID string) BroadcastOption {
	return BroadcastOption{except: exclusion{userID: userID}}
}

// ExceptClient sends the connections of the user with that client ID a receipt instead of the
// event. Client IDs are not secret, so it never affects another user. A client ID that is empty or
// not valid excludes no connection.
func ExceptClient(userID, clientID string) BroadcastOption {
	if !protocol.ValidClientID(clientID) {
		return BroadcastOption{}
	}
	return BroadcastOption{except: exclusion{userID: userID, clientID: clientID}}
}

// Mutation adds the client's own ID for the change, 1 to 64 of [A-Za-z0-9_-]. An invalid ID is
// ignored.
func Mutation(id string) BroadcastOption {
	if !protocol.ValidMutationID(id) {
		return BroadcastOption{}
	}
	return BroadcastOption{mutationID: id}
}

// Version adds the version of what the event describes, so that clients keep the latest state if
// the events of two changes arrive in the other order. key names what has the version, such as the
// ID of a task, and has the syntax of a plan ID. n is from 0 to 2^53-1, and the host increases it
// with each change: the version column of a row, or the number of its last change. Clients drop an
// event whose n is below the last n that they received for the key; an equal n passes. A client
// that loads the plan, or whose user changes, starts again without versions.
//
// The hub sends the version to all clients and drops no event: with several hubs, it does not know
// the last version. In a [Hub.BroadcastBatch] the version applies to the events that have none
// themselves (protocol.Event.Version). An invalid version makes the call return
// [protocol.ErrEventVersion].
func Version(key string, n int64) BroadcastOption {
	if key == "" {
		n = -1 // invalid; the zero value would mean that the event has none
	}
	return BroadcastOption{version: protocol.EventVersion{Key: key, N: n}}
}

// Combine makes several options one.
func Combine(opts ...BroadcastOption) BroadcastOption { return BroadcastOption{more: opts} }

// add applies options. Errors: [ErrUserID], [protocol.ErrEventVersion].
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

// Broadcast gives the event its position in the plan and returns the position. It does not wait for
// readers. The data is encoded once, with encoding/json; a [json.RawMessage] or []byte is sent as
// it is. Call it after the change was committed. A cancelled ctx does not lose the event.
//
// All clients receive the events of a plan in the order of the calls, which may differ from the
// order of the commits. Where that matters, give each event a [Version], or hold a lock of the
// application while you read the current state and call Broadcast; a row lock ends too early, with
// the commit. The events of a plan that no client has joined are kept for two minutes, for clients
// that have just loaded the plan.
//
// Errors: [ErrPlanID], [ErrHubClosed], [ErrUserID] for a user ID in an option, and those of
// [protocol.EncodeEvent] for data that is not JSON, lacks the key of its type, or is too large, and
// for an invalid task ID or version. After an error no connection has received anything.
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

// publish appends an encoded event to the history of the plan of b. Error: [ErrHubClosed].
func (h *Hub) publish(ctx context.Context, b *broadcast, t protocol.Type, encoded protocol.EncodedEvent, to *audience) (protocol.Position, error) {
	r, err := h.acquire(b.meta.PlanID)
	if err != nil {
		return protocol.Position{}, err
	}
	sent := r.appendEventLocked(encoded, to)
	r.appendedLocked()
	position, recipients := r.positionLocked(), r.connections
	r.release()
	h.broadcasted(ctx, b, t, sent, recipients)
	return position, nil
}

// BroadcastBatch is [Hub.Broadcast] for several events of one plan: all of them or, after an error,
// none. No other event comes between them. Each event is a message with its position, and each
// gets the options: an excluded client receives one receipt for each. MaxPayload bounds the
// data of each event, not their sum.
//
// A member that reads receives all of them, also if they are more than Options.HistoryEvents, as
// long as they fit into Options.HistoryBytes. Of more than that, a member may receive resync
// instead; for a change of that size [Hub.Resync] is cheaper.
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
	r, err := h.acquire(planID)
	if err != nil {
		return protocol.Position{}, err
	}
	sent := make([]appended, len(encoded))
	for i := range encoded {
		sent[i] = r.appendEventLocked(encoded[i], b.audienceOf(events[i]))
	}
	r.appendedLocked()
	position, recipients := r.positionLocked(), r.connections
	r.release()
	for i := range events {
		h.broadcasted(ctx, &b, events[i].Type, sent[i], recipients)
	}
	return position, nil
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
			PlanID: b.meta.PlanID, Type: t, Position: protocol.Position{Epoch: h.epoch, Seq: sent.seq},
			By: b.by, MutationID: b.mutationID, Timestamp: b.meta.Timestamp, Bytes: sent.bytes, Recipients: recipients,
		})
	}
}

// Resync makes all clients of the plan, and those that resume later, load it again. Use it after a
// change that no event describes. So that they do not all load at once, each client waits for a
// random time before it loads: up to 10 ms per connection in the plan, and at most 10 s. Errors:
// [ErrPlanID], [ErrHubClosed].
func (h *Hub) Resync(_ context.Context, planID string) error {
	if !protocol.ValidPlanID(planID) {
		return ErrPlanID
	}
	r, err := h.acquire(planID)
	if err != nil {
		return err
	}
	defer r.release()
	// An event that all members miss: it takes a position, and is dropped before a member can read
	// it.
	r.log.appendEvent(entry{seq: h.seq.Add(1)})
	r.log.trim(r.log.events.len)
	r.countLocked()
	r.lastActivity = time.Now()
	r.wakeLocked()
	return nil
}

// Notify sends an event to all open connections of one user, whatever plans they are in: at most
// once, without a position, and in no order with the events of plans: it may arrive before an event
// of an earlier call of Broadcast. It returns for how many connections it queued the event. It
// drops the event for a connection whose queue is at a bound (Options.QueuePerConnection,
// Options.QueuePerUser), and counts that in Stats.NotifiesDropped. Errors: [ErrHubClosed], and
// those of [protocol.EncodeNotice].
func (h *Hub) Notify(ctx context.Context, userID string, event protocol.Event) (queued int, err error) {
	payload, err := protocol.EncodeNotice(event, time.Now(), h.opts.MaxPayload)
	if err != nil {
		return 0, fmt.Errorf("notify user: %w", err)
	}
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
			f(ctx, NotifyInfo{UserID: userID, Type: event.Type, Bytes: len(payload), Queued: queued, Dropped: dropped})
		})
	}
	return queued, nil
}
