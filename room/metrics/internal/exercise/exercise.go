// Package exercise uses a hub so that each of its numbers becomes more than 0, for tests.
package exercise

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// access is an Authorize function whose answer changes.
type access struct {
	down atomic.Bool   // it fails
	held chan struct{} // calls about the plan "stuck" return when it is closed
}

func (a *access) authorize(ctx context.Context, id auth.Identity, planID string) error {
	switch {
	case planID == "secret", id.UserID == "expelled" && a.down.Load():
		return room.ErrForbidden
	case planID == "stuck":
		<-a.held
	case a.down.Load():
		return errors.New("the database is down")
	}
	return nil
}

// Run creates a hub with the observer, passes it to watch, uses it, calls check while the numbers
// do not change, and shuts it down. The test must run in a bubble of testing/synctest.
func Run(t *testing.T, observer room.Observer, watch func(*room.Hub), check func(*room.Hub)) {
	t.Helper()
	a := &access{held: make(chan struct{})}
	h := room.NewHub(&room.Options{
		Authorize: a.authorize, AuthorizeTimeout: 4 * time.Minute, AuthorizeParallel: 2, ReauthorizeEvery: time.Minute, RemoveAfter: time.Hour,
		PingEvery: -1, IdleTimeout: 2 * time.Hour, WriteTimeout: 10 * time.Minute, HistoryTotal: 32 << 10, QueuePerConnection: 1,
		Observer: observer,
	})
	watch(h)
	use(t, h, a)
	synctest.Wait()
	check(h)
	close(a.held)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

func use(t *testing.T, h *room.Hub, a *access) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	broadcast := func(planID string, bytes int) {
		t.Helper()
		_, err := h.BroadcastTaskUpdated(t.Context(), planID, map[string]string{"id": "1", "note": strings.Repeat("x", bytes)})
		must(err)
	}
	ann := roomtest.Join(t, h, "ann", "p")
	ann.Cut()
	ann.Resume()
	ann.Send(`{"type":"join-plan","planId":"secret"}`)
	ann.Refused(protocol.ErrorForbidden)
	roomtest.Connect(t, h, auth.Identity{UserID: "cleo"}, nil).Join("p", &protocol.Position{Epoch: "another", Seq: 1})
	broadcast("old", 20_000)
	broadcast("p", 20_000) // evicts the history of old

	slow := func() *roomtest.Member {
		m := roomtest.Connect(t, h, auth.Identity{UserID: "slow"}, &roomtest.Options{SocketBuffer: 10})
		m.Join("p", nil)
		m.Stall()
		broadcast("p", 10)
		synctest.Wait()
		return m
	}
	m := slow()
	must(h.Resync(t.Context(), "p"))
	m.Unstall()
	synctest.Wait()
	m.Cut()
	slow()
	for range 3 {
		_, err := h.Notify(t.Context(), "slow", protocol.Event{Type: "hello", Data: map[string]int{"n": 1}})
		must(err)
	}
	h.ReportRefusal(room.RefusalInfo{Reason: room.RefusedOrigin, Status: 403})
	h.ReportRefusal(room.RefusalInfo{Reason: "made up", Status: 500})

	roomtest.Join(t, h, "expelled", "p")
	dan := roomtest.Join(t, h, "dan", "p")
	dan.Leave("p")
	roomtest.Join(t, h, "eve", "p")
	_, err := h.Revoke(t.Context(), "p", "eve")
	must(err)
	gone := roomtest.Join(t, h, "gone", "p")
	gone.Sink().SendClose(3999)
	_, err = h.Disconnect(t.Context(), "dan")
	must(err)
	time.Sleep(2 * time.Minute) // rechecks say yes
	a.down.Store(true)
	time.Sleep(2 * time.Minute) // rechecks fail, and remove a member
	time.Sleep(15 * time.Minute)
	synctest.Wait() // one was too slow
	a.down.Store(false)

	// A call of Authorize that is overdue gives its slot back. Two others hold the two slots, so
	// rechecks and joins wait.
	join := func(userID string) {
		roomtest.Connect(t, h, auth.Identity{UserID: userID}, nil).Send(`{"type":"join-plan","planId":"stuck"}`)
	}
	join("f1")
	time.Sleep(5 * time.Minute)
	join("f2")
	join("f3")
	time.Sleep(2 * time.Minute)
	join("f4")
}
