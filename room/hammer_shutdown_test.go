package room_test

import (
	"context"
	"errors"
	"fmt"
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

// TestShutdownUnderTraffic shuts down during joins, broadcasts and disconnects. The bubble fails if
// a goroutine is left.
func TestShutdownUnderTraffic(t *testing.T) {
	for _, patience := range []time.Duration{0, 10 * time.Millisecond, time.Minute} {
		t.Run(patience.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var left, joined atomic.Int64
				h := room.NewHub(&room.Options{Authorize: anyone, Observer: room.Observer{
					Join:  func(room.JoinInfo) { joined.Add(1) },
					Leave: func(room.LeaveInfo) { left.Add(1) },
				}})
				var wg sync.WaitGroup
				var peers [70]*peer
				for i := range peers {
					p := newPeer(byte(1+i%2), 100)
					p.opts.Blocking = i%7 == 0
					peers[i] = p
					wg.Go(func() {
						if p.connect(h, auth.Identity{UserID: fmt.Sprint(i % 10)}, "", nil) != nil {
							return
						}
						for n := range 8 {
							p.join("p", nil)
							if i%5 == 0 && n == 4 {
								p.stall()
							}
							if i%11 == 0 {
								p.leave("p")
							}
							time.Sleep(time.Duration(rand.N(1000)) * time.Microsecond)
						}
					})
				}
				for range 4 {
					wg.Go(func() {
						for errorOf(h.BroadcastTaskDeleted(t.Context(), "p", "1")) == nil {
							time.Sleep(50 * time.Microsecond)
						}
					})
				}
				time.Sleep(3 * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				for range 2 { // at the same time
					wg.Go(func() {
						if err := h.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
							t.Error(err)
						}
					})
				}
				if err := h.Shutdown(ctx); patience == time.Minute && err != nil {
					t.Error(err)
				}
				wg.Wait()
				synctest.Wait()
				if joined.Load() != left.Load() {
					t.Errorf("%d joins, %d leaves", joined.Load(), left.Load())
				}
				var order numbering
				var last uint64
				for i, p := range peers {
					p.check(t)
					if p.session == nil {
						continue
					}
					<-p.session.Done()
					s := stream{plan: "p", order: &order}
					s.follow(t, fmt.Sprint(i), p.take())
					// All events with a position were delivered.
					if patience == time.Minute && i%5 != 0 && i%11 != 0 {
						if last == 0 {
							last = s.seq()
						}
						if s.in && s.seq() != last || p.code() != protocol.CloseShutdown {
							t.Errorf("%d: ended at %d with %d, others at %d", i, s.seq(), p.code(), last)
						}
					}
				}
			})
		})
	}
}
