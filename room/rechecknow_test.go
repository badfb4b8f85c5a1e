package room_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// wantRechecked compares the result of Recheck or RecheckUser.
func wantRechecked(t *testing.T, got room.Rechecked, err error, want room.Rechecked) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" || errors.Is(err, room.ErrUndecided) != (want.Undecided > 0) || err != nil && want.Undecided == 0 {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// A share link was deleted. Only the claims of its users have it, so the host cannot name them.
func TestRecheck(t *testing.T) {
	var deleted atomic.Bool
	opts := &room.Options{Authorize: func(_ context.Context, id auth.Identity, _ string) error {
		if deleted.Load() && id.Claims["link"] == "x" {
			return room.ErrForbidden
		}
		return nil
	}}
	eachSink(t, opts, func(t *testing.T, h *room.Hub, of sinks) {
		deleted.Store(false)
		alice := of.join(t, h, "alice", "p")
		guest := roomtest.Connect(t, h, auth.Identity{UserID: "guest", Name: "guest", Claims: map[string]any{"link": "x"}}, nil)
		guest.Join("p", nil)
		guest.Join("q", nil)
		unread(t, alice)
		deleted.Store(true)
		got, err := h.Recheck(t.Context(), "p")
		update(t, h, "p", 1)
		wantRechecked(t, got, err, room.Rechecked{Kept: 1, Removed: 1})
		wantReceived(t, alice, left("p", "guest", 1), `task-updated p {"task":{"id":1}}`)
		wantReceived(t, guest, accessEnded)
		if got := h.PlansOf("guest"); len(got) != 1 || got[0] != "q" {
			t.Errorf("the guest is in %q, want q alone", got)
		}
		got, err = h.Recheck(t.Context(), "nothing")
		wantRechecked(t, got, err, room.Rechecked{})
		if _, err := h.Recheck(t.Context(), ""); !errors.Is(err, room.ErrPlanID) {
			t.Errorf("Recheck of no plan = %v", err)
		}
		if _, err := h.RecheckUser(t.Context(), ""); !errors.Is(err, room.ErrUserID) {
			t.Errorf("RecheckUser of no user = %v", err)
		}
	})
}

// No event is written to a member that Recheck has removed, even if the removal had to wait for a
// write in flight.
func TestRecheckWaitsForTheRemoval(t *testing.T) {
	var forbidden atomic.Bool
	opts := &room.Options{Authorize: func(context.Context, auth.Identity, string) error {
		if forbidden.Load() {
			return room.ErrForbidden
		}
		return nil
	}}
	seamTest(t, opts, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
		writing.Arm()
		update(t, h, "p", 1)
		writing.Wait()
		forbidden.Store(true)
		var returned atomic.Int32
		recheck := func() {
			got, err := h.Recheck(context.Background(), "p")
			wantRechecked(t, got, err, room.Rechecked{Removed: 1})
			returned.Add(1)
		}
		go recheck()
		synctest.Wait()
		if got := returned.Load(); got != 0 {
			t.Error("Recheck has returned while an event is being written to the member that it removes")
		}
		writing.Release()
		synctest.Wait()
		if got := returned.Load(); got != 1 || p.types() != "[task-updated removed]" {
			t.Errorf("%d calls have returned, want 1", got)
		}
	})
}

// A check that runs when Recheck is called may have read the database before it changed, so it does
// not count.
func TestRecheckDuringACheck(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		g.set(func(context.Context, auth.Identity, string) error {
			time.Sleep(time.Second)
			return nil
		})
		first := make(chan room.Rechecked, 1)
		go func() {
			got, err := h.Recheck(context.Background(), "p")
			if err != nil {
				t.Error(err)
			}
			first <- got
		}()
		synctest.Wait()
		g.answer(room.ErrForbidden)
		got, err := h.Recheck(t.Context(), "p")
		wantRechecked(t, got, err, room.Rechecked{Removed: 1})
		wantRechecked(t, <-first, nil, room.Rechecked{Kept: 1})
		wantReceived(t, alice, accessEnded)
		if got := g.count(); got != 3 { // including the call for the join
			t.Errorf("Authorize was called %d times, want 3", got)
		}
	})
}

