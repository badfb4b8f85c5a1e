package room_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// ErrUnauthenticated ends the connection with 4401, at a join and at a check of a member. An error
// of package auth does not: it may be about a token of the host itself.
func TestUnauthenticated(t *testing.T) {
	ended := fmt.Errorf("session 7: %w", room.ErrUnauthenticated)
	own := fmt.Errorf("permission service: %w", auth.ErrInvalidToken)
	g := &authorizer{}
	eachSink(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub, of sinks) {
		g.set(anyone)
		alice, bob := of.join(t, h, "alice", "p"), of.join(t, h, "bob", "p")
		alice.Join("q", nil)
		carol := of.connect(t, h, "carol", roomtest.Options{})
		unread(t, bob)

		g.answer(own)
		carol.Send(`{"type":"join-plan","planId":"p"}`)
		wantError(t, carol, "p", protocol.TypeJoinPlan, protocol.ErrorUnavailable)
		got, err := h.Recheck(t.Context(), "p")
		wantRechecked(t, got, err, room.Rechecked{Undecided: 2})

		g.set(func(_ context.Context, id auth.Identity, _ string) error {
			if id.UserID == "bob" {
				return nil
			}
			return ended
		})
		carol.Send(`{"type":"join-plan","planId":"p"}`)
		wantClosed(t, carol, protocol.CloseUnauthorized)
		got, err = h.Recheck(t.Context(), "p")
		update(t, h, "p", 1)
		wantRechecked(t, got, err, room.Rechecked{Kept: 1, Removed: 1})
		wantClosed(t, alice, protocol.CloseUnauthorized)
		wantReceived(t, bob, left("p", "alice", 1), `task-updated p {"task":{"id":1}}`)
		if got := h.Stats(); got.RemovedForbidden != 1 || got.Denied != 2 || h.UserConnections("alice") != 0 {
			t.Errorf("%d removed, %d joins denied, %d connections of alice", got.RemovedForbidden, got.Denied, h.UserConnections("alice"))
		}
	})
}

// The checks of all plans of a connection return it at the same time.
func TestUnauthenticatedInManyPlans(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		alice := connect(t, h, "alice", "")
		for n := range 50 {
			alice.Join(fmt.Sprint("p", n), nil)
		}
		g.answer(room.ErrUnauthenticated)
		got, err := h.RecheckUser(t.Context(), "alice")
		if err != nil || got.Removed < 1 || got.Kept != 0 {
			t.Errorf("RecheckUser = %+v, %v", got, err)
		}
		wantClosed(t, alice, protocol.CloseUnauthorized)
		if got := allMembers(h); got != 0 {
			t.Errorf("%d members, want none", got)
		}
	})
}
