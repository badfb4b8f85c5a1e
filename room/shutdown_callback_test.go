package room_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
)

// A call of Shutdown in a callback returns, although the hub cannot end before the callback does:
// with nil if the hub does not depend on the callback, or with ErrCallback. The bubble fails the
// test if Shutdown does not return or a goroutine is left.
func TestShutdownInsideACallback(t *testing.T) {
	for _, inside := range []string{"authorize", "connect", "disconnect", "join", "leave", "cut", "denied", "broadcast", "resync", "slow"} {
		t.Run(inside, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h *room.Hub
				var called atomic.Bool
				call := func(name string) {
					// Not a sync.Once: two joins overlap, and the second would stop virtual time.
					if name != inside || called.Swap(true) {
						return
					}
					if err := h.Shutdown(context.Background()); err != nil && !errors.Is(err, room.ErrCallback) {
						t.Errorf("Shutdown = %v", err)
					}
				}
				leave := "leave"
				if inside == "cut" {
					leave = "cut"
				}
				h = room.NewHub(&room.Options{
					HistoryEvents: 2,
					Authorize: func(_ context.Context, _ auth.Identity, planID string) error {
						call("authorize")
						if planID == "secret" {
							return room.ErrForbidden
						}
						return nil
					},
					Observer: room.Observer{
						Connect:    func(room.ConnectionInfo) { call("connect") },
						Disconnect: func(room.DisconnectInfo) { call("disconnect") },
						Join:       func(room.JoinInfo) { call("join") },
						Leave:      func(room.LeaveInfo) { call(leave) },
						Denied:     func(room.DenialInfo) { call("denied") },
						Broadcast:  func(context.Context, room.BroadcastInfo) { call("broadcast") },
						Resync:     func(room.ResyncInfo) { call("resync") },
						Slow:       func(room.ConnectionInfo) { call("slow") },
					},
				})
				p := openPipe(t, h, "alice", -1)
				p.send(`{"type":"join-plan","planId":"p"}`)
				p.send(`{"type":"join-plan","planId":"secret"}`)
				synctest.Wait()
				_ = h.Resync(t.Context(), "p") // the hub may be closed, here and below
				synctest.Wait()
				p.open(5)
				for n := range 3 {
					_, _ = h.BroadcastTaskUpdated(t.Context(), "p", task(n))
				}
				synctest.Wait()
				p.open(-1)
				if inside == "leave" {
					p.send(`{"type":"leave-plan","planId":"p"}`)
				}
				synctest.Wait()
				_ = p.Close()
				time.Sleep(time.Minute)
				if !called.Load() {
					t.Error("the callback was not called")
				}
				if err := h.Shutdown(t.Context()); err != nil {
					t.Errorf("the second Shutdown = %v", err)
				}
			})
		})
	}
}

// Shutdown waits for functions of the Observer as long as one returns now and then: a host that
// writes each disconnect to a slow database loses none.
func TestShutdownWaitsForObservers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		recorded := 0
		h := room.NewHub(&room.Options{Authorize: anyone, Observer: room.Observer{
			Disconnect: func(room.DisconnectInfo) {
				mu.Lock()
				recorded++
				n := recorded
				mu.Unlock()
				time.Sleep(time.Duration(n) * 4 * time.Second)
			},
		}})
		for _, user := range []string{"a", "b", "c", "d", "e"} {
			openPipe(t, h, user, -1)
		}
		start := time.Now()
		if err := h.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown = %v", err)
		}
		if took := time.Since(start); took < 20*time.Second || recorded != 5 {
			t.Errorf("Shutdown returned after %v, with %d disconnects recorded, want 5", took, recorded)
		}
	})
}
