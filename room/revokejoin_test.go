package room_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// Calls of Revoke during a join that are for other users, or for other plans of the user, do
// not affect the join: it calls Authorize once, however many they are.
func TestRevokesOfOthersDuringAJoin(t *testing.T) {
	const flood = 20_000
	for name, revoke := range map[string]func(h *room.Hub, n int) error{
		"other users": func(h *room.Hub, n int) error {
			return errorOf(h.Revoke(context.Background(), "p", fmt.Sprint("user", n)))
		},
		"other plans": func(h *room.Hub, n int) error {
			return errorOf(h.Revoke(context.Background(), fmt.Sprint("plan", n), "alice"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var h *room.Hub
			var g authorizer
			g.set(func(context.Context, auth.Identity, string) error {
				for n := range flood {
					if err := revoke(h, n); err != nil {
						return err
					}
				}
				return nil
			})
			bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, hub *room.Hub) {
				h = hub
				alice := connect(t, h, "alice", "")
				alice.Send(`{"type":"join-plan","planId":"p"}`)
				if got := alice.NextMessage(); got.Type != protocol.TypeJoinPlan {
					t.Errorf("got %s, want the answer to the join", words(got))
				}
				if got := g.count(); got != 1 {
					t.Errorf("Authorize was called %d times, want once", got)
				}
			})
		})
	}
}

// A Revoke of the user and plan of a join that waits for its slot causes no second call of
// Authorize, because the first call follows the Revoke.
func TestRevokeDuringAJoin(t *testing.T) {
	var g gated
	var calls authorizer
	calls.set(g.authorize)
	bubble(t, &room.Options{AuthorizeParallel: 1, Authorize: calls.authorize}, func(t *testing.T, h *room.Hub) {
		alice := connect(t, h, "alice", "")
		g.hold(t, h)
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait() // it waits for the slot of holder
		if _, err := h.Revoke(t.Context(), "p", "alice"); err != nil {
			t.Fatal(err)
		}
		close(g.gate)
		synctest.Wait()
		if got := calls.count(); got != 2 { // with that of holder
			t.Errorf("Authorize was called %d times, want twice: it was not called before the Revoke", got)
		}
		if got := allMembers(h); got != 2 {
			t.Errorf("%d members, want 2", got)
		}
	})
}

// An Authorize that revokes on every call and then allows is called 8 times for one join.
func TestAuthorizeRevokesEachTime(t *testing.T) {
	var h *room.Hub
	var calls int
	g := &authorizer{}
	g.set(func(ctx context.Context, id auth.Identity, planID string) error {
		calls++
		return errorOf(h.Revoke(ctx, planID, id.UserID))
	})
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, hub *room.Hub) {
		h = hub
		alice := connect(t, h, "alice", "")
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		wantError(t, alice, "p", protocol.TypeJoinPlan, protocol.ErrorUnavailable)
		if calls != 8 {
			t.Errorf("Authorize was called %d times, want 8", calls)
		}
	})
}

// An Authorize that revokes the user of the join and then allows is called again. The second time
// it refuses.
func TestAuthorizeRevokesItsOwnJoin(t *testing.T) {
	var h *room.Hub
	var calls int
	g := &authorizer{}
	g.set(func(ctx context.Context, id auth.Identity, planID string) error {
		if calls++; calls > 1 {
			return room.ErrForbidden
		}
		return errorOf(h.Revoke(ctx, planID, id.UserID))
	})
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, hub *room.Hub) {
		h = hub
		alice := connect(t, h, "alice", "")
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		wantError(t, alice, "p", protocol.TypeJoinPlan, protocol.ErrorForbidden)
		if calls != 2 {
			t.Errorf("Authorize was called %d times, want twice", calls)
		}
	})
}
