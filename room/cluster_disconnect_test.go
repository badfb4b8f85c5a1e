package room_test

import (
	"errors"
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
	for name, lose := range map[string]func(m *enginetest.Memory, before *enginetest.Snapshot){
		"tail":     func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.LoseTail(1) },
		"restored": func(m *enginetest.Memory, before *enginetest.Snapshot) { m.Restore(before) },
		"trimmed":  func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.Trim(m.Window().Last + 1) },
		"wiped":    func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.Wipe() },
	} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				alice := roomtest.Connect(t, nodes[1].Hub, auth.Identity{UserID: "alice", SessionID: "laptop"}, nil)
				alice.Join("p", nil)
				synctest.Wait()
				verification := nodes[1].BeginVerification()
				before := m.Snapshot()
				nodes[1].engine.Cut()
				if _, err := nodes[0].Disconnect(t.Context(), "alice", room.OnlySession("laptop")); err != nil {
					t.Fatal(err)
				}
				lose(m, before)
				nodes[1].engine.Heal()
				for _, n := range nodes {
					n.awaitReady(t)
				}
				publish(t, nodes[0].Hub, "p", "secret")
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
