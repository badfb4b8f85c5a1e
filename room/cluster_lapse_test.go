package room_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// Disconnect ends one login of a user, whom Authorize goes on to allow. A node whose connection it
// concerns does not apply its record.

// connectLaptop connects the session that disconnectLaptop ends.
func (n *node) connectLaptop(t *testing.T) *roomtest.Member {
	t.Helper()
	id := auth.Identity{UserID: "alice", SessionID: "laptop"}
	return roomtest.Connect(t, n.Hub, id, nil)
}

// joinLaptop connects that session and joins plan p.
func (n *node) joinLaptop(t *testing.T) *roomtest.Member {
	t.Helper()
	m := n.connectLaptop(t)
	m.Join("p", nil)
	synctest.Wait()
	return m
}

func (n *node) disconnectLaptop(t *testing.T) error {
	_, err := n.Disconnect(t.Context(), "alice", room.OnlySession("laptop"))
	return err
}

// wantLoggedOut publishes an event on a node, and fails the test unless the session is asked to
// connect again before.
func wantLoggedOut(t *testing.T, n *node, alice *roomtest.Member) {
	t.Helper()
	n.awaitReady(t)
	publish(t, n.Hub, "p", "secret")
	synctest.Wait()
	wantGoodbye(t, alice)
}

// wantGoodbye fails the test unless the connection ends, and no event comes before.
func wantGoodbye(t *testing.T, m *roomtest.Member) {
	t.Helper()
	for {
		switch msg := m.NextMessage(); msg.Type {
		case protocol.TypeTaskUpdated:
			t.Fatalf("got the event %s", msg.Data)
		case protocol.TypeGoodbye:
			return
		}
	}
}

// TestDisconnectThatANodeDoesNotRead has the record of a Disconnect in a part of the log that a
// node with an open gate skips, or that is damaged when the node reads it.
func TestDisconnectThatANodeDoesNotRead(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, m *enginetest.Memory, nodes []*node){
		"a hole": func(t *testing.T, m *enginetest.Memory, _ []*node) { m.Hole(m.Window().Last) },
		"damaged": func(t *testing.T, m *enginetest.Memory, nodes []*node) {
			seq := m.Window().Last
			publish(t, nodes[0].Hub, "other", "after it, so that it is not a loss")
			synctest.Wait()
			m.Corrupt(seq, func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
		},
	} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				alice := nodes[1].joinLaptop(t)
				nodes[1].holdTail(t, nodes[0])
				done := make(chan error, 1)
				go func() { done <- nodes[0].disconnectLaptop(t) }() // ends below
				synctest.Wait()
				spoil(t, m, nodes)
				nodes[1].engine.ReleaseTail()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				wantLoggedOut(t, nodes[1], alice)
			})
		})
	}
}

// TestDisconnectBetweenTwoLosses cuts a node off as soon as it has noticed a loss, before its next
// tenure. The second loss has the record of a Disconnect that did not wait for the node.
func TestDisconnectBetweenTwoLosses(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, m *enginetest.Memory, n, other *node){
		"tail":    func(_ *testing.T, m *enginetest.Memory, _, _ *node) { m.LoseTail(1) },
		"trimmed": loseUnread,
	} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				alice := nodes[1].joinLaptop(t)
				publish(t, nodes[0].Hub, "p", "one")
				synctest.Wait()
				unreadNow(t, alice)
				nodes[1].engine.SetDelay(0, 100*time.Millisecond)
				lose(t, m, nodes[1], nodes[0])
				synctest.Wait()
				nodes[1].engine.Cut()
				if info, _ := nodes[1].Cluster(); info.Open {
					t.Fatal("the node has a tenure again")
				}
				time.Sleep(20 * time.Second)
				nodes[0].awaitReady(t)
				if name == "trimmed" { // which has closed the connection before
					alice = nodes[1].connectLaptop(t)
				}
				if err := nodes[0].disconnectLaptop(t); err != nil {
					t.Fatal(err)
				}
				m.LoseTail(1)
				nodes[1].engine.SetDelay(0, 0)
				nodes[1].engine.Heal()
				time.Sleep(3 * time.Second)
				nodes[0].awaitReady(t)
				wantLoggedOut(t, nodes[1], alice)
			})
		})
	}
}

