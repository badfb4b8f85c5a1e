package room_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A leave-plan that arrived before the end of the connection takes effect although it was not
// handled yet: the user does not linger. After a later join the user lingers.
func TestLeaveBeforeTheEnd(t *testing.T) {
	const leave, join = `{"type":"leave-plan","planId":"p"}`, `{"type":"join-plan","planId":"p"}`
	tests := []struct {
		name     string
		messages []string
		want     int // participants after the end
	}{
		{"a leave", []string{leave}, 1},
		{"a leave behind a join", []string{join, leave}, 1},
		{"a join behind a leave", []string{leave, join}, 2},
		{"a leave of another plan", []string{`{"type":"leave-plan","planId":"q"}`}, 2},
	}
	for _, tt := range tests {
		for _, during := range []string{`{"type":"authenticate","data":{"token":"second"}}`, join} {
			t.Run(tt.name+" during "+during, func(t *testing.T) {
				var slow atomic.Bool
				opts := &room.Options{Authorize: func(ctx context.Context, _ auth.Identity, _ string) error {
					if slow.Load() {
						pause(ctx, time.Second)
					}
					return nil
				}}
				bubble(t, opts, func(t *testing.T, h *room.Hub) {
					roomtest.Join(t, h, "bob", "p")
					alice := roomtest.Connect(t, h, auth.Identity{UserID: "alice", Name: "first"}, &roomtest.Options{Verifier: renewals()})
					alice.Join("p", nil)
					slow.Store(true)
					alice.Send(during)
					for _, message := range tt.messages {
						alice.Send(message)
					}
					closeByPeer(alice, protocol.CloseNormal)
					if info, _ := h.Room("p"); info.Participants != tt.want {
						t.Errorf("%d participants, want %d", info.Participants, tt.want)
					}
				})
			})
		}
	}
}
