package room_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A member whose access cannot be confirmed is removed ReauthorizeEvery and RemoveAfter after the
// last successful check, whatever Authorize does and however many checks wait. The removals are
// spread over time.
func TestMembersLeaveInTimeWhenAuthorizeHangs(t *testing.T) {
	for _, listens := range []bool{true, false} {
		t.Run(fmt.Sprintf("observes its context %v", listens), func(t *testing.T) {
			count := atScale(5000)
			var hangs atomic.Bool
			var release chan struct{}
			l := newLoad(func(ctx context.Context, _ auth.Identity, _ string) error {
				switch {
				case !hangs.Load():
					return nil
				case listens:
					<-ctx.Done()
				default:
					<-release
				}
				return ctx.Err()
			})
			var log notebook
			var mu sync.Mutex
			var first time.Time
			perSecond := make(map[int64]int)
			leave := func(room.LeaveInfo) {
				mu.Lock()
				defer mu.Unlock()
				if first.IsZero() {
					first = time.Now()
					if len(log.lines("WARN")) == 0 {
						t.Error("no warning before the first removal")
					}
				}
				perSecond[time.Now().Unix()]++
			}
			opts := &room.Options{Authorize: l.authorize, PingEvery: -1, IdleTimeout: time.Hour, Logger: log.logger(), Observer: room.Observer{Leave: leave}}
			bubble(t, opts, func(t *testing.T, h *room.Hub) {
				release = make(chan struct{})
				defer close(release)
				for n := range count {
					newGuest(t, h, fmt.Sprint("user", n), nil).join(fmt.Sprint("plan", n/50))
				}
				synctest.Wait()
				start := time.Now()
				hangs.Store(true)
				time.Sleep(10*time.Minute + 10*time.Second)
				synctest.Wait()
				if got := allMembers(h); got != 0 {
					t.Errorf("%d members remain after %v", got, time.Since(start))
				}
				mu.Lock()
				defer mu.Unlock()
				if got := first.Sub(start); got < 9*time.Minute+30*time.Second {
					t.Errorf("the first was removed after %v, want that all have 9.5 min", got)
				}
				for _, n := range perSecond {
					if n > count/10 {
						t.Errorf("%d were removed in one second", n)
					}
				}
				got := h.Stats()
				if got.RemovedUnconfirmed != uint64(count) || got.RemovedForbidden != 0 || got.RechecksUndecided == 0 {
					t.Errorf("%d removed unconfirmed, %d forbidden, %d undecided", got.RemovedUnconfirmed, got.RemovedForbidden, got.RechecksUndecided)
				}
				if listens && len(log.lines("WARN", "rechecks are late", "waiting=")) == 0 {
					t.Error("no warning of the backlog")
				}
				if n := len(log.lines("WARN", "a member was removed")); n == 0 || n > 10 {
					t.Errorf("%d lines about members that were removed, want a few", n)
				}
				if _, most, _ := l.counts(""); most > 2*256 {
					t.Errorf("%d calls at once, want at most 512, overdue ones included", most)
				}
			})
		})
	}
}

// A slow Authorize that returns is called for each of 50,000 members in time.
func TestSlowAuthorizeRemovesNoMember(t *testing.T) {
	count := atScale(50_000)
	var slow atomic.Bool
	var mu sync.Mutex
	last := make(map[string]time.Time)
	var longest time.Duration
	l := newLoad(func(ctx context.Context, id auth.Identity, _ string) error {
		if slow.Load() {
			pause(ctx, 200*time.Millisecond)
		}
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		if at, ok := last[id.UserID]; ok {
			longest = max(longest, now.Sub(at))
		}
		last[id.UserID] = now
		return ctx.Err()
	})
	// With a minute instead of five, one round of checks is enough to show a removal.
	opts := &room.Options{Authorize: l.authorize, RemoveAfter: time.Minute, PingEvery: -1, IdleTimeout: time.Hour}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		for n := range count {
			newGuest(t, h, fmt.Sprint("user", n), nil).join(fmt.Sprint("plan", n/5))
		}
		synctest.Wait()
		slow.Store(true)
		time.Sleep(6*time.Minute + 10*time.Second)
		synctest.Wait()
		if got := allMembers(h); got != count {
			t.Errorf("%d of %d are in", got, count)
		}
		if longest > 5*time.Minute+50*time.Second {
			t.Errorf("a member was not checked for %v, want at most 50 s more than ReauthorizeEvery", longest)
		}
		if calls, most, _ := l.counts(""); calls != 2*count || most > 256 {
			t.Errorf("%d calls, %d at once; want %d and at most 256", calls, most, 2*count)
		}
		if got := h.Stats(); got.RechecksUndecided != 0 || got.Rechecks != uint64(count) {
			t.Errorf("%d rechecks made, %d undecided; want %d and 0", got.Rechecks, got.RechecksUndecided, count)
		}
	})
}