// A join whose Authorize was called before Recheck calls it again. So does one before RecheckUser
// or ClosePlan.
func TestJoinAuthorizedBeforeRecheck(t *testing.T) {
	for name, change := range map[string]func(ctx context.Context, h *room.Hub) error{
		"Recheck":     func(ctx context.Context, h *room.Hub) error { return errorOf(h.Recheck(ctx, "p")) },
		"RecheckUser": func(ctx context.Context, h *room.Hub) error { return errorOf(h.RecheckUser(ctx, "alice")) },
		"RevokeUser":  func(ctx context.Context, h *room.Hub) error { return errorOf(h.RevokeUser(ctx, "alice")) },
		"ClosePlan":   func(ctx context.Context, h *room.Hub) error { return errorOf(h.ClosePlan(ctx, "p")) },
	} {
		t.Run(name, func(t *testing.T) {
			g := &authorizer{}
			bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
				alice := connect(t, h, "alice", "")
				g.set(func(context.Context, auth.Identity, string) error {
					time.Sleep(time.Second) // it has read the database before it was changed
					return nil
				})
				alice.Send(`{"type":"join-plan","planId":"p"}`)
				synctest.Wait()
				g.answer(room.ErrForbidden)
				if err := change(t.Context(), h); err != nil {
					t.Fatal(err)
				}
				wantError(t, alice, "p", protocol.TypeJoinPlan, protocol.ErrorForbidden)
				if got := g.count(); got != 2 {
					t.Errorf("Authorize was called %d times, want twice", got)
				}
			})
		})
	}
}

// Of several joins of a plan, those that are still in flight call Authorize again, in whatever
// order the others have entered.
func TestSeveralJoinsAuthorizedBeforeRecheck(t *testing.T) {
	for _, order := range [][]int{{1, 2, 3}, {3, 2, 1}, {2, 1, 3}, {2, 3, 1}} {
		for in := range order {
			t.Run(fmt.Sprint(order, " after ", in), func(t *testing.T) {
				g := &authorizer{}
				bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
					g.set(func(_ context.Context, id auth.Identity, _ string) error {
						var n int
						_, err := fmt.Sscanf(id.UserID, "user%d", &n)
						time.Sleep(time.Duration(n) * time.Second)
						return err
					})
					for _, n := range order {
						newGuest(t, h, fmt.Sprint("user", n), nil).join("p")
						synctest.Wait()
					}
					time.Sleep(time.Duration(in)*time.Second + time.Millisecond)
					g.answer(nil)
					got, err := h.Recheck(t.Context(), "p")
					wantRechecked(t, got, err, room.Rechecked{Kept: in})
					time.Sleep(5 * time.Second)
					synctest.Wait()
					if got := g.count(); got != 6 {
						t.Errorf("Authorize was called %d times, want twice for each join or member", got)
					}
				})
			})
		}
	}
}

// Calls for other plans or other users do not affect a join.
func TestRechecksOfOthersDuringAJoin(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		g.set(takes(time.Second))
		alice := connect(t, h, "alice", "")
		for _, plan := range []string{"o", "p", "q", "p"} { // several joins in flight, of one plan too
			newGuest(t, h, "bob", nil).join(plan)
		}
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		for n := range 1000 {
			plan, user := fmt.Sprint("plan", n), fmt.Sprint("user", n)
			_, err1 := h.Recheck(t.Context(), plan)
			_, err2 := h.RecheckUser(t.Context(), user)
			_, err3 := h.RevokeUser(t.Context(), user)
			_, err4 := h.ClosePlan(t.Context(), plan)
			if err := errors.Join(err1, err2, err3, err4); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := g.count(); got != 5 {
			t.Errorf("Authorize was called %d times for 5 joins", got)
		}
	})
}

