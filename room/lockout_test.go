package room_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// stalledIn returns pipes of n users that joined the plan. Half of an event is written to each.
func stalledIn(t *testing.T, h *room.Hub, of sinks, plan string, n int) []*pipe {
	t.Helper()
	pipes := make([]*pipe, n)
	for i := range pipes {
		pipes[i] = of.pipe(t, h, fmt.Sprint("user", i), -1)
		pipes[i].send(fmt.Sprintf(`{"type":"join-plan","planId":%q}`, plan))
	}
	gathered()
	for _, p := range pipes {
		p.read()
		p.open(0)
	}
	update(t, h, plan, 1)
	return pipes
}

// A host that locks out many users in turn does not wait for each stalled connection.
func TestLockingOutStalledUsersOneByOne(t *testing.T) {
	for name, lockOut := range map[string]func(h *room.Hub, user string) (int, error){
		"Revoke":     func(h *room.Hub, user string) (int, error) { return h.Revoke(context.Background(), "p", user) },
		"Disconnect": func(h *room.Hub, user string) (int, error) { return h.Disconnect(context.Background(), user) },
	} {
		t.Run(name, func(t *testing.T) {
			eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
				pipes := stalledIn(t, h, of, "p", 100)
				time.Sleep(time.Second)
				start := time.Now()
				for i, p := range pipes {
					if n, err := lockOut(h, fmt.Sprint("user", i)); n != 1 || err != nil {
						t.Fatalf("%d, %v, want 1 connection", n, err)
					}
					p.open(-1)
					if got := p.read(); got != "" {
						t.Errorf("wrote %q afterwards", got)
					}
				}
				if took := time.Since(start); took > 0 {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// A write that has just begun to wait for the peer gets 100 ms, from the start of the write.
func TestRevokeDuringAWrite(t *testing.T) {
	tests := []struct {
		opens time.Duration // after the start of the write
		took  time.Duration // by Revoke, which starts after 50 ms
		cut   bool
	}{
		{opens: 90 * time.Millisecond, took: 40 * time.Millisecond},
		{opens: 110 * time.Millisecond, took: 50 * time.Millisecond, cut: true},
	}
	for _, test := range tests {
		t.Run(test.opens.String(), func(t *testing.T) {
			eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
				p := stalledIn(t, h, of, "p", 1)[0]
				begin := time.Now()
				go func() {
					time.Sleep(test.opens)
					p.open(-1)
				}()
				time.Sleep(50 * time.Millisecond)
				if _, err := h.Revoke(t.Context(), "p", "user0"); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin) - 50*time.Millisecond; took != test.took {
					t.Errorf("Revoke took %v, want %v", took, test.took)
				}
				time.Sleep(time.Second)
				if _, closed := p.state(); closed != test.cut {
					t.Errorf("closed = %v, want %v", closed, test.cut)
				}
			})
		})
	}
}

// After Disconnect the user is not present in any room, even if the user's last connection had just
// ended. Other users remain.
func TestDisconnectOfALingeringUser(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		watchers := map[string]*roomtest.Member{}
		for _, plan := range []string{"p", "q", "r"} {
			watchers[plan] = roomtest.Join(t, h, "bob", plan)
		}
		alice := connect(t, h, "alice", "")
		alice.Join("p", nil)
		alice.Join("q", nil)
		carol := connect(t, h, "carol", "")
		carol.Join("p", nil)
		carol.Cut()
		alice.Cut()
		other := connect(t, h, "alice", "")
		other.Join("r", nil)
		time.Sleep(time.Second)
		for _, m := range watchers {
			unread(t, m)
		}
		if n, err := h.Disconnect(t.Context(), "alice"); n != 1 || err != nil {
			t.Errorf("Disconnect = %d, %v, want 1 connection", n, err)
		}
		for plan, m := range watchers {
			count := 1
			if plan == "p" {
				count = 2 // carol lingers
			}
			wantReceived(t, m, left(plan, "alice", count))
		}
		if n, err := h.Disconnect(t.Context(), "alice"); n != 0 || err != nil {
			t.Errorf("a second Disconnect = %d, %v", n, err)
		}
		time.Sleep(time.Minute)
		wantReceived(t, watchers["p"], left("p", "carol", 1))
		wantReceived(t, watchers["q"])
		if n := room.Lingering(h); n != 0 {
			t.Errorf("the hub holds %d lingering users", n)
		}
	})
}

// A user whose connection is about to leave its rooms when Disconnect is called does not linger
// afterwards.
func TestDisconnectDuringTheEndOfAConnection(t *testing.T) {
	h := room.NewHub(&room.Options{Authorize: anyone})
	defer func() { _ = h.Shutdown(context.Background()) }()
	roomtest.Join(t, h, "bob", "p")
	alice := roomtest.Join(t, h, "alice", "p")
	unlock := room.LockRoom(h, "p")
	var ends sync.WaitGroup
	ends.Go(alice.Cut)
	for h.UserConnections("alice") > 0 {
		runtime.Gosched()
	}
	ends.Go(func() {
		if _, err := h.Disconnect(context.Background(), "alice"); err != nil {
			t.Error(err)
		}
	})
	for range 1000 {
		runtime.Gosched() // Disconnect proceeds as far as it can
	}
	unlock()
	ends.Wait()
	if info, _ := h.Room("p"); info.Participants != 1 {
		t.Errorf("%d participants, want bob alone", info.Participants)
	}
}

// The hub forgets where users lingered, in whatever order they join and leave.
func TestLingeringIsForgotten(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		alice := connect(t, h, "alice", "")
		for n := range 20 {
			alice.Join("p", nil)
			alice.Cut()
			time.Sleep(time.Duration(n) * 300 * time.Millisecond)
			if n%5 == 4 {
				if _, err := h.Revoke(t.Context(), "p", "alice"); err != nil {
					t.Fatal(err)
				}
			}
			if got := room.Lingering(h); n == 1 && got != 1 {
				t.Errorf("the hub holds %d lingering users, want 1", got)
			}
			alice.Resume()
		}
		alice.Send(`{"type":"leave-plan","planId":"p"}`)
		time.Sleep(5 * time.Second)
		if got := room.Lingering(h); got != 0 {
			t.Errorf("the hub holds %d lingering users", got)
		}
		bob.Cut()
	})
}

// BenchmarkDisconnect measures Disconnect of one user among many whose connections are closing.
func BenchmarkDisconnect(b *testing.B) {
	for _, n := range []int{1000, 16_000} {
		b.Run(fmt.Sprint(n, " closing"), func(b *testing.B) {
			h := benchHub(b, 1)
			// Their transports have not reported the end yet.
			sessions := make([]*room.Session, n)
			for i := range sessions {
				sink := roomtest.NewSink(&roomtest.SinkOptions{Discard: true}) // does not know its session, so Finish does not end it
				s, err := h.Connect(b.Context(), auth.Identity{UserID: fmt.Sprint("user", i)}, sink, nil)
				if err != nil {
					b.Fatal(err)
				}
				sessions[i] = s
				s.Close(protocol.CloseGoingAway)
			}
			for i := 0; b.Loop(); i++ {
				if _, err := h.Disconnect(b.Context(), fmt.Sprint("user", i%n)); err != nil {
					b.Fatal(err)
				}
			}
			for _, s := range sessions {
				s.End(protocol.CloseAbnormal)
			}
		})
	}
}
