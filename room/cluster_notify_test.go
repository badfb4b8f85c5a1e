package room_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/internal/record"
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

// TestNotifyBehindASlowObserver has an Observer hold up the events of Notify from another node:
// those beyond the bound are dropped, the others come in order, and they share one goroutine.
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

// TestMessageBeyondMaxMessage has the engine bring a message that is too large for a node to have
// sent: it is ignored.
func TestMessageBeyondMaxMessage(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, _ []*node) {
		n := newNode(t, m, "posted", room.Options{})
		post := &posted{Engine: n.engine}
		n.opts.Engine = post
		n.start(t)
		n.awaitReady(t)
		alice := roomtest.Join(t, n.Hub, "alice", "p")
		message := func(chars int) []byte {
			payload := fmt.Appendf(nil, `{"type":"mail","data":%q}`, strings.Repeat("x", chars))
			n := record.Notify{UserID: "alice", Type: "mail", Payload: payload}
			return record.AppendMessage(nil, record.ClusterHash("test"), record.MessageNotify, n.Append(nil))
		}
		send := func(bytes int) {
			const most = room.MaxMessage
			msg := message(most + bytes - len(message(most)))
			if len(msg) != bytes {
				t.Fatalf("the message has %d bytes, want %d", len(msg), bytes)
			}
			post.receive("other", msg)
			synctest.Wait()
		}
		send(room.MaxMessage)
		alice.WantEvent("mail", nil)
		send(room.MaxMessage + 1)
		if unread := len(unread(t, alice)); unread != 0 { // Silent would print it
			t.Error("a message beyond MaxMessage arrived")
		}
	})
}

// posted is an engine whose messages a test can make up.
type posted struct {
	room.Engine
	receive func(from string, msg []byte)
}

func (p *posted) Open(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
	p.receive = receive
	return p.Engine.Open(ctx, o, receive)
}

// TestNotifyDuringShutdown calls Notify on a hub that is shutting down: no user of another node
// receives what the call says was not sent.
func TestNotifyDuringShutdown(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		slow := roomtest.Join(t, nodes[0].Hub, "slow", "p", &roomtest.Options{SocketBuffer: 10})
		slow.Stall()
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "q")
		ended := make(chan error, 1)
		go func() { ended <- nodes[0].Shutdown(t.Context()) }()
		synctest.Wait()
		if _, err := nodes[0].Notify(t.Context(), "alice", protocol.Event{Type: "mail"}); !errors.Is(err, room.ErrHubClosed) {
			t.Errorf("Notify = %v, want ErrHubClosed", err)
		}
		synctest.Wait()
		alice.Silent()
		<-ended
	})
}

// TestNotifyBehindASlowEngine calls Notify while the engine takes long: the own connections receive
// the event at once, and the call ends with its context.
func TestNotifyBehindASlowEngine(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "q")
		nodes[0].engine.SetDelay(10*time.Second, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if queued, err := nodes[0].Notify(ctx, "alice", protocol.Event{Type: "mail"}); err != nil || queued != 1 {
			t.Errorf("Notify = %d, %v", queued, err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("Notify took %v", took)
		}
		alice.WantEvent("mail", nil)
		nodes[0].engine.SetDelay(0, 0)
	})
}