// A member whose access cannot be checked stays, and is checked again.
func TestRecheckUndecided(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize, PingEvery: -1}, func(t *testing.T, h *room.Hub) {
		for _, user := range []string{"alice", "bob", "carol"} {
			newGuest(t, h, user, nil).join("p")
		}
		synctest.Wait()
		g.set(func(_ context.Context, id auth.Identity, _ string) error {
			if id.UserID == "alice" {
				return nil
			}
			return errOutage
		})
		start := time.Now()
		got, err := h.Recheck(t.Context(), "p")
		wantRechecked(t, got, err, room.Rechecked{Kept: 1, Undecided: 2})
		if !errors.Is(err, errOutage) || time.Since(start) != 0 {
			t.Errorf("Recheck = %v after %v, want the error of Authorize at once", err, time.Since(start))
		}
		if got := allMembers(h); got != 3 {
			t.Errorf("%d members, want 3", got)
		}
		g.answer(room.ErrForbidden)
		time.Sleep(30 * time.Second) // far less than until the next check at a regular time
		synctest.Wait()
		if got := allMembers(h); got != 1 {
			t.Errorf("%d members after 30 s, want alice alone", got)
		}
	})
}

// When its context ends, Recheck counts the members without a result, and their checks continue.
func TestRecheckEndsWithItsContext(t *testing.T) {
	var slow atomic.Bool
	l := newLoad(func(_ context.Context, _ auth.Identity, _ string) error {
		if !slow.Load() {
			return nil
		}
		time.Sleep(time.Second)
		return room.ErrForbidden
	})
	bubble(t, &room.Options{Authorize: l.authorize, AuthorizeParallel: 4}, func(t *testing.T, h *room.Hub) {
		for n := range 12 {
			newGuest(t, h, fmt.Sprint("user", n), nil).join("p")
		}
		synctest.Wait()
		slow.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		got, err := h.Recheck(ctx, "p")
		wantRechecked(t, got, err, room.Rechecked{Removed: 4, Undecided: 8})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Recheck = %v, want the error of the context", err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := allMembers(h); got != 0 {
			t.Errorf("%d members, want none: the checks go on", got)
		}
	})
}

// Recheck does not wait for a member that has left.
func TestRecheckOfAMemberThatLeaves(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		g.set(takes(4 * time.Second))
		time.AfterFunc(time.Second, func() { alice.Send(`{"type":"leave-plan","planId":"p"}`) })
		start := time.Now()
		got, err := h.Recheck(t.Context(), "p")
		wantRechecked(t, got, err, room.Rechecked{})
		if took := time.Since(start); took != time.Second {
			t.Errorf("Recheck took %v, want 1 s, when the member left", took)
		}
	})
}

// Recheck also checks a member whose join has not been answered yet.
func TestRecheckOfAMemberThatEnters(t *testing.T) {
	g := &authorizer{}
	entered, release := make(chan struct{}), make(chan struct{})
	opts := &room.Options{Authorize: g.authorize, Observer: room.Observer{Join: func(room.JoinInfo) {
		close(entered)
		<-release
	}}}
	synctest.Test(t, func(t *testing.T) {
		entered, release = make(chan struct{}), make(chan struct{})
		h := newHub(t, opts)
		alice := connect(t, h, "alice", "")
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		<-entered
		g.answer(room.ErrForbidden)
		time.AfterFunc(time.Second, func() { close(release) })
		start := time.Now()
		got, err := h.Recheck(t.Context(), "p")
		wantRechecked(t, got, err, room.Rechecked{Removed: 1})
		if took := time.Since(start); took != time.Second {
			t.Errorf("Recheck took %v, want 1 s, when the join was answered", took)
		}
		update(t, h, "p", 1)
		for _, m := range unread(t, alice) {
			if m.Type == protocol.TypeTaskUpdated {
				t.Error("the member received an event after Recheck had returned")
			}
		}
	})
}
