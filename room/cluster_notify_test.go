package room_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

func TestNotifyReachesAllNodes(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		here := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		there := roomtest.Join(t, nodes[1].Hub, "alice", "q")
		if _, err := nodes[0].Notify(t.Context(), "alice", protocol.Event{Type: "mail", Data: "hello"}); err != nil {
			t.Fatal(err)
		}
		here.WantEvent("mail", nil)
		there.WantEvent("mail", nil)
	})
}

// TestNotifyBehindASlowObserver has an Observer hold up the events of Notify from another node: those
// beyond the bound are dropped, the others come in order, and they share one goroutine.
func TestNotifyBehindASlowObserver(t *testing.T) {
	const waiting = 256
	var held chan struct{}
	var running, most atomic.Int32
	o := room.Options{Observer: room.Observer{Notified: func(_ context.Context, n room.NotifyInfo) {
		if n.Queued == 0 {
			return // on the node of the call
		}
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		<-held
	}}}
	nodes(t, 2, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		held = make(chan struct{}) // in the bubble
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		for i := range 2 * waiting {
			if _, err := nodes[0].Notify(t.Context(), "alice", protocol.Event{Type: "mail", Data: i}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		close(held)
		synctest.Wait()
		if most.Load() != 1 {
			t.Errorf("%d calls of Observer.Notified at a time, want 1", most.Load())
		}
		for want := range waiting + 1 {
			var got int
			if alice.WantEvent("mail", &got); got != want {
				t.Fatalf("event %d, want %d", got, want)
			}
		}
		alice.Silent()
	})
}

// TestGoexitInNotified has Observer.Notified end its goroutine: later events still come.
func TestGoexitInNotified(t *testing.T) {
	o := room.Options{Observer: room.Observer{Notified: func(_ context.Context, n room.NotifyInfo) {
		if n.Queued > 0 {
			runtime.Goexit()
		}
	}}}
	nodes(t, 2, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		for i := range 3 {
			if _, err := nodes[0].Notify(t.Context(), "alice", protocol.Event{Type: "mail", Data: i}); err != nil {
				t.Fatal(err)
			}
			alice.WantEvent("mail", nil)
		}
	})
}
