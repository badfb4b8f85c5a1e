package room_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// hanging is an Authorize that ignores its context and returns when it is released.
type hanging struct {
	released chan struct{}
	load
}

func newHanging() *hanging {
	d := &hanging{}
	d.load = *newLoad(func(context.Context, auth.Identity, string) error {
		<-d.released
		return nil
	})
	return d
}

// open is called in the bubble of the test, before the first call.
func (d *hanging) open() { d.released = make(chan struct{}) }

// An Authorize that never returns keeps at most 16 goroutines for one user, and joins of other
// users continue.
func TestHangingAuthorizeOfOneUser(t *testing.T) {
	d := newHanging()
	opts := &room.Options{Authorize: func(ctx context.Context, id auth.Identity, planID string) error {
		if id.UserID == "bob" {
			return nil
		}
		return d.authorize(ctx, id, planID)
	}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		d.open()
		alice := newGuest(t, h, "alice", nil)
		for n := range 64 {
			alice.join(fmt.Sprint("plan", n))
		}
		time.Sleep(5*time.Second - time.Nanosecond)
		synctest.Wait()
		if got := alice.got()[protocol.TypeError]; got != 0 {
			t.Errorf("%d joins refused before AuthorizeTimeout", got)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait() // 8 have timed out, and 8 others run
		if calls, _, _ := d.counts(""); calls != 16 || alice.got()[protocol.TypeError] != 8 {
			t.Errorf("%d calls, %d joins refused; want 16 and 8", calls, alice.got()[protocol.TypeError])
		}
		time.Sleep(5 * time.Second)
		synctest.Wait() // the limit is reached: Authorize is not called for the others
		if calls, _, _ := d.counts(""); calls != 16 || alice.got()[protocol.TypeError] != 64 {
			t.Errorf("%d calls, %d joins refused; want 16 and 64", calls, alice.got()[protocol.TypeError])
		}
		alice.join("plan0")
		synctest.Wait()
		if got := alice.got()[protocol.TypeError]; got != 65 {
			t.Errorf("%d joins refused, want one more at once", got)
		}
		if got := h.Stats(); got.AuthorizeOverdue != 16 || got.AuthorizeRunning != 0 {
			t.Errorf("%d calls overdue and %d running, want 16 and 0", got.AuthorizeOverdue, got.AuthorizeRunning)
		}
		roomtest.Join(t, h, "bob", "plan0")
		close(d.released)
		synctest.Wait()
		if got := allMembers(h); got != 1 {
			t.Errorf("%d members, want bob alone: an Authorize that returns nil after the timeout admits no member", got)
		}
		alice.join("plan0")
		synctest.Wait()
		if got := allMembers(h); got != 2 {
			t.Errorf("%d members, want alice too", got)
		}
		if got := h.Stats(); got.AuthorizeOverdue != 0 {
			t.Errorf("%d calls overdue, want 0", got.AuthorizeOverdue)
		}
	})
}

// In a hub, an Authorize that never returns keeps at most twice AuthorizeParallel goroutines.
func TestHangingAuthorizeOfManyUsers(t *testing.T) {
	d := newHanging()
	bubble(t, &room.Options{Authorize: d.authorize, AuthorizeParallel: 10}, func(t *testing.T, h *room.Hub) {
		d.open()
		guests := make([]*guest, 100)
		for n := range guests {
			guests[n] = newGuest(t, h, fmt.Sprint("user", n), nil)
			guests[n].join("p")
		}
		refused := func() (n int) {
			synctest.Wait()
			for _, g := range guests {
				n += g.got()[protocol.TypeError]
			}
			return n
		}
		for _, want := range []struct{ calls, refused int }{{10, 0}, {20, 10}, {20, 100}, {20, 100}} {
			n := refused()
			if calls, _, _ := d.counts(""); calls != want.calls || n != want.refused {
				t.Errorf("%d calls, %d joins refused; want %+v", calls, n, want)
			}
			time.Sleep(5 * time.Second)
		}
		for range 10 { // calls return
			d.released <- struct{}{}
		}
		synctest.Wait()
		for _, g := range guests[:50] {
			g.join("p")
		}
		if n := refused(); n != 100 {
			t.Errorf("%d joins refused, want 100: 10 run again, 40 wait", n)
		}
		if calls, _, _ := d.counts(""); calls != 30 {
			t.Errorf("%d calls, want 30", calls)
		}
		close(d.released)
		synctest.Wait()
		if got := allMembers(h); got != 50 {
			t.Errorf("%d members, want 50", got)
		}
	})
}

// An Authorize returns after the hub has noted that it is overdue, and before the hub has refused
// the join: the join is still answered, once.
func TestAuthorizeReturnsAtItsDeadline(t *testing.T) {
	called := make(chan time.Time, 10)
	alice, others := make(chan struct{}), make(chan struct{})
	defer close(others)
	h := newHub(t, &room.Options{
		AuthorizeTimeout: 100 * time.Millisecond,
		Authorize: func(ctx context.Context, id auth.Identity, _ string) error {
			deadline, _ := ctx.Deadline()
			called <- deadline
			if id.UserID == "alice" {
				<-alice
			} else {
				<-others
			}
			return nil
		},
	})
	until := func(cond func() bool) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !cond(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the condition did not come true in 10 s: %+v", h.Stats())
			}
		}
	}
	overdue := func(n int) func() bool { return func() bool { return h.Stats().AuthorizeOverdue == n } }
	join := func(user string) (m *roomtest.Member, deadline time.Time) {
		m = connect(t, h, user, "")
		m.Send(`{"type":"join-plan","planId":"p"}`)
		return m, <-called
	}
	// The hub refuses the joins in the order of their deadlines. It waits for carol's inbox until
	// the others are late as well, and then for bob's, before it has come to alice's.
	m1, _ := join("carol")
	carol := sync.OnceFunc(room.LockInbox(m1.Session()))
	defer carol()
	until(overdue(1))
	m2, _ := join("bob")
	m3, deadline := join("alice")
	until(func() bool { return time.Now().After(deadline) })
	bob := sync.OnceFunc(room.LockInbox(m2.Session()))
	defer bob()
	carol()
	until(overdue(3))
	close(alice)
	until(overdue(2))
	bob()
	for _, m := range []*roomtest.Member{m1, m2, m3} {
		wantError(t, m, "p", protocol.TypeJoinPlan, protocol.ErrorUnavailable)
		m.Send(`{"type":"leave-plan","planId":"p"}`)
		wantError(t, m, "p", protocol.TypeLeavePlan, protocol.ErrorNotJoined)
	}
	if got := h.Stats().Denied; got != 3 {
		t.Errorf("%d joins denied, want 3", got)
	}
}
