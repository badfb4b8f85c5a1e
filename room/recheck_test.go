package room_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
)

// atScale returns n, or a tenth of it with the race detector.
func atScale(n int) int {
	if raceEnabled {
		return n / 10
	}
	return n
}

// authenticateAll causes a check of every member.
func authenticateAll(guests []*guest) {
	for _, g := range guests {
		g.session.Receive([]byte(`{"type":"authenticate","data":{"token":"t"}}`))
	}
}

// sameUser is a verifier that accepts every token as one of the user.
type sameUser string

func (u sameUser) Verify(context.Context, string) (auth.Identity, error) {
	return auth.Identity{UserID: string(u)}, nil
}

// Rechecks use 16 calls at a time, and twice as many for each 5 s that one has waited.
func TestRecheckParallel(t *testing.T) {
	var slow atomic.Bool
	l := newLoad(func(ctx context.Context, _ auth.Identity, _ string) error {
		if slow.Load() {
			pause(ctx, time.Second)
		}
		return ctx.Err()
	})
	bubble(t, &room.Options{Authorize: l.authorize, AuthorizeParallel: 50}, func(t *testing.T, h *room.Hub) {
		guests := make([]*guest, 800)
		for n := range guests {
			user := fmt.Sprint("user", n)
			guests[n] = newGuest(t, h, user, &room.ConnectOptions{Verifier: sameUser(user)})
			guests[n].join(fmt.Sprint("plan", n))
		}
		synctest.Wait()
		slow.Store(true)
		authenticateAll(guests)
		for second := range 16 {
			synctest.Wait()
			want := min(16<<(second/5), 50)
			if got := h.Stats(); got.AuthorizeRunning != want {
				t.Errorf("after %d s %d rechecks at once, want %d", second, got.AuthorizeRunning, want)
			}
			if second == 2 { // a join does not wait for them
				start := time.Now()
				g := newGuest(t, h, "another", nil)
				g.join("p")
				time.Sleep(time.Second)
				synctest.Wait()
				if info, _ := h.Room("p"); info.Connections != 1 {
					t.Errorf("a join takes more than %v", time.Since(start))
				}
			} else {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := h.Stats(); got.Rechecks != 800 || got.RechecksWaiting != 0 {
			t.Errorf("%d rechecks made and %d waiting, want 800 and 0", got.Rechecks, got.RechecksWaiting)
		}
	})
}

// Joins and rechecks do not wait for a backlog of each other.
func TestJoinsAndRechecksTakeTurns(t *testing.T) {
	for _, backlog := range []string{"joins", "rechecks"} {
		t.Run(backlog, func(t *testing.T) {
			var slow, dismissed atomic.Bool
			authorize := func(ctx context.Context, id auth.Identity, _ string) error {
				if id.UserID == "dismissed" && dismissed.Load() {
					return room.ErrForbidden
				}
				if slow.Load() {
					pause(ctx, time.Second)
				}
				return ctx.Err()
			}
			bubble(t, &room.Options{Authorize: authorize, AuthorizeParallel: 10}, func(t *testing.T, h *room.Hub) {
				guests := make([]*guest, 1000)
				for n := range guests {
					slow.Store(n < 20) // so that joins wait at first, and it is the turn of a recheck
					user := fmt.Sprint("user", n)
					guests[n] = newGuest(t, h, user, &room.ConnectOptions{Verifier: sameUser(user)})
					if n == 20 {
						time.Sleep(3 * time.Second)
					}
					if backlog == "rechecks" {
						guests[n].join(fmt.Sprint("plan", n))
					}
				}
				late := newGuest(t, h, "dismissed", &room.ConnectOptions{Verifier: sameUser("dismissed")})
				if backlog == "joins" {
					late.join("p")
				}
				synctest.Wait()
				slow.Store(true)
				dismissed.Store(backlog == "joins")
				if backlog == "rechecks" {
					authenticateAll(guests)
				} else {
					for n, g := range guests {
						g.join(fmt.Sprint("plan", n))
					}
				}
				time.Sleep(500 * time.Millisecond)
				synctest.Wait()
				if backlog == "joins" {
					authenticateAll([]*guest{late})
				} else {
					late.join("p")
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				want := 0 // removed by its recheck
				if backlog == "rechecks" {
					want = 1
				}
				if info, _ := h.Room("p"); info.Connections != want {
					t.Errorf("%d connections after 2 s, want %d", info.Connections, want)
				}
			})
		})
	}
}

// Members that joined at the same moment are checked at different moments, both the first time and
// after a failure.
func TestRechecksSpread(t *testing.T) {
	const members = 300
	var mu sync.Mutex
	calls := make(map[string][]time.Time) // by user; guarded by mu
	authorize := func(_ context.Context, id auth.Identity, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		calls[id.UserID] = append(calls[id.UserID], time.Now())
		if len(calls[id.UserID]) == 1 {
			return nil
		}
		return errOutage
	}
	bubble(t, &room.Options{Authorize: authorize, PingEvery: -1}, func(t *testing.T, h *room.Hub) {
		for n := range members {
			newGuest(t, h, fmt.Sprint("user", n), nil).join(fmt.Sprint("plan", n/50))
		}
		time.Sleep(5*time.Minute + 31*time.Second) // two checks of each
		mu.Lock()
		defer mu.Unlock()
		for i, wait := range []time.Duration{5 * time.Minute, 30 * time.Second} {
			var tenths [10]int // tenths of the random time, from wait less a tenth to wait
			for user, at := range calls {
				if len(at) < i+2 {
					t.Fatalf("%s was checked %d times, want 2 times", user, len(at)-1)
				}
				early := wait - at[i+1].Sub(at[i])
				if early < 0 || early > wait/10 {
					t.Fatalf("check %d of %s came after %v, want %v less up to a tenth", i+1, user, wait-early, wait)
				}
				tenths[min(early*10/(wait/10), 9)]++
			}
			for j, n := range tenths {
				if n == 0 || n > members/4 {
					t.Errorf("check %d: %d of %d members in tenth %d, want that they spread", i+1, n, members, j)
				}
			}
		}
	})
}
