package room_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// clusterEvent is a change that the host has committed and then published, or after which it has
// called Resync.
type clusterEvent struct {
	id      int // from 1 on, in the order of the commits
	plan    string
	node    *clusterNode // that was called
	began   time.Time
	except  string // user that gets a receipt
	reload  bool   // a call of Resync
	status  eventStatus
	at      clusterSeq // if it is known
	excused bool       // its node has ended before it could make the clients load the plan
}

// eventStatus is what the host knows of an event.
type eventStatus int

const (
	eventPending   eventStatus = iota // the call has not returned
	eventStored                       // it returned nil
	eventUncertain                    // ErrUncertain: the clients load the plan
	eventUnknown                      // of a batch that failed: the clients may or may not get it
	eventRefused                      // another error: no client gets it
)

// commit adds an event that is about to be published.
func (s *clusterSim) commit(n *clusterNode, plan string) *clusterEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &clusterEvent{id: len(s.events) + 1, plan: plan, node: n, began: time.Now()}
	s.events = append(s.events, e)
	return e
}

func (e *clusterEvent) event() protocol.Event {
	return protocol.Event{Type: protocol.TypeTaskUpdated, Data: map[string]any{"task": map[string]any{"id": e.id}}}
}

// published notes the result of a call.
func (s *clusterSim) published(all []*clusterEvent, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range all {
		switch {
		case err == nil:
			e.status = eventStored
		case errors.Is(err, room.ErrUncertain):
			e.status = eventUncertain
		case len(all) > 1:
			e.status = eventUnknown
		default:
			e.status = eventRefused
		}
		// The node has ended and cannot store a resync, or the host has to repeat Resync.
		e.excused = err != nil && (e.reload || e.node.ended.Load())
	}
}

func (s *clusterSim) broadcasts() {
	n, plan := pick(s.rnd, s.nodes), pick(s.rnd, s.plans)
	for range pick(s.rnd, []int{1, 1, 1, 2, 3, 12}) {
		s.broadcast(n, plan)
	}
}

// broadcast publishes one event or a batch.
func (s *clusterSim) broadcast(n *clusterNode, plan string) {
	if s.rnd.IntN(5) == 0 {
		var all []*clusterEvent
		var events []protocol.Event
		for range 2 + s.rnd.IntN(3) {
			e := s.commit(n, plan)
			all, events = append(all, e), append(events, e.event())
		}
		s.call(n, fmt.Sprintf("batch %d to %d to %s", all[0].id, all[len(all)-1].id, plan), func(ctx context.Context) {
			_, err := n.BroadcastBatch(ctx, plan, events)
			s.published(all, err)
		})
		return
	}
	e := s.commit(n, plan)
	opts := []room.BroadcastOption{room.Mutation(fmt.Sprintf("m%d", e.id))}
	if s.rnd.IntN(4) == 0 {
		e.except = pick(s.rnd, s.users)
		opts = append(opts, room.ExceptUser(e.except))
	}
	s.call(n, fmt.Sprintf("broadcast %d to %s", e.id, plan), func(ctx context.Context) {
		before, _ := n.Position(ctx, plan)
		at, err := n.Broadcast(ctx, plan, e.event(), opts...)
		after, _ := n.Position(ctx, plan)
		if err == nil && before.Epoch == at.Epoch && at.Epoch == after.Epoch {
			s.mu.Lock()
			e.at = clusterSeq{at.Epoch, at.Seq}
			s.mu.Unlock()
		}
		s.published([]*clusterEvent{e}, err)
	})
}

func (s *clusterSim) resync() {
	n, plan := pick(s.rnd, s.nodes), pick(s.rnd, s.plans)
	e := s.commit(n, plan)
	e.reload = true
	s.call(n, fmt.Sprintf("resync %d of %s", e.id, plan), func(ctx context.Context) {
		s.published([]*clusterEvent{e}, n.Resync(ctx, plan))
	})
}

func (s *clusterSim) notify() {
	n, user := pick(s.rnd, s.nodes), pick(s.rnd, s.users)
	s.call(n, "notify "+user, func(ctx context.Context) {
		_, _ = n.Notify(ctx, user, protocol.Event{Type: "note", Data: 1}) // it may be lost
	})
}
