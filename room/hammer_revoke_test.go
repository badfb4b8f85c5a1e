package room_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// TestNothingIsWrittenAfterRevoke revokes users who join, read, and stall, while others broadcast.
// Between the return of Revoke and the moment at which the user may return, no byte of the plan is
// written to the user's connections.
func TestNothingIsWrittenAfterRevoke(t *testing.T) {
	const users = 3
	var denied [users]atomic.Bool
	h := newHub(t, &room.Options{
		HistoryEvents: 32,
		Authorize: func(_ context.Context, id auth.Identity, _ string) error {
			no := denied[id.UserID[0]-'0'].Load()
			runtime.Gosched()
			if no {
				return room.ErrForbidden
			}
			return nil
		},
	})
	var background ender
	background.loop(func() {
		task := json.RawMessage(`"` + fmt.Sprintf("%0*d", 1+rand.N(200), 0) + `"`)
		if _, err := h.BroadcastTaskUpdated(context.Background(), "p", task, room.ExceptUser(fmt.Sprint(rand.N(2*users)))); err != nil {
			t.Error(err)
		}
		runtime.Gosched()
	})
	until := time.Now().Add(700 * time.Millisecond)
	var wg sync.WaitGroup
	for n := range users {
		user := fmt.Sprint(n)
		wg.Go(func() {
			type window struct{ from, to int64 }
			for time.Now().Before(until) {
				peers := []*peer{newPeer(1, 64), newPeer(2, 300), newPeer(1, 64)}
				peers[2].opts.Blocking = true
				windows := make([][]window, len(peers))
				var joining ender
				for _, p := range peers {
					mustConnect(t, h, p, user)
					joins := 0
					joining.loop(func() {
						if joins++; joins < 100 { // below the rate limit
							p.join("p", nil)
						}
						if rand.N(4) == 0 {
							p.stall()
						}
						if joins == 10 {
							// The rest of a frame may still be in flight when Revoke is called.
							p.leave("p")
						}
						time.Sleep(time.Duration(rand.N(200)) * time.Microsecond)
						p.unstall()
					})
				}
				for range 10 {
					time.Sleep(time.Duration(rand.N(500)) * time.Microsecond)
					denied[n].Store(true)
					if _, err := h.Revoke(context.Background(), "p", user); err != nil {
						t.Error(err)
					}
					from := make([]int64, len(peers))
					for i, p := range peers {
						from[i] = p.bytes()
					}
					time.Sleep(300 * time.Microsecond)
					for i, p := range peers {
						windows[i] = append(windows[i], window{from[i], p.bytes()})
					}
					denied[n].Store(false)
				}
				joining.end()
				for i, p := range peers {
					p.unstall()
					p.end(protocol.CloseAbnormal)
					<-p.session.Done()
					p.check(t)
					for _, m := range p.take() {
						of := m.msg.Seq > 0 || m.msg.Type == protocol.TypeResync || m.msg.Type == protocol.TypeJoinPlan
						for _, w := range windows[i] {
							if of && m.end > w.from && m.end <= w.to {
								t.Errorf("%s %d was written up to byte %d, between %d and %d", m.msg.Type, m.msg.Seq, m.end, w.from, w.to)
							}
						}
					}
				}
			}
		})
	}
	wg.Wait()
	background.end()
}
