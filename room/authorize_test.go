package room_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

var errOutage = errors.New("the database is down")

// authorizer is an Options.Authorize whose answer the test sets.
type authorizer struct {
	mu    sync.Mutex // guards the following
	f     func(ctx context.Context, id auth.Identity, planID string) error
	calls int
}

func (g *authorizer) authorize(ctx context.Context, id auth.Identity, planID string) error {
	g.mu.Lock()
	g.calls++
	f := g.f
	g.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(ctx, id, planID)
}

func (g *authorizer) set(f func(ctx context.Context, id auth.Identity, planID string) error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.f = f
}

func (g *authorizer) answer(err error) {
	g.set(func(context.Context, auth.Identity, string) error { return err })
}

func (g *authorizer) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

func TestAuthorizeAtJoin(t *testing.T) {
	tests := []struct {
		name  string
		f     func(context.Context, auth.Identity, string) error
		code  protocol.ErrorCode // "" is yes
		after time.Duration
		close protocol.CloseCode
	}{
		{name: "yes", f: anyone},
		{name: "forbidden", f: func(context.Context, auth.Identity, string) error { return room.ErrForbidden }, code: protocol.ErrorForbidden},
		{name: "forbidden, wrapped", f: func(context.Context, auth.Identity, string) error {
			return fmt.Errorf("plan 7: %w", room.ErrForbidden)
		}, code: protocol.ErrorForbidden},
		{name: "an outage", f: func(context.Context, auth.Identity, string) error { return errOutage }, code: protocol.ErrorUnavailable},
		{name: "a time-out", f: func(ctx context.Context, _ auth.Identity, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}, code: protocol.ErrorUnavailable, after: 5 * time.Second},
		{name: "a time-out, then nil", f: func(context.Context, auth.Identity, string) error {
			time.Sleep(5500 * time.Millisecond)
			return nil
		}, code: protocol.ErrorUnavailable, after: 5 * time.Second},
		{name: "a panic", f: func(context.Context, auth.Identity, string) error { panic("x") }, code: protocol.ErrorUnavailable, close: protocol.CloseInternal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var denied []error
			opts := &room.Options{Authorize: test.f, Observer: room.Observer{
				Denied: func(i room.DenialInfo) { denied = append(denied, i.Err) },
			}}
			bubble(t, opts, func(t *testing.T, h *room.Hub) {
				m := connect(t, h, "alice", "")
				start := time.Now()
				m.Send(`{"type":"join-plan","planId":"p"}`)
				if test.code == "" {
					if got := m.NextMessage(); got.Type != protocol.TypeJoinPlan {
						t.Errorf("got %s, want the join answer", words(got))
					}
					return
				}
				wantError(t, m, "p", protocol.TypeJoinPlan, test.code)
				if got := time.Since(start); got != test.after {
					t.Errorf("refused after %v, want %v", got, test.after)
				}
				if got := h.Stats(); got.Rooms != 0 || got.Denied != 1 || len(denied) != 1 {
					t.Errorf("%d rooms, %d denied, observed %v; want 0 and 1", got.Rooms, got.Denied, denied)
				}
				if test.close != 0 {
					wantClosed(t, m, test.close)
					return
				}
				update(t, h, "p", 1)
				wantReceived(t, m)
			})
		})
	}
}

// An Authorize that does not return delays the messages of its plan for AuthorizeTimeout. After
// that it delays nothing, and its result is ignored.
func TestHangingAuthorize(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		release := make(chan struct{})
		g.set(func(context.Context, auth.Identity, string) error {
			<-release
			return nil
		})
		alice := connect(t, h, "alice", "")
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		alice.Send(`{"type":"leave-plan","planId":"p"}`)
		start := time.Now()
		wantError(t, alice, "p", protocol.TypeJoinPlan, protocol.ErrorUnavailable)
		wantError(t, alice, "p", protocol.TypeLeavePlan, protocol.ErrorNotJoined)
		if got := time.Since(start); got != 5*time.Second {
			t.Errorf("both answered after %v, want 5 s", got)
		}
		g.answer(nil)
		alice.Join("q", nil)
		close(release)
		alice.Silent()
		if got := h.Stats(); got.Rooms != 1 || got.Denied != 1 {
			t.Errorf("%d rooms, %d denied, want 1 and 1", got.Rooms, got.Denied)
		}
	})
}

