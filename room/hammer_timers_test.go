package room_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// TestHousekeepingUnderTraffic lets the janitor delete rooms and the budget empty them, during
// broadcasts and joins.
func TestHousekeepingUnderTraffic(t *testing.T) {
	h := newHub(t, &room.Options{
		HistoryTotal: 8 << 10, JanitorEvery: time.Millisecond, IdleTimeout: 3 * time.Millisecond, Linger: time.Millisecond,
		PingEvery: -1, HistoryAge: 5 * time.Millisecond,
	})
	var orders [6]numbering
	var wg sync.WaitGroup
	until := time.Now().Add(500 * time.Millisecond)
	for n := range orders {
		plan := fmt.Sprint("plan", n)
		wg.Go(func() {
			for i := 0; time.Now().Before(until); i++ {
				if _, err := h.BroadcastTaskUpdated(context.Background(), plan, json.RawMessage(fmt.Sprintf(`"%0200d"`, i))); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Duration(rand.N(100)) * time.Microsecond)
			}
		})
		wg.Go(func() {
			for time.Now().Before(until) {
				p := newPeer(1, 500)
				if err := p.connect(h, auth.Identity{UserID: plan}, "", nil); err != nil {
					t.Error(err)
					return
				}
				s := stream{plan: plan, order: &orders[n]}
				p.join(plan, nil)
				time.Sleep(time.Duration(rand.N(2000)) * time.Microsecond)
				if rand.N(2) == 0 {
					p.leave(plan)
				}
				p.end(protocol.CloseAbnormal)
				s.follow(t, plan, p.take())
				p.check(t)
			}
		})
	}
	wg.Wait()
	if got := h.Stats().HistoryBytes; got < 0 || got > 8<<10+6*1300 {
		t.Errorf("%d bytes of history", got)
	}
	// A room that no client has joined stays for two minutes. The janitor also closes connections,
	// so this may take a few tries.
	for deadline := time.Now().Add(10 * time.Second); h.Stats().Rooms > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("the janitor has not cleared everything: %+v", h.Stats())
		}
		for _, r := range h.Rooms() {
			p := mustConnect(t, h, newPeer(1, 500), "last")
			p.join(r.PlanID, nil)
			p.wait(10*time.Millisecond, func() bool { return p.isClosed() || len(p.take()) > 1 })
			p.end(protocol.CloseAbnormal)
		}
		time.Sleep(2 * time.Millisecond)
	}
	if got := h.Stats().HistoryBytes; got != 0 {
		t.Errorf("%d bytes of history in no room", got)
	}
}

// TestTimersUnderTraffic changes deadlines at the moment at which they pass: pings, expiries,
// renewals, rechecks, lingering.
func TestTimersUnderTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, &room.Options{
			PingEvery: 2 * time.Millisecond, PingTimeout: 2 * time.Millisecond, Linger: time.Millisecond,
			ReauthorizeEvery: 3 * time.Millisecond, FirstMessageTimeout: 5 * time.Millisecond, WriteTimeout: 20 * time.Millisecond,
		})
		var wg sync.WaitGroup
		var peers [30]*peer
		for i := range peers {
			p := newPeer(1, 50)
			peers[i] = p
			verifier := auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
				return auth.Identity{UserID: fmt.Sprint(i), ExpiresAt: time.Now().Add(time.Hour)}, nil
			})
			wg.Go(func() {
				time.Sleep(time.Duration(rand.N(5000)) * time.Microsecond)
				id := auth.Identity{UserID: fmt.Sprint(i), ExpiresAt: time.Now().Add(time.Duration(5+i%20) * time.Millisecond)}
				if err := p.connect(h, id, "", verifier); err != nil {
					t.Error(err)
					return
				}
				if i%6 == 0 {
					return // sends nothing
				}
				for n := range 20 {
					time.Sleep(time.Duration(rand.N(1000)) * time.Microsecond)
					p.join(fmt.Sprint(rand.N(3)), nil)
					if i%3 == 1 && n == 1 {
						p.request(protocol.Request{Type: protocol.TypeAuthenticate, Token: "t"})
					}
					if i%5 == 2 && n == 10 {
						p.stall()
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		for i, p := range peers {
			p.check(t)
			renewed := i%6 != 0 && i%3 == 1 && i%5 != 2
			if p.isClosed() == renewed {
				t.Errorf("%d: closed %v with %d", i, p.isClosed(), p.code())
			}
			if i%6 == 0 && p.code() != protocol.CloseTimeout && p.code() != protocol.CloseUnauthorized {
				t.Errorf("connection %d: silent, and closed with %d", i, p.code())
			}
		}
		for _, p := range peers {
			p.end(protocol.CloseAbnormal)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		if got := h.Stats(); got.Connections+got.Users != 0 {
			t.Errorf("left: %+v", got)
		}
	})
}
