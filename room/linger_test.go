package room_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A connection that ends may be a reload: the hub sends the leave after 5 s, unless the user left
// or was removed.
func TestLinger(t *testing.T) {
	const none = -1
	tests := []struct {
		name  string
		end   func(t *testing.T, h *room.Hub, alice *roomtest.Member)
		leave time.Duration // after the end
	}{
		{"cut", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) { m.Cut() }, 5 * time.Second},
		{"closed by the peer", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) {
			closeByPeer(m, protocol.CloseGoingAway)
		}, 5 * time.Second},
		{"closed after a fault", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) {
			m.Session().Close(protocol.CloseInternal)
		}, 5 * time.Second},
		{"replaced and then cut", func(t *testing.T, h *room.Hub, _ *roomtest.Member) {
			connect(t, h, "alice", "tab").Cut()
		}, 5 * time.Second},
		{"back in time", func(t *testing.T, _ *room.Hub, m *roomtest.Member) {
			m.Cut()
			time.Sleep(5*time.Second - 1)
			m.Resume()
		}, none},
		{"left", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) {
			m.Send(`{"type":"leave-plan","planId":"p"}`)
		}, 0},
		{"revoked", func(t *testing.T, h *room.Hub, _ *roomtest.Member) {
			if _, err := h.Revoke(t.Context(), "p", "alice"); err != nil {
				t.Fatalf("Revoke: %v", err)
			}
		}, 0},
		{"revoked while lingering", func(t *testing.T, h *room.Hub, m *roomtest.Member) {
			m.Cut()
			if _, err := h.Revoke(t.Context(), "p", "alice"); err != nil {
				t.Fatalf("Revoke: %v", err)
			}
		}, 0},
		{"disconnected", func(t *testing.T, h *room.Hub, _ *roomtest.Member) {
			if _, err := h.Disconnect(t.Context(), "alice"); err != nil {
				t.Fatalf("Disconnect: %v", err)
			}
		}, 0},
		{"expired", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) {
			m.Session().Close(protocol.CloseUnauthorized)
		}, 0},
		{"timed out", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) {
			m.Session().Close(protocol.CloseTimeout)
		}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				bob := roomtest.Join(t, h, "bob", "p")
				alice := connect(t, h, "alice", "tab")
				alice.Join("p", nil)
				unread(t, bob)
				test.end(t, h, alice)
				synctest.Wait()
				if test.leave > 0 {
					// Each wantReceived takes one of them.
					time.Sleep(test.leave - 3*room.GatherNotices - 1)
					wantReceived(t, bob)
					info, _ := h.Room("p")
					if info.Participants != 2 || info.Connections != 1 || info.People[1].Connections != 0 {
						t.Errorf("room %+v, want alice in it without a connection", info)
					}
					if n := h.UserConnections("alice"); n != 0 {
						t.Errorf("UserConnections = %d, want 0 for a lingering user", n)
					}
					carol := connect(t, h, "carol", "")
					carol.Join("p", nil)
					if carol.Joined.ParticipantCount != 3 || carol.Joined.Participants[1].Connections != 0 {
						t.Errorf("join answer %+v, want 3 people, alice without a connection", carol.Joined)
					}
					wantReceived(t, bob, joined("p", "carol", 3))
					carol.Send(`{"type":"leave-plan","planId":"p"}`)
					wantReceived(t, bob, left("p", "carol", 2))
					time.Sleep(time.Nanosecond)
				}
				if test.leave == none {
					time.Sleep(time.Minute)
					wantReceived(t, bob)
				} else {
					wantReceived(t, bob, left("p", "alice", 1))
				}
			})
		})
	}
}

// Only the last connection of a user lingers.
func TestLingerOfOneOfTwoTabs(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		tab1, tab2 := roomtest.Join(t, h, "alice", "p"), roomtest.Join(t, h, "alice", "p")
		unread(t, bob)
		tab1.Cut()
		time.Sleep(time.Minute)
		wantReceived(t, bob)
		tab2.Cut()
		time.Sleep(5 * time.Second)
		wantReceived(t, bob, left("p", "alice", 1))
	})
}

// A newer connection with the same user and client ID replaces the older one, and does not count in
// addition.
func TestReplacedConnection(t *testing.T) {
	eachSink(t, &room.Options{ConnectionsPerUser: 2}, func(t *testing.T, h *room.Hub, of sinks) {
		bob := of.join(t, h, "bob", "p")
		of.connect(t, h, "alice", roomtest.Options{ClientID: "tab2"})
		older := of.connect(t, h, "alice", roomtest.Options{ClientID: "tab1"})
		older.Join("p", nil)
		// Another user's client id.
		other := of.connect(t, h, "bob", roomtest.Options{ClientID: "tab1"})
		unread(t, bob)

		newer := of.connect(t, h, "alice", roomtest.Options{ClientID: "tab1"})
		wantClosed(t, older, protocol.CloseReplaced)
		if n := h.UserConnections("alice"); n != 2 {
			t.Errorf("UserConnections = %d, want 2", n)
		}
		if _, err := h.Connect(t.Context(), auth.Identity{UserID: "alice"}, roomtest.NewSink(nil), nil); err != room.ErrTooManyConnections {
			t.Errorf("a third connection: %v, want ErrTooManyConnections", err)
		}
		newer.Join("p", nil)
		wantReceived(t, other)
		time.Sleep(time.Minute)
		wantReceived(t, bob)
		wantReceived(t, other)
		update(t, h, "p", 1)
		wantEvent(t, newer, 1)
	})
}