// The context of a call behaves like those of package context.
func TestAuthorizeContext(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		type key struct{}
		var kept, derived context.Context
		g.set(func(ctx context.Context, _ auth.Identity, planID string) error {
			kept = ctx
			if at, ok := ctx.Deadline(); !ok || time.Until(at) != 5*time.Second {
				t.Errorf("deadline in %v, %v; want 5 s", time.Until(at), ok)
			}
			if got := ctx.Value(key{}); got != nil {
				t.Errorf("the context has the value %v, which no caller set", got)
			}
			if planID == "derives" {
				derived = context.WithValue(ctx, key{}, 1)
				var cancel context.CancelFunc
				derived, cancel = context.WithCancel(derived)
				t.Cleanup(cancel)
			}
			if planID == "looks" && ctx.Err() != nil {
				t.Errorf("ended before the call: %v", ctx.Err())
			}
			return nil
		})
		alice := connect(t, h, "alice", "")
		for _, plan := range []string{"plain", "looks", "derives"} {
			alice.Join(plan, nil)
			synctest.Wait()
			<-kept.Done()
			if got := kept.Err(); got != context.Canceled {
				t.Errorf("%s: after the call Err() = %v, want context.Canceled", plan, got)
			}
		}
		<-derived.Done()
		if got := derived.Value(key{}); got != 1 {
			t.Errorf("the derived context has value %v", got)
		}
	})
}

// A plan that does not exist and a plan of others get the same answer, byte by byte.
func TestForbiddenRevealsNothing(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "alice", "")
		var answers []string
		for _, err := range []error{room.ErrForbidden, fmt.Errorf("no such plan: %w", room.ErrForbidden)} {
			g.answer(err)
			m.Send(`{"type":"join-plan","planId":"p"}`)
			answers = append(answers, words(m.Next()))
		}
		if answers[0] != answers[1] {
			t.Errorf("answers differ: %q", answers)
		}
	})
}

// A slow Authorize delays the messages of its plan on one connection, and nothing else.
func TestSlowAuthorize(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		g.set(func(_ context.Context, id auth.Identity, _ string) error {
			if id.UserID == "alice" {
				time.Sleep(4 * time.Second)
			}
			return nil
		})
		alice := connect(t, h, "alice", "")
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		alice.Send(`{"type":"leave-plan","planId":"p"}`)
		alice.Send(`{"type":"ping"}`)
		synctest.Wait()
		start := time.Now()
		update(t, h, "p", 1)
		wantEvent(t, bob, 1)
		roomtest.Join(t, h, "carol", "p")
		if got := alice.NextMessage(); got.Type != protocol.TypePong {
			t.Errorf("got %s, want the pong before the join", words(got))
		}
		if got := time.Since(start); got != 0 {
			t.Errorf("the others waited %v", got)
		}
		if got := alice.NextMessage(); got.Type != protocol.TypeJoinPlan || time.Since(start) != 4*time.Second {
			t.Errorf("got %s after %v, want the join after 4 s", words(got), time.Since(start))
		}
		if got := alice.NextMessage(); got.Type != protocol.TypeLeavePlan {
			t.Errorf("got %s, want the leave after the join", words(got))
		}
	})
}

func TestAuthorizeAtRepeatedJoin(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		g.answer(errOutage)
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		wantError(t, alice, "p", protocol.TypeJoinPlan, protocol.ErrorUnavailable)
		update(t, h, "p", 1)
		wantEvent(t, alice, 1) // still in

		g.answer(room.ErrForbidden)
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		if got := words(alice.Next()); got != `removed p {"reason":"access ended","retry":false}` {
			t.Errorf("got %s, want removed", got)
		}
		wantError(t, alice, "p", protocol.TypeJoinPlan, protocol.ErrorForbidden)
		update(t, h, "p", 2)
		wantReceived(t, alice)
	})
}

// pause waits as a callback should: no longer than its context.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// Authorize may call the hub.
func TestAuthorizeCallsTheHub(t *testing.T) {
	var h *room.Hub
	g := &authorizer{}
	g.set(func(ctx context.Context, id auth.Identity, planID string) error {
		if _, ok := h.Room(planID); !ok && id.UserID != "alice" {
			return errOutage
		}
		h.Rooms()
		h.Stats()
		_, err := h.Notify(ctx, id.UserID, protocol.Event{Type: "asked", Data: 1})
		return errors.Join(
			err,
			errorOf(h.BroadcastTaskCreated(ctx, planID, id.UserID)),
			h.Resync(ctx, "other"),
		)
	})
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, hub *room.Hub) {
		h = hub
		alice := connect(t, h, "alice", "")
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		bob := roomtest.Join(t, h, "bob", "p")
		got := receivedBy(t, alice)
		position := fmt.Sprintf(`{"epoch":%q,"seq":1}`, bob.Position().Epoch)
		want := []string{
			"asked  1",
			`join-plan p {"success":true,"participantCount":1,"participants":[{"userId":"alice","userName":"alice","connections":1}],"position":` + position + `,"recovered":false}`,
			`task-created p {"task":"bob"}`,
			joined("p", "bob", 2),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}
