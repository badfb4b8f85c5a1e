package room_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// Recheck of a large plan uses only the slots of rechecks: broadcasts and joins do not wait.
func TestRecheckOfALargePlan(t *testing.T) {
	members := atScale(10_000)
	var slow atomic.Bool
	l := newLoad(func(ctx context.Context, id auth.Identity, _ string) error {
		if slow.Load() {
			pause(ctx, 10*time.Millisecond)
			if strings.HasSuffix(id.UserID, "7") {
				return room.ErrForbidden
			}
		}
		return ctx.Err()
	})
	bubble(t, &room.Options{Authorize: l.authorize, PingEvery: -1}, func(t *testing.T, h *room.Hub) {
		guests := make([]*guest, members)
		for n := range guests {
			guests[n] = newGuest(t, h, fmt.Sprint("user", n), nil)
			guests[n].join("p")
		}
		synctest.Wait()
		before, _, _ := l.counts("")
		slow.Store(true)
		start := time.Now()
		done := make(chan room.Rechecked, 1)
		go func() {
			got, err := h.Recheck(t.Context(), "p")
			if err != nil {
				t.Error(err)
			}
			done <- got
		}()
		time.Sleep(5 * time.Millisecond)
		update(t, h, "p", 1)
		late := newGuest(t, h, "late", nil)
		late.join("p")
		synctest.Wait()
		if got := guests[0].got()[protocol.TypeTaskUpdated]; got != 1 {
			t.Errorf("a member has %d events during Recheck, want 1", got)
		}
		if got := h.Stats(); got.AuthorizeRunning != 17 {
			t.Errorf("%d calls of Authorize run, want 16 rechecks and a join", got.AuthorizeRunning)
		}
		wantRechecked(t, <-done, nil, room.Rechecked{Kept: members - members/10, Removed: members / 10})
		if took, most := time.Since(start), time.Duration(members/16+1)*10*time.Millisecond; took > most {
			t.Errorf("Recheck took %v, want %v at most", took, most)
		}
		if calls, _, _ := l.counts(""); calls-before != members+1 {
			t.Errorf("%d calls of Authorize for %d members and a join", calls-before, members)
		}
	})
}

// The checks of a Recheck do not wait for a backlog of regular checks, and members
// that stay undecided keep that priority. The backlog continues meanwhile.
func TestRecheckComesBeforeABacklog(t *testing.T) {
	var slow, outage, forbidden atomic.Bool
	l := newLoad(func(ctx context.Context, id auth.Identity, planID string) error {
		if slow.Load() {
			pause(ctx, time.Second)
		}
		switch {
		case planID != "p":
			return ctx.Err()
		case outage.Load():
			return errOutage
		case forbidden.Load():
			return room.ErrForbidden
		}
		return ctx.Err()
	})
	bubble(t, &room.Options{Authorize: l.authorize, AuthorizeParallel: 4, RemoveAfter: time.Hour, PingEvery: -1}, func(t *testing.T, h *room.Hub) {
		guests := make([]*guest, 400)
		for n := range guests {
			user := fmt.Sprint("user", n)
			guests[n] = newGuest(t, h, user, &room.ConnectOptions{Verifier: sameUser(user)})
			guests[n].join(fmt.Sprint("plan", n))
		}
		ours := newGuest(t, h, "ours", &room.ConnectOptions{Verifier: sameUser("ours")})
		ours.join("p")
		synctest.Wait()
		slow.Store(true)
		authenticateAll(guests) // a backlog of 100 s
		synctest.Wait()
		authenticateAll([]*guest{ours}) // at its end
		time.Sleep(time.Millisecond)
		outage.Store(true)
		start := time.Now()
		got, err := h.Recheck(t.Context(), "p")
		wantRechecked(t, got, err, room.Rechecked{Undecided: 1})
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("Recheck took %v, want less than 2 s", took)
		}
		outage.Store(false)
		forbidden.Store(true)
		time.Sleep(32 * time.Second)
		synctest.Wait()
		if _, ok := h.Room("p"); len(h.PlansOf("ours")) != 0 || !ok {
			t.Error("an undecided member is still in the plan after 32 s")
		}
		if got := h.Stats(); got.RechecksWaiting == 0 || got.RechecksWaiting > 400-4*30 {
			t.Errorf("%d rechecks wait, want the backlog to continue", got.RechecksWaiting)
		}
	})
}

// Members of other plans do not wait until Recheck of a large plan is done.
func TestRecheckLeavesTurnsToOthers(t *testing.T) {
	var slow, asked atomic.Bool
	l := newLoad(func(ctx context.Context, id auth.Identity, _ string) error {
		if slow.Load() {
			pause(ctx, time.Second)
			asked.Store(asked.Load() || id.UserID == "other")
		}
		return ctx.Err()
	})
	bubble(t, &room.Options{Authorize: l.authorize, AuthorizeParallel: 2, PingEvery: -1}, func(t *testing.T, h *room.Hub) {
		for n := range 100 {
			newGuest(t, h, fmt.Sprint("user", n), nil).join("p")
		}
		other := newGuest(t, h, "other", &room.ConnectOptions{Verifier: sameUser("other")})
		other.join("q")
		synctest.Wait()
		slow.Store(true)
		done := make(chan struct{})
		go func() {
			defer close(done)
			got, err := h.Recheck(t.Context(), "p")
			wantRechecked(t, got, err, room.Rechecked{Kept: 100})
		}()
		synctest.Wait()
		authenticateAll([]*guest{other})
		time.Sleep(2500 * time.Millisecond)
		if !asked.Load() {
			t.Error("after 2.5 s Authorize was not called for a member of another plan")
		}
		<-done
	})
}

