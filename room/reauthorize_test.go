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

func TestReauthorize(t *testing.T) {
	forbid := func(context.Context, auth.Identity, string) error { return room.ErrForbidden }
	fail := func(context.Context, auth.Identity, string) error { return errOutage }
	type phase struct {
		f     func(context.Context, auth.Identity, string) error
		lasts time.Duration
	}
	const removed, unknown = `removed p {"reason":"access ended","retry":false}`, `removed p {"reason":"access could not be checked","retry":true}`
	tests := []struct {
		name   string
		phases []phase
		want   []string
	}{
		{"still allowed", []phase{{anyone, time.Hour}}, nil},
		{"forbidden before the check", []phase{{forbid, 4*time.Minute + 29*time.Second}}, nil},
		{"forbidden", []phase{{forbid, 5 * time.Minute}}, []string{removed}},
		{"a short outage", []phase{{fail, 9 * time.Minute}, {anyone, time.Hour}}, nil},
		{"two short outages", []phase{{fail, 9 * time.Minute}, {anyone, 6 * time.Minute}, {fail, 4 * time.Minute}, {anyone, time.Hour}}, nil},
		{"a long outage", []phase{{fail, 10*time.Minute + 30*time.Second}}, []string{unknown}},
		{"forbidden after an outage", []phase{{fail, 7 * time.Minute}, {forbid, 30 * time.Second}}, []string{removed}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := &authorizer{}
			bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
				bob := roomtest.Join(t, h, "bob", "q")
				alice := roomtest.Join(t, h, "alice", "p")
				for _, p := range test.phases {
					g.set(func(ctx context.Context, id auth.Identity, planID string) error {
						if id.UserID == "bob" {
							return nil
						}
						return p.f(ctx, id, planID)
					})
					time.Sleep(p.lasts)
				}
				wantReceived(t, alice, test.want...)
				wantReceived(t, bob)
				update(t, h, "p", 1)
				if len(test.want) == 0 {
					wantEvent(t, alice, 1)
				}
				wantReceived(t, alice)
			})
		})
	}
}

func TestReauthorizePanic(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		bob := roomtest.Join(t, h, "bob", "p")
		g.set(func(_ context.Context, id auth.Identity, _ string) error {
			if id.UserID == "alice" {
				panic("x")
			}
			return nil
		})
		time.Sleep(5 * time.Minute)
		wantClosed(t, alice, protocol.CloseInternal)
		update(t, h, "p", 1)
		wantEvent(t, bob, 1)
	})
}

// Authorize is not called for a member that has left.
func TestReauthorizeEndsWithTheMembership(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		alice.Join("p", nil)
		alice.Send(`{"type":"leave-plan","planId":"p"}`)
		roomtest.Join(t, h, "bob", "p").Cut()
		synctest.Wait()
		before := g.count()
		time.Sleep(time.Hour)
		if got := g.count(); got != before {
			t.Errorf("Authorize was called %d times for a member that had left", got-before)
		}
	})
}
