package room_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// One round of the janitor reaches all connections, also those in no room, and all rooms.
func TestJanitorReachesEverything(t *testing.T) {
	const n = 40
	opts := &room.Options{PingEvery: -1, FirstMessageTimeout: 24 * time.Hour, HistoryAge: 24 * time.Hour}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		active := roomtest.Join(t, h, "active", "p")
		for i := range n {
			connect(t, h, fmt.Sprint("silent", i), "") // in no room
			visitor := roomtest.Join(t, h, fmt.Sprint("visitor", i), fmt.Sprint("empty", i))
			visitor.Send(fmt.Sprintf(`{"type":"leave-plan","planId":"empty%d"}`, i))
			visitor.Cut()
		}
		wantConnections(t, h, n+1)
		wantRooms(t, h, n+1)
		time.Sleep(30*time.Minute - time.Second)
		active.Session().Seen()
		wantConnections(t, h, n+1)
		wantRooms(t, h, n+1)
		time.Sleep(2 * time.Second) // the round at 30 minutes
		wantConnections(t, h, 1)
		wantRooms(t, h, 1)
	})
}

// The janitor runs while there is a connection or a room, and again after the hub was empty.
func TestJanitorStartsAgain(t *testing.T) {
	for _, name := range []string{"a connection", "a room"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, &room.Options{PingEvery: -1, FirstMessageTimeout: 24 * time.Hour}, func(t *testing.T, h *room.Hub) {
				for range 3 {
					m := connect(t, h, "alice", "")
					if name == "a room" {
						m.Join("p", nil)
						m.Send(`{"type":"leave-plan","planId":"p"}`)
						m.Cut()
					}
					time.Sleep(36 * time.Minute)
					wantConnections(t, h, 0)
					wantRooms(t, h, 0)
					time.Sleep(time.Hour)
				}
			})
		})
	}
}

// In one round the janitor frees all events that are too old in rooms without activity.
func TestJanitorTrimsQuietRooms(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		for i := range 20 {
			plan := fmt.Sprint("p", i)
			roomtest.Join(t, h, fmt.Sprint("user", i), plan)
			for n := range 10 {
				update(t, h, plan, n)
			}
		}
		full := h.Stats().HistoryBytes
		time.Sleep(30*time.Minute - time.Second)
		if got := h.Stats().HistoryBytes; got != full {
			t.Errorf("%d bytes of history before its end, want %d", got, full)
		}
		time.Sleep(5*time.Minute + 2*time.Second)
		if got, most := h.Stats().HistoryBytes, 20*1500; got > most {
			t.Errorf("%d bytes of history, want at most %d: it is too old", got, most)
		}
		wantRooms(t, h, 20)
	})
}

// Shutdown sends goodbye in batches with pauses, which are shorter if the time is short.
func TestDrainPauses(t *testing.T) {
	const batches, batch = 20, 128
	tests := []struct {
		name    string
		timeout time.Duration // 0: none
		pause   time.Duration
	}{
		{name: "no limit", pause: 50 * time.Millisecond},
		{name: "enough time", timeout: time.Minute, pause: 50 * time.Millisecond},
		{name: "little time", timeout: 400 * time.Millisecond, pause: 10 * time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := room.NewHub(&room.Options{Authorize: anyone})
				ends := &endTimes{start: time.Now()}
				for n := range batches * batch {
					s := benchConnect(t, h, fmt.Sprint("user", n)).session
					go func() {
						<-s.Done()
						ends.add()
					}()
				}
				ctx := context.Background()
				if test.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.timeout)
					defer cancel()
				}
				if err := h.Shutdown(ctx); err != nil {
					t.Errorf("Shutdown = %v", err)
				}
				synctest.Wait()
				var want []time.Duration
				for n := range batches * batch {
					want = append(want, time.Duration(n/batch)*test.pause)
				}
				ends.mu.Lock()
				defer ends.mu.Unlock()
				if slices.Sort(ends.at); !slices.Equal(ends.at, want) {
					t.Errorf("%d connections ended, the first at %v and the last at %v, want %d of them %v apart in batches of %d",
						len(ends.at), ends.at[0], ends.at[len(ends.at)-1], len(want), test.pause, batch)
				}
			})
		})
	}
}

// endTimes records when connections ended.
type endTimes struct {
	start time.Time

	mu sync.Mutex // guards the following
	at []time.Duration
}

func (e *endTimes) add() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at = append(e.at, time.Since(e.start))
}
