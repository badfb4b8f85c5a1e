package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// hub is a node with this repository's library and default options. Its viewers are sinks in this
// process.
type hub struct {
	hub    *room.Hub
	number int
	joins  int // of viewers so far
	seats  []*seat
}

// openTime is how long a hub may take to open the log of a new cluster. Three NATS servers elect a
// leader before.
const openTime = 60 * time.Second

func newHub(c Config) (*hub, error) {
	o := &room.Options{
		// A host's database is not measured.
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
		PingEvery: -1,
	}
	if c.Broker != "" {
		o.Engine = natsengine.New(natsengine.Options{Servers: []string{"nats://" + c.Broker}, Replicas: c.Replicas})
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

func (h *hub) view(plans []string, viewers []*viewer) error {
	for _, s := range h.seats {
		s.session.End(protocol.CloseNormal)
	}
	h.seats = nil
	for i, plan := range plans {
		h.joins++
		s := &seat{viewer: viewers[i], joined: make(chan struct{})}
		id := auth.Identity{UserID: fmt.Sprintf("viewer-%d-%d", h.number, h.joins)}
		var err error
		if s.session, err = h.hub.Connect(context.Background(), id, s, nil); err != nil {
			return fmt.Errorf("node: connect: %w", err)
		}
		h.seats = append(h.seats, s)
		join, err := protocol.EncodeRequest(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan})
		if err != nil {
			return fmt.Errorf("node: join: %w", err)
		}
		s.session.Receive(join)
	}
	for _, s := range h.seats {
		select {
		case <-s.joined:
		case <-time.After(openTime):
			return errors.New("node: a viewer got no answer to its join")
		}
	}
	return nil
}

// seat is the connection of a viewer. It takes all bytes at once, and what is in them has arrived.
type seat struct {
	viewer  *viewer
	session *room.Session
	joined  chan struct{} // closed when the viewer has joined
	once    sync.Once     // closes joined
}

var (
	_ room.Sink    = (*seat)(nil)
	_ room.Framing = lines{}
)

// The type of a message is its first field.
var (
	joinType   = []byte(`{"type":` + strconv.Quote(string(protocol.TypeJoinPlan)))
	resyncType = []byte(`{"type":` + strconv.Quote(string(protocol.TypeResync)))
)

func (s *seat) TryWrite(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		switch {
		case s.viewer.receive(line):
		case bytes.HasPrefix(line, joinType): // the answer, or a notice, which only members get
			s.once.Do(func() { close(s.joined) })
		case bytes.HasPrefix(line, resyncType):
			s.viewer.interrupt()
		}
	}
	return len(b), nil
}

func (s *seat) Write(b []byte, _ time.Time) (int, error) { return s.TryWrite(b) }

func (s *seat) Framing() room.Framing { return lines{} }
func (s *seat) Finish()               { s.viewer.interrupt() }

func (s *seat) Close() error {
	s.viewer.interrupt()
	return os.ErrClosed
}

// lines makes each frame a line. A frame that is not a message is an empty one.
type lines struct{}

func (lines) AppendMessage(dst, payload []byte) []byte { return append(append(dst, payload...), '\n') }
func (lines) AppendPing(dst []byte) []byte             { return append(dst, '\n') }
func (lines) AppendClose(dst []byte, _ protocol.CloseCode, _ string) []byte {
	return append(dst, '\n')
}
