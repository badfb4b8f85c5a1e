package room_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A member that another check is removing is in no room any more, but an event may still be written
// to it: Recheck waits for the end of that write, too.
func TestRecheckWaitsForOtherRemovals(t *testing.T) {
	removals := map[string]func(h *room.Hub, p *peer, authorize func(error)){
		"a check": func(h *room.Hub, _ *peer, authorize func(error)) {
			authorize(room.ErrForbidden)
			go h.RecheckUser(context.Background(), "u")
		},
		"a login that has ended": func(h *room.Hub, _ *peer, authorize func(error)) {
			authorize(room.ErrUnauthenticated)
			go h.RecheckUser(context.Background(), "u")
		},
		"a repeated join": func(_ *room.Hub, p *peer, authorize func(error)) {
			authorize(room.ErrForbidden)
			p.join("p", nil)
		},
		"the deadline": func(_ *room.Hub, _ *peer, authorize func(error)) {
			authorize(errors.New("the database is down"))
			time.Sleep(2 * time.Minute) // removed in the last tenth of the second minute
		},
	}
	rechecks := map[string]func(h *room.Hub) (room.Rechecked, error){
		"Recheck":     func(h *room.Hub) (room.Rechecked, error) { return h.Recheck(context.Background(), "p") },
		"RecheckUser": func(h *room.Hub) (room.Rechecked, error) { return h.RecheckUser(context.Background(), "u") },
		"ClosePlan": func(h *room.Hub) (room.Rechecked, error) {
			removed, err := h.ClosePlan(context.Background(), "p")
			return room.Rechecked{Removed: removed}, err
		},
	}
	for by, remove := range removals {
		for name, recheck := range rechecks {
			t.Run(name+" during "+by, func(t *testing.T) {
				var answer atomic.Pointer[error]
				authorize := func(err error) { answer.Store(&err) }
				opts := &room.Options{
					PingEvery: -1, ReauthorizeEvery: time.Minute, RemoveAfter: time.Minute,
					Authorize: func(context.Context, auth.Identity, string) error {
						if err := answer.Load(); err != nil {
							return *err
						}
						return nil
					},
				}
				seamTest(t, opts, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
					writing.Arm()
					update(t, h, "p", 1)
					writing.Wait()
					remove(h, p, authorize)
					synctest.Wait()
					if info, _ := h.Room("p"); info.Connections != 0 {
						t.Fatal("the member is still in the room")
					}
					returned := make(chan struct{})
					go func() {
						defer close(returned)
						got, err := recheck(h)
						wantRechecked(t, got, err, room.Rechecked{})
					}()
					synctest.Wait()
					select {
					case <-returned:
						t.Error("the call returned while an event was being written to a member that is being removed")
					default:
					}
					writing.Release()
					<-returned
				})
			})
		}
	}
}
