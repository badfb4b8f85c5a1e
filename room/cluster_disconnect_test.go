package room_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestDisconnectInALostPart logs a user out while the node of the connection is cut off, and loses
// the record before that node can read it. Authorize allows the user, whose other logins go on.
func TestDisconnectInALostPart(t *testing.T) {
	loseTail := func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.LoseTail(1) }
	for name, test := range map[string]struct {
		lose func(m *enginetest.Memory, before *enginetest.Snapshot)
		late time.Duration // how long the other node, which can notice the loss, is cut off; -1: for good
		gone time.Duration // how long this node is cut off before: the call does not wait if it has ended
	}{
		"tail":              {lose: loseTail},
		"tail, late notice": {lose: loseTail, late: 5 * time.Second},
		"tail, no notice":   {lose: loseTail, late: -1},
		"tail, at once":     {lose: loseTail, late: 5 * time.Second, gone: 15 * time.Second}, // no note shows the loss
		"restored":          {lose: func(m *enginetest.Memory, before *enginetest.Snapshot) { m.Restore(before) }},
		"trimmed":           {lose: func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.Trim(m.Window().Last + 1) }},
		"wiped":             {lose: func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.Wipe() }},
	} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				alice := nodes[1].joinLaptop(t)
				for i := range 1000 { // to close them takes a moment
					roomtest.Connect(t, nodes[1].Hub, auth.Identity{UserID: fmt.Sprint(i)}, nil)
				}
				synctest.Wait()
				verification := nodes[1].BeginVerification()
				before := m.Snapshot()
				nodes[1].engine.Cut()
				time.Sleep(test.gone)
				if err := nodes[0].disconnectLaptop(t); err != nil {
					t.Fatal(err)
				}
				if test.late != 0 {
					nodes[0].engine.Cut()
				}
				test.lose(m, before)
				nodes[1].engine.Heal()
				time.Sleep(max(test.late, 0))
				if test.late >= 0 {
					nodes[0].engine.Heal()
					time.Sleep(2 * time.Second) // until it has noticed the loss
					nodes[0].awaitReady(t)
				}
				nodes[1].awaitReady(t)
				publish(t, nodes[1].Hub, "p", "secret")
				synctest.Wait()
				var goodbye protocol.Goodbye
				alice.WantEvent(protocol.TypeGoodbye, &goodbye) // and nothing before
				if goodbye.Code != protocol.CloseShutdown || !goodbye.Reconnect {
					t.Errorf("goodbye has %d, reconnect %v; want 4503, after which the client connects again", goodbye.Code, goodbye.Reconnect)
				}
				o := &room.ConnectOptions{Verification: verification}
				if err := new(roomtest.Sink).Connect(nodes[1].Hub, auth.Identity{UserID: "alice", SessionID: "laptop"}, o); !errors.Is(err, room.ErrVerification) {
					t.Errorf("a verification that began before: %v, want ErrVerification", err)
				}
			})
		})
	}
}

// TestLossOfANodeWithATenure loses records while all nodes have a tenure: they have applied each
// Disconnect that has returned, so no connection ends.
func TestLossOfANodeWithATenure(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		time.Sleep(time.Minute)
		m.LoseTail(1)
		alice.WantEvent(protocol.TypeResync, nil)
		publish(t, nodes[0].Hub, "p", "one")
		wantTitle(t, alice, "one")
	})
}
