package room_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// After a deploy all clients reconnect at once: AuthorizeParallel calls run at a time, and no join
// is refused.
func TestAuthorizeParallel(t *testing.T) {
	l := newLoad(takes(200 * time.Millisecond))
	bubble(t, &room.Options{Authorize: l.authorize}, func(t *testing.T, h *room.Hub) {
		const clients = 3000
		for n := range clients {
			newGuest(t, h, fmt.Sprint("user", n), nil).join(fmt.Sprint("plan", n/5))
		}
		synctest.Wait()
		if got := h.Stats(); got.AuthorizeRunning != 256 || got.JoinsWaiting != clients-256 {
			t.Errorf("%d calls run and %d joins wait, want 256 and %d", got.AuthorizeRunning, got.JoinsWaiting, clients-256)
		}
		time.Sleep(12*200*time.Millisecond + time.Millisecond) // 3,000 / 256 rounds
		synctest.Wait()
		if got := allMembers(h); got != clients {
			t.Errorf("%d of %d joined", got, clients)
		}
		if _, most, _ := l.counts(""); most != 256 {
			t.Errorf("%d calls at once, want 256", most)
		}
		if got := h.Stats(); got.AuthorizeRunning != 0 || got.JoinsWaiting != 0 || got.Denied != 0 {
			t.Errorf("afterwards %+v", got)
		}
	})
}

// A user has at most 8 calls at a time, on any number of connections, and does not wait for the
// calls of other users.
func TestAuthorizeParallelOfOneUser(t *testing.T) {
	l := newLoad(takes(200 * time.Millisecond))
	bubble(t, &room.Options{Authorize: l.authorize}, func(t *testing.T, h *room.Hub) {
		for range 20 {
			tab := newGuest(t, h, "alice", nil)
			for n := range 64 {
				tab.join(fmt.Sprint("plan", n))
			}
		}
		synctest.Wait()
		start := time.Now()
		roomtest.Join(t, h, "bob", "plan0")
		if got := time.Since(start); got != 200*time.Millisecond {
			t.Errorf("another user waited %v, want 200 ms", got)
		}
		// 1,280 / 8 × 200 ms in all.
		time.Sleep(32*time.Second - 200*time.Millisecond + time.Millisecond)
		if got := allMembers(h); got != 20*64+1 {
			t.Errorf("%d joined, want 1281", got)
		}
		if calls, _, most := l.counts("alice"); most != 8 || calls != 20*64+1 {
			t.Errorf("%d calls, %d for one user at once; want 1281 and 8", calls, most)
		}
	})
}

// Joins of different plans on one connection overlap.
func TestJoinsOverlap(t *testing.T) {
	l := newLoad(takes(200 * time.Millisecond))
	bubble(t, &room.Options{Authorize: l.authorize}, func(t *testing.T, h *room.Hub) {
		tab := newGuest(t, h, "alice", nil)
		for n := range 64 {
			tab.join(fmt.Sprint("plan", n))
		}
		time.Sleep(64/8*200*time.Millisecond - time.Millisecond)
		synctest.Wait()
		if got := allMembers(h); got != 56 {
			t.Errorf("%d plans joined before the last round, want 56", got)
		}
		time.Sleep(2 * time.Millisecond)
		if got := allMembers(h); got != 64 {
			t.Errorf("%d plans joined, want 64", got)
		}
	})
}

// A client cannot evade the limits by reconnecting: the calls of ended connections still count, and
// their waiting joins are dropped.
func TestReconnectingKeepsTheLimit(t *testing.T) {
	d := newHanging()
	bubble(t, &room.Options{Authorize: d.authorize}, func(t *testing.T, h *room.Hub) {
		d.open()
		for range 200 {
			tab := newGuest(t, h, "mallory", nil)
			for n := range 64 {
				tab.join(fmt.Sprint("plan", n))
			}
			synctest.Wait()
			tab.session.End(protocol.CloseAbnormal)
		}
		synctest.Wait()
		if calls, most, _ := d.counts(""); calls != 8 || most != 8 {
			t.Errorf("%d calls, %d at once; want 8", calls, most)
		}
		if got := h.Stats(); got.JoinsWaiting != 0 || got.AuthorizeRunning != 8 {
			t.Errorf("%d joins wait, %d calls run; want 0 and 8", got.JoinsWaiting, got.AuthorizeRunning)
		}
		close(d.released)
		synctest.Wait()
		roomtest.Join(t, h, "mallory", "plan0")
		if calls, _, _ := d.counts(""); calls != 9 {
			t.Errorf("%d calls, want one more", calls)
		}
	})
}

