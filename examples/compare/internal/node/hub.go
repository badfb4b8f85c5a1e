package node

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// hub is a node with this repository's library and default options, but without pings. Its viewers
// are sinks in this process.
type hub struct {
	hub    *room.Hub
	number int
	joins  int // of viewers so far
	seats  []*seat
}

const (
	// openTime is how long a hub may take to open the log of a new cluster. Three NATS servers elect
	// a leader before.
	openTime = 60 * time.Second
	// answerTime is how long a viewer waits for the answer to a request. The hub answers a join
	// within 5 s, with an error if its gate is not open by then.
	answerTime = 10 * time.Second
	// presentTime is how long present waits. A viewer whose connection the hub has closed stays
	// present for 5 s.
	presentTime = 15 * time.Second
	presentPoll = time.Millisecond
)

func newHub(c Config) (*hub, error) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil)) // the parent process keeps the end
	o := &room.Options{
		// A host's database is not measured.
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
		PingEvery: -1,
		Logger:    logger,
	}
	if c.Broker != "" {
		o.Engine = natsengine.New(natsengine.Options{
			Servers: []string{"nats://" + c.Broker}, Replicas: c.Replicas, Logger: logger,
		})
		o.Cluster = "compare"
	}
	h := &hub{hub: room.NewHub(o), number: c.Number}
	deadline := time.Now().Add(openTime)
	for {
		err := h.hub.Ready()
		if err == nil {
			return h, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("node: not ready after %v: %w", openTime, err)
		}
		time.Sleep(5 * time.Millisecond) // Ready has no event to wait for
	}
}

func (h *hub) publish(plan string, task []byte) (uint64, error) {
	p, err := h.hub.BroadcastTaskUpdated(context.Background(), plan, json.RawMessage(task))
	return p.Seq, err
}

func (h *hub) applied(seq uint64) bool {
	info, ok := h.hub.Cluster()
	return !ok || info.Applied >= seq
}

// view has the viewers of the last call leave their plans. If only their connections ended, they
// would stay present for 5 s and leave while the next events are measured.
func (h *hub) view(plans []string, viewers []*viewer) error {
	if err := h.empty(); err != nil {
		return err
	}
	for i, plan := range plans {
		h.joins++
		s := newSeat(viewers[i], plan)
		id := auth.Identity{UserID: fmt.Sprintf("viewer-%d-%d", h.number, h.joins)}
		var err error
		if s.session, err = h.hub.Connect(context.Background(), id, s, nil); err != nil {
			return fmt.Errorf("node: connect: %w", err)
		}
		h.seats = append(h.seats, s)
		if err := s.ask(protocol.TypeJoinPlan); err != nil {
			return err
		}
	}
	for _, s := range h.seats {
		if err := s.answered(protocol.TypeJoinPlan, s.joined); err != nil {
			return err
		}
	}
	return nil
}

// empty has all viewers leave, and then ends their connections.
func (h *hub) empty() error {
	for _, s := range h.seats {
		if err := s.ask(protocol.TypeLeavePlan); err != nil {
			return err
		}
	}
	for _, s := range h.seats {
		if err := s.answered(protocol.TypeLeavePlan, s.left); err != nil {
			return err
		}
		s.session.End(protocol.CloseNormal)
	}
	h.seats = nil
	return nil
}

func (h *hub) present(plans []string, viewers int) error {
	deadline := time.Now().Add(presentTime)
	await := func(plan string, count func() int) error {
		for count() != viewers {
			if time.Now().After(deadline) {
				return fmt.Errorf("node: %s has %d viewers, not %d", plan, count(), viewers)
			}
			time.Sleep(presentPoll) // the hub has no event for it
		}
		return nil
	}
	for _, plan := range plans {
		if err := await(plan, func() int { return h.people(plan) }); err != nil {
			return err
		}
	}
	for _, s := range h.seats {
		if err := await(s.plan, s.known); err != nil {
			return err
		}
	}
	return nil
}

// people counts the users in a plan, on all nodes.
func (h *hub) people(plan string) int {
	info, _ := h.hub.Room(plan)
	return len(info.People)
}