// Members whose check hangs are removed, and members of other plans whose check works are not.
func TestHangingAuthorizeOfSomePlans(t *testing.T) {
	count := atScale(5000)
	var begun atomic.Bool
	authorize := func(ctx context.Context, _ auth.Identity, planID string) error {
		if !begun.Load() {
			return nil
		}
		if strings.HasPrefix(planID, "hangs") {
			<-ctx.Done()
		} else {
			pause(ctx, 200*time.Millisecond)
		}
		return ctx.Err()
	}
	bubble(t, &room.Options{Authorize: authorize, PingEvery: -1, IdleTimeout: time.Hour}, func(t *testing.T, h *room.Hub) {
		for n := range count {
			plan := fmt.Sprint([]string{"hangs", "works"}[n%2], n/50)
			newGuest(t, h, fmt.Sprint("user", n), nil).join(plan)
		}
		synctest.Wait()
		begun.Store(true)
		time.Sleep(10*time.Minute + 10*time.Second)
		for _, wait := range []time.Duration{0, 20 * time.Minute} {
			time.Sleep(wait)
			in := make(map[string]int)
			for _, r := range h.Rooms() {
				in[r.PlanID[:5]] += r.Connections
			}
			if in["hangs"] != 0 || in["works"] != count/2 {
				t.Errorf("%v later, %d members remain whose check hangs and %d whose check works; want 0 and %d", wait, in["hangs"], in["works"], count/2)
			}
		}
	})
}

// A user who renews the tokens of all connections as often as possible delays no recheck, and a
// dismissed user is removed in time.
func TestAuthenticateStorm(t *testing.T) {
	tabs, plans, lasts := 20, 64, 4*time.Hour
	if raceEnabled {
		tabs, plans, lasts = 5, 16, 12*time.Minute // each user is checked twice
	}
	var slow, dismissed atomic.Bool
	var mu sync.Mutex
	last := make(map[string]time.Time) // by connection and plan
	longest := make(map[string]time.Duration)
	authorize := func(ctx context.Context, id auth.Identity, planID string) error {
		if slow.Load() {
			pause(ctx, 200*time.Millisecond)
		}
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		if at, ok := last[id.Name+planID]; ok {
			longest[id.UserID] = max(longest[id.UserID], now.Sub(at))
		}
		last[id.Name+planID] = now
		if id.UserID == "dismissed" && dismissed.Load() {
			return room.ErrForbidden
		}
		return ctx.Err()
	}
	bubble(t, &room.Options{Authorize: authorize, PingEvery: -1, IdleTimeout: 24 * time.Hour}, func(t *testing.T, h *room.Hub) {
		v := auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{UserID: "mallory", Name: token}, nil
		})
		storm := make([]*guest, tabs)
		for c := range storm {
			storm[c] = newGuest(t, h, "mallory", &room.ConnectOptions{Verifier: v})
			for r := range plans {
				storm[c].join(fmt.Sprint("plan", r))
			}
		}
		bystander := roomtest.Join(t, h, "bystander", "plan0")
		roomtest.Join(t, h, "dismissed", "secret")
		synctest.Wait()
		slow.Store(true)
		for start := time.Now(); time.Since(start) < lasts; time.Sleep(10*time.Second + time.Millisecond) {
			for c, g := range storm {
				g.session.Receive(fmt.Appendf(nil, `{"type":"authenticate","data":{"token":"tab%d"}}`, c))
			}
		}
		mu.Lock()
		for user, got := range longest {
			if got > 5*time.Minute+10*time.Second {
				t.Errorf("a member of %s was not checked for %v, want at most 10 s more than ReauthorizeEvery", user, got)
			}
		}
		if lasts > 5*time.Minute && len(longest) != 3 {
			t.Errorf("checked %v, want three users", longest)
		}
		mu.Unlock()
		if got := h.Stats().RechecksWaiting; got > tabs*plans {
			t.Errorf("%d rechecks wait, want at most one for each member", got)
		}
		dismissed.Store(true)
		for range 31 {
			for c, g := range storm {
				g.session.Receive(fmt.Appendf(nil, `{"type":"authenticate","data":{"token":"tab%d"}}`, c))
			}
			time.Sleep(10*time.Second + time.Millisecond)
		}
		if info, _ := h.Room("secret"); info.Connections != 0 {
			t.Error("the dismissed user is still a member after 5 min and 10 s")
		}
		update(t, h, "plan0", 1)
		if got := h.Stats(); allMembers(h) != tabs*plans+1 || got.RemovedForbidden != 1 {
			t.Errorf("%d members, %d removed", allMembers(h), got.RemovedForbidden)
		}
		wantEvent(t, bystander, 1)
	})
}