// A user who has left a group loses the plans of that group, with any number of connections and
// plans.
func TestRecheckUser(t *testing.T) {
	var left atomic.Bool
	l := newLoad(func(ctx context.Context, id auth.Identity, planID string) error {
		pause(ctx, 10*time.Millisecond)
		if left.Load() && id.UserID == "alice" && strings.HasPrefix(planID, "group") {
			return room.ErrForbidden
		}
		return ctx.Err()
	})
	bubble(t, &room.Options{Authorize: l.authorize, PingEvery: -1}, func(t *testing.T, h *room.Hub) {
		var plans []string
		for n := range 50 {
			plans = append(plans, fmt.Sprint("group", n), fmt.Sprint("own", n))
		}
		tabs := []*guest{newGuest(t, h, "alice", nil), newGuest(t, h, "alice", nil)}
		for n, plan := range plans {
			tabs[n/50].join(plan)
			newGuest(t, h, fmt.Sprint("user", n), nil).join(plan)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		before, _, _ := l.counts("")
		if got := h.PlansOf("alice"); len(got) != 100 || got[0] != "group0" || got[99] != "own9" {
			t.Errorf("PlansOf = %q, want the 100 plans in order", got)
		}
		left.Store(true)
		start := time.Now()
		got, err := h.RecheckUser(t.Context(), "alice")
		wantRechecked(t, got, err, room.Rechecked{Kept: 50, Removed: 50})
		if took := time.Since(start); took != 130*time.Millisecond { // 8 at once
			t.Errorf("RecheckUser took %v, want 130 ms", took)
		}
		if calls, _, _ := l.counts(""); calls-before != 100 {
			t.Errorf("%d calls of Authorize, want 100", calls-before)
		}
		if got := h.PlansOf("alice"); len(got) != 50 || got[0] != "own0" {
			t.Errorf("PlansOf = %q, want the 50 plans of the user", got)
		}
	})
}

// Authorize must not call Recheck, but such a call does not block forever.
func TestRecheckInAuthorize(t *testing.T) {
	var h *room.Hub
	var calls atomic.Int32
	var inside atomic.Bool
	opts := &room.Options{AuthorizeParallel: 1, PingEvery: -1, Authorize: func(ctx context.Context, _ auth.Identity, planID string) error {
		if calls.Add(1); inside.Load() {
			_, err := h.Recheck(ctx, planID)
			return err
		}
		return nil
	}}
	bubble(t, opts, func(t *testing.T, hub *room.Hub) {
		h = hub
		alice := newGuest(t, h, "alice", nil)
		alice.join("p")
		synctest.Wait()
		inside.Store(true)
		got, err := h.Recheck(t.Context(), "p")
		wantRechecked(t, got, err, room.Rechecked{Undecided: 1})
		inside.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := calls.Load(); got > 5 || allMembers(h) != 1 {
			t.Errorf("%d calls of Authorize, %d members; want few and 1", got, allMembers(h))
		}
	})
}

// Calls of Recheck that have ended take no memory, however long Authorize hangs.
func TestRecheckGivenUp(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		newGuest(t, h, "alice", nil).join("p")
		synctest.Wait()
		g.set(takes(time.Second))
		waits := make(chan room.Rechecked, 1)
		go func() {
			got, _ := h.Recheck(t.Context(), "p")
			waits <- got
		}()
		synctest.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range 1000 {
			got, err := h.Recheck(ended, "p")
			wantRechecked(t, got, err, room.Rechecked{Undecided: 1})
		}
		if got := room.Awaited(h, "p", "alice"); got > 4 {
			t.Errorf("%d calls are remembered, want that which waits and the last", got)
		}
		wantRechecked(t, <-waits, nil, room.Rechecked{Kept: 1})
	})
}

// Shutdown ends a Recheck that waits.
func TestRecheckAtShutdown(t *testing.T) {
	g := &authorizer{}
	synctest.Test(t, func(t *testing.T) {
		h := room.NewHub(&room.Options{Authorize: g.authorize})
		newGuest(t, h, "alice", nil).join("p")
		synctest.Wait()
		g.set(takes(time.Hour))
		done := make(chan error, 1)
		go func() {
			_, err := h.Recheck(context.Background(), "p")
			done <- err
		}()
		synctest.Wait()
		if err := h.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown = %v", err)
		}
		<-done
		for name, err := range map[string]error{
			"Recheck":     errorOf(h.Recheck(t.Context(), "p")),
			"RecheckUser": errorOf(h.RecheckUser(t.Context(), "alice")),
			"RevokeUser":  errorOf(h.RevokeUser(t.Context(), "alice")),
			"ClosePlan":   errorOf(h.ClosePlan(t.Context(), "p")),
		} {
			if !errors.Is(err, room.ErrHubClosed) {
				t.Errorf("%s after Shutdown = %v", name, err)
			}
		}
	})
}

// While too many calls of Authorize have not returned, the members are undecided.
func TestRecheckWithoutASlot(t *testing.T) {
	g, d := &authorizer{}, newHanging()
	bubble(t, &room.Options{AuthorizeParallel: 1, Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		for n := range 5 {
			newGuest(t, h, fmt.Sprint("user", n), nil).join("p")
		}
		synctest.Wait()
		d.open()
		defer close(d.released)
		g.set(d.authorize)
		start := time.Now()
		got, err := h.Recheck(t.Context(), "p")
		wantRechecked(t, got, err, room.Rechecked{Undecided: 5})
		if took := time.Since(start); took != 10*time.Second { // two calls that time out
			t.Errorf("Recheck took %v, want 10 s", took)
		}
	})
}
