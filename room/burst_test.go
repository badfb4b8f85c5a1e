package room_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// gate is a sink whose first write of an event takes as long as the test wants, as a pass over thousands of members does.
type gate struct {
	room.Sink
	armed   chan struct{} // closed: hold the next write
	entered chan struct{}
	release chan struct{}
}

func (g *gate) TryWrite(b []byte) (int, error) {
	select {
	case <-g.armed:
		select {
		case <-g.entered:
		default:
			close(g.entered)
			<-g.release
		}
	default:
	}
	return len(b), nil
}

func (g *gate) Write(b []byte, _ time.Time) (int, error) { return g.TryWrite(b) }
func (g *gate) Finish()                                  {}
func (g *gate) Close() error                             { return nil }

// A host that changes hundreds of tasks in one go outruns the pump of a large room. Nobody was slow, so nobody may be told
// to reload: what the pump has not come to yet is kept beyond HistoryEvents, within HistoryBytes.
func TestABurstDoesNotOutrunTheRoom(t *testing.T) {
	bubble(t, &room.Options{HistoryEvents: 8}, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		g := &gate{Sink: alice.Sink(), armed: make(chan struct{}), entered: make(chan struct{}), release: make(chan struct{})}
		s, err := h.Connect(context.Background(), auth.Identity{UserID: "bob"}, g, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.End(protocol.CloseAbnormal)
		s.Receive([]byte(`{"type":"join-plan","planId":"p"}`))
		synctest.Wait()
		close(g.armed)
		update(t, h, "p", 0)
		<-g.entered
		for n := 1; n < 1000; n++ {
			update(t, h, "p", n)
		}
		close(g.release)
		for n := range 1000 {
			wantEvent(t, alice, n)
		}
		synctest.Wait()
		if got := h.Stats().Resyncs; got != 0 {
			t.Errorf("%d resyncs", got)
		}
		// Those who come back are held to HistoryEvents all the same, while the burst is under way and after it.
		if info, _ := h.Room("p"); info.Events > 8 {
			t.Errorf("%d events are held after the burst", info.Events)
		}
	})
}
