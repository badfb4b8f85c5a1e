package room_test

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// The tests of the hammer files are for the race detector: many goroutines, real time unless a
// bubble is named, and invariants rather than exact outcomes. This file has what they share.

// numbering records the position of each event, which must be the same for all clients.
type numbering struct {
	mu  sync.Mutex // guards the following
	ids map[uint64]string
}

func (n *numbering) same(seq uint64, data string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ids == nil {
		n.ids = map[uint64]string{}
	}
	if n.ids[seq] == "" {
		n.ids[seq] = data
	}
	return n.ids[seq] == data
}

// stream follows the messages of one plan that one client receives.
type stream struct {
	plan    string
	order   *numbering
	in      bool
	chain   protocol.Chain
	events  int
	resyncs int
}

// follow takes messages. It fails the test at a gap, a duplicate, an event that differs from that
// of another client, and one outside of a membership. A hub sends the exact prev.
func (s *stream) follow(t *testing.T, who string, messages []delivered) {
	t.Helper()
	for _, h := range messages {
		m := h.msg
		if m.PlanID != s.plan {
			continue
		}
		at := s.chain.Position().Seq
		place := s.chain.Take(m)
		switch {
		case m.Seq > 0:
			if !s.in || place != protocol.PlaceNext || m.Prev != at {
				t.Errorf("%s: event %d after %d, at %d, in=%v", who, m.Seq, m.Prev, at, s.in)
			}
			if m.Type != protocol.TypeReceipt && !s.order.same(m.Seq, string(m.Data)) {
				t.Errorf("%s: event %d differs from that of another member", who, m.Seq)
			}
			s.events++
		case m.Type == protocol.TypeResync:
			if place != protocol.PlaceStart || !s.in || s.seq() <= at {
				t.Errorf("%s: resync %s at %d, in=%v", who, m.Data, at, s.in)
			}
			s.resyncs++
		case m.Type == protocol.TypeRemoved:
			s.in = false
		case m.Type == protocol.TypeJoinPlan, m.Type == protocol.TypeLeavePlan:
			var a protocol.JoinAnswer
			if err := json.Unmarshal(m.Data, &a); err != nil {
				t.Errorf("%s: %s: %v", who, m.Data, err)
			}
			if a.Success {
				s.in = m.Type == protocol.TypeJoinPlan
			}
		}
	}
}

// seq returns the seq of the last position.
func (s *stream) seq() uint64 { return s.chain.Position().Seq }

func (p *peer) check(t *testing.T) {
	t.Helper()
	for _, f := range p.faultsSeen() {
		t.Error(f)
	}
}

// ender ends background goroutines of a test.
type ender struct {
	wg   sync.WaitGroup
	stop atomic.Bool
}

func (e *ender) loop(f func()) {
	e.wg.Go(func() {
		for !e.stop.Load() {
			f()
		}
	})
}

func (e *ender) end() {
	e.stop.Store(true)
	e.wg.Wait()
}

func mustConnect(t *testing.T, h *room.Hub, p *peer, user string) *peer {
	t.Helper()
	if err := p.connect(h, auth.Identity{UserID: user, Name: user}, "", nil); err != nil {
		t.Fatalf("connect %s: %v", user, err)
	}
	t.Cleanup(func() { p.end(protocol.CloseAbnormal) })
	return p
}