// lateEngine holds the answers of Beat back, as a slow process does.
type lateEngine struct {
	room.Engine
	late    atomic.Bool
	release chan struct{}
}

func (e *lateEngine) Beat(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
	list, window, err := e.Engine.Beat(ctx, note)
	if e.late.Load() {
		<-e.release
	}
	return list, window, err
}

// TestBeatThatIsAnsweredBeforeALoss has a node notice a loss before it handles the answer to a beat
// from before the loss. This begins no tenure, after which the node would close its connections.
func TestBeatThatIsAnsweredBeforeALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		n := newNode(t, m, "late", room.Options{})
		e := &lateEngine{Engine: n.engine, release: make(chan struct{})}
		n.opts.Engine = e
		n.start(t)
		n.awaitReady(t)
		time.Sleep(30 * time.Second) // a node closes its connections shortly after its first tenure
		alice := roomtest.Join(t, n.Hub, "alice", "p")
		publish(t, n.Hub, "p", "lost")
		wantTitle(t, alice, "lost")
		e.late.Store(true)
		time.Sleep(1500 * time.Millisecond)
		m.LoseTail(1)
		synctest.Wait()
		e.late.Store(false)
		close(e.release)
		n.awaitReady(t)
		alice.WantEvent(protocol.TypeResync, nil)
		alice.Silent()
	})
}

// startUnread starts a node that does not read the log before ReleaseTail.
func startUnread(t *testing.T, m *enginetest.Memory) *node {
	t.Helper()
	fresh := newNode(t, m, "fresh", room.Options{})
	fresh.engine.HoldTail()
	fresh.start(t)
	synctest.Wait()
	return fresh
}

// TestDisconnectBeforeTheFirstTenure ends a login whose connection is on a node that has yet to
// read the log. Disconnect does not wait for this node. The record is lost before the node reads
// it.
func TestDisconnectBeforeTheFirstTenure(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		fresh := startUnread(t, m)
		alice := fresh.connectLaptop(t)
		synctest.Wait()
		if err := nodes[0].disconnectLaptop(t); err != nil {
			t.Fatal(err)
		}
		m.LoseTail(1)
		time.Sleep(2 * time.Second)
		fresh.engine.ReleaseTail()
		time.Sleep(3 * time.Second)
		nodes[0].awaitReady(t)
		wantLoggedOut(t, fresh, alice)
	})
}

// TestDisconnectBeforeTheEngineIsOpen is the same for a node that cannot open the engine yet. The
// record is lost, and the epoch begins, before the node reads the log.
func TestDisconnectBeforeTheEngineIsOpen(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		fresh := newNode(t, m, "fresh", room.Options{})
		fresh.engine.Cut()
		fresh.start(t)
		synctest.Wait()
		alice := fresh.connectLaptop(t)
		if err := nodes[0].disconnectLaptop(t); err != nil {
			t.Fatal(err)
		}
		m.LoseTail(1)
		time.Sleep(3 * time.Second)
		nodes[0].awaitReady(t)
		fresh.engine.Heal()
		wantLoggedOut(t, fresh, alice)
	})
}

// TestClientOfANodeThatStarts connects while the node reads a log in which an epoch began long ago.
// It stays connected.
func TestClientOfANodeThatStarts(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, _ []*node) {
		fresh := startUnread(t, m)
		alice := roomtest.Connect(t, fresh.Hub, auth.Identity{UserID: "alice"}, nil)
		synctest.Wait()
		fresh.engine.ReleaseTail()
		alice.Join("p", nil)
		synctest.Wait()
		alice.Silent()
	})
}

// TestClientOfTheFirstNode connects to the first node of a cluster before the node has begun the
// epoch. It stays connected.
func TestClientOfTheFirstNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newNode(t, enginetest.NewMemory(nil), "first", room.Options{})
		first.engine.SetDelay(time.Millisecond, time.Millisecond)
		first.start(t)
		alice := roomtest.Connect(t, first.Hub, auth.Identity{UserID: "alice"}, nil)
		alice.Join("p", nil)
		first.awaitReady(t)
		publish(t, first.Hub, "p", "one")
		wantTitle(t, alice, "one")
	})
}
