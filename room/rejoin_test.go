package room_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
)

// A client joins again while it is being removed and a write to it is under way: it receives removed
// before the answer to the join, and neither is lost.
func TestRejoinDuringARemoval(t *testing.T) {
	var forbidden atomic.Bool
	for name, remove := range map[string]func(t *testing.T, h *room.Hub){
		"Revoke": func(t *testing.T, h *room.Hub) {
			go func() {
				if _, err := h.Revoke(t.Context(), "p", "u"); err != nil {
					t.Error(err)
				}
			}()
		},
		"recheck": func(*testing.T, *room.Hub) { forbidden.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			forbidden.Store(false)
			var left chan struct{}
			opts := &room.Options{
				ReauthorizeEvery: time.Second, PingEvery: -1,
				Authorize: func(context.Context, auth.Identity, string) error {
					if forbidden.Load() {
						return room.ErrForbidden
					}
					return nil
				},
				Observer: room.Observer{Leave: func(room.ConnectionInfo, string) { left <- struct{}{} }},
			}
			seamTest(t, opts, func(t *testing.T, h *room.Hub, p *peer, _, writing *seam) {
				left = make(chan struct{}, 2) // the end of the test is another leave
				writing.armed.Store(true)
				update(t, h, "p", 1)
				<-writing.reached
				remove(t, h)
				<-left
				synctest.Wait() // the removal waits for the write
				forbidden.Store(false)
				p.join("p", nil)
				synctest.Wait()
				close(writing.open)
				synctest.Wait()
				if got := p.types(); got != "[task-updated removed join-plan]" {
					t.Errorf("the client received %s", got)
				}
				if info, _ := h.Room("p"); info.Connections != 1 {
					t.Errorf("%d members, want 1", info.Connections)
				}
			})
		})
	}
}
