package room_test

import (
	"bytes"
	"context"
	"fmt"
	"github.com/planrooms/planrooms/auth"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestLossDuringADrain makes the log lose records while a node shuts down. The positions of before
// the loss are not those of the log after it: a client that got resync gets none of them as a
// receipt.
func TestLossDuringADrain(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		for i := range 20 {
			publish(t, nodes[0].Hub, "q", fmt.Sprint("moves the position of p ", i))
		}
		synctest.Wait()
		// The shutdown ends the connections one after the other, and each one takes its time.
		lose := sync.OnceFunc(func() { m.LoseTail(15) })
		slowly := func(_ int, b []byte) int {
			if bytes.Contains(b, []byte("goodbye")) {
				lose()
				time.Sleep(800 * time.Millisecond)
			}
			return len(b)
		}
		clients := make([]*hooked, 6)
		for i := range clients {
			clients[i] = openHooked(t, nodes[0].Hub, fmt.Sprint("user-", i), roomtest.Lines{}, slowly)
			clients[i].join("p")
		}
		gathered()
		if err := nodes[0].Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		resyncs := 0
		for _, c := range clients {
			_, after, lost := strings.Cut(kinds(t, c.read()), "resync")
			if !lost {
				continue
			}
			resyncs++
			if want := " goodbye (close 4503 shutting down)"; after != want {
				t.Errorf("got %q after the resync, want %q", after, want)
			}
		}
		if resyncs == 0 {
			t.Error("no client got resync")
		}
	})
}

// TestAccessEndsDuringADrain ends the access of a user while another node shuts down, with an event
// that waits for a slow connection of that user: it is not written any more.
func TestAccessEndsDuringADrain(t *testing.T) {
	for name, end := range map[string]func(context.Context, *room.Hub) error{
		"RecheckUser": func(ctx context.Context, h *room.Hub) error {
			_, err := h.RecheckUser(ctx, "alice")
			return err
		},
		"Recheck": func(ctx context.Context, h *room.Hub) error {
			_, err := h.Recheck(ctx, "p")
			return err
		},
		"RevokeUser": func(ctx context.Context, h *room.Hub) error {
			_, err := h.RevokeUser(ctx, "alice")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var ended atomic.Bool
			o := room.Options{PingEvery: -1, Authorize: func(_ context.Context, id auth.Identity, _ string) error {
				if ended.Load() && id.UserID == "alice" {
					return room.ErrForbidden
				}
				return nil
			}}
			nodes(t, 2, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
				p := sinks{}.pipe(t, nodes[1].Hub, "alice", -1)
				p.send(`{"type":"join-plan","planId":"p"}`)
				p.read()
				p.open(0)
				publish(t, nodes[0].Hub, "p", "secret")
				synctest.Wait()
				over := make(chan error, 1)
				go func() { over <- nodes[1].Shutdown(t.Context()) }()
				time.Sleep(100 * time.Millisecond)
				ended.Store(true)
				if err := end(t.Context(), nodes[0].Hub); err != nil {
					t.Error(err)
				}
				p.open(-1)
				if got := p.read(); strings.Contains(got, "secret") {
					t.Errorf("after access has ended, the user got %q", got)
				}
				<-over
			})
		})
	}
}
