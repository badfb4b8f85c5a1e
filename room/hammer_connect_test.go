package room_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// TestOneConnectionPerClientID connects one tab from many goroutines at once. Only the newest
// connection stays open.
func TestOneConnectionPerClientID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, nil)
		var mu sync.Mutex
		var all []*peer
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 40 {
					p := newPeer(1, 100)
					if err := p.connect(h, auth.Identity{UserID: "u", Name: "u"}, "tab", nil); err != nil {
						t.Error(err)
						return
					}
					p.join("p", nil)
					if rand.N(3) == 0 {
						p.end(protocol.CloseAbnormal)
					}
					mu.Lock()
					all = append(all, p)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		open := 0
		for _, p := range all {
			p.check(t)
			if !p.isClosed() {
				open++
			}
		}
		info, _ := h.Room("p")
		if got := h.UserConnections("u"); got != open || open > 1 || info.Connections > 1 || h.Stats().Connections != open {
			t.Errorf("%d connections, %d open, %d in the room", got, open, info.Connections)
		}
		for _, p := range all {
			p.end(protocol.CloseAbnormal)
		}
		time.Sleep(6 * time.Second)
		if info, _ := h.Room("p"); len(info.People) != 0 {
			t.Errorf("left: %v", info.People)
		}
	})
}

func TestAsManyConnectionsAsAllowed(t *testing.T) {
	for range 20 {
		h := newHub(t, &room.Options{ConnectionsPerUser: 5})
		var in atomic.Int32
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				p := newPeer(1, 100)
				switch err := p.connect(h, auth.Identity{UserID: "u"}, "", nil); {
				case err == nil:
					in.Add(1)
				case !errors.Is(err, room.ErrTooManyConnections):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if in.Load() != 5 || h.UserConnections("u") != 5 {
			t.Fatalf("%d connected, Stats counts %d; want 5", in.Load(), h.UserConnections("u"))
		}
	}
}