// Users wait in turn: one with many joins does not delay those of another.
func TestWaitingJoinsAreFair(t *testing.T) {
	l := newLoad(takes(time.Second))
	bubble(t, &room.Options{Authorize: l.authorize, AuthorizeParallel: 2}, func(t *testing.T, h *room.Hub) {
		greedy := newGuest(t, h, "greedy", nil)
		for n := range 60 {
			greedy.join(fmt.Sprint("plan", n))
		}
		synctest.Wait()
		modest := make([]*guest, 4)
		for i := range modest {
			modest[i] = newGuest(t, h, fmt.Sprint("modest", i), nil)
			modest[i].join("p")
		}
		// Two calls per second, one of them for the greedy user until the others have joined.
		time.Sleep(4*time.Second + time.Millisecond)
		synctest.Wait()
		for i, g := range modest {
			if got := g.got()[protocol.TypeJoinPlan]; got == 0 {
				t.Errorf("user %d still waits", i)
			}
		}
		if _, most, _ := l.counts(""); most != 2 {
			t.Errorf("%d calls at once, want 2", most)
		}
	})
}

// Shutdown ends waiting joins without calling Authorize for them.
func TestShutdownDropsWaitingJoins(t *testing.T) {
	for _, name := range []string{"at once", "after the drain"} {
		t.Run(name, func(t *testing.T) {
			l := newLoad(takes(time.Second))
			synctest.Test(t, func(t *testing.T) {
				h := room.NewHub(&room.Options{Authorize: l.authorize, AuthorizeParallel: 3})
				for n := range 100 {
					newGuest(t, h, fmt.Sprint("user", n), nil).join("p")
				}
				synctest.Wait()
				ctx, cancel := context.WithCancel(t.Context())
				if name == "at once" {
					cancel()
				}
				start := time.Now()
				err := h.Shutdown(ctx)
				cancel()
				if name != "at once" && err != nil {
					t.Errorf("Shutdown: %v", err)
				}
				if got := time.Since(start); got > time.Second {
					t.Errorf("Shutdown took %v", got)
				}
				if calls, _, _ := l.counts(""); calls != 3 {
					t.Errorf("%d calls, want the 3 that ran before Shutdown", calls)
				}
			})
		})
	}
}

// While Authorize is slow and sometimes fails, connects and disconnects never exceed a limit, and
// leave no call or join behind.
func TestAccessUnderTraffic(t *testing.T) {
	var mu sync.Mutex
	n := 0
	l := newLoad(func(ctx context.Context, _ auth.Identity, _ string) error {
		mu.Lock()
		n++
		i := n
		mu.Unlock()
		if i%50 == 0 {
			<-ctx.Done() // until AuthorizeTimeout
			return ctx.Err()
		}
		pause(ctx, time.Duration(i%7)*time.Millisecond)
		if i%11 == 0 {
			return room.ErrForbidden
		}
		return nil
	})
	opts := &room.Options{Authorize: l.authorize, AuthorizeParallel: 20, AuthorizeTimeout: 30 * time.Millisecond, ReauthorizeEvery: 20 * time.Millisecond}
	h := room.NewHub(opts)
	var wg sync.WaitGroup
	for u := range 6 {
		for range 4 {
			wg.Go(func() {
				for i := range 15 {
					g := newGuest(t, h, fmt.Sprint("user", u), nil)
					for p := range 30 {
						g.join(fmt.Sprint("plan", p%20))
						if p%3 == 0 {
							g.session.Receive(fmt.Appendf(nil, `{"type":"leave-plan","planId":"plan%d"}`, p%20))
						}
					}
					if i%2 == 0 {
						pause(t.Context(), 5*time.Millisecond)
					}
					g.session.End(protocol.CloseAbnormal)
					<-g.session.Done()
				}
			})
		}
	}
	wg.Wait()
	if _, most, mostOfUser := l.counts("user1"); most > 2*20 || mostOfUser > 2*8 {
		t.Errorf("%d calls at once, %d of one user; want at most 40 and 16, overdue ones included", most, mostOfUser)
	}
	if got := h.Stats(); got.JoinsWaiting != 0 || got.RechecksWaiting != 0 {
		t.Errorf("%d joins and %d rechecks wait for connections that have ended", got.JoinsWaiting, got.RechecksWaiting)
	}
	if err := h.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if got := h.Stats(); got.AuthorizeRunning != 0 || got.AuthorizeOverdue != 0 {
		t.Errorf("%d calls run and %d are overdue after Shutdown", got.AuthorizeRunning, got.AuthorizeOverdue)
	}
}
