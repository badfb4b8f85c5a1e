package room_test

import (
	"context"
	"fmt"
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

// Joins that overlap do not exceed RoomsPerConnection. The hub decides in the order of the messages
// which one it refuses.
func TestRoomsPerConnectionInABurst(t *testing.T) {
	for _, test := range []struct {
		name    string
		send    []string
		refused string
		joined  []string
	}{
		{"too many joins", []string{"join a", "join b", "join c"}, "c", []string{"a", "b"}},
		{"at the limit", []string{"now join a", "now join b", "join a", "leave a", "join c"}, "", []string{"b", "c"}},
		{"a leave makes room", []string{"join a", "join b", "leave a", "join c"}, "", []string{"b", "c"}},
		{"a denied join takes no place", []string{"join a", "join denied", "join c"}, "denied", []string{"a", "c"}},
		{"a repeated join needs no place", []string{"join a", "join b", "join a", "join c", "join b"}, "c", []string{"a", "b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var running, most atomic.Int32
			opts := &room.Options{RoomsPerConnection: 2, Authorize: func(ctx context.Context, _ auth.Identity, planID string) error {
				if n := running.Add(1); n > most.Load() {
					most.Store(n)
				}
				defer running.Add(-1)
				pause(ctx, time.Second)
				if planID == "denied" {
					return room.ErrForbidden
				}
				return nil
			}}
			bubble(t, opts, func(t *testing.T, h *room.Hub) {
				alice := connect(t, h, "alice", "")
				for _, message := range test.send {
					message, now := strings.CutPrefix(message, "now ")
					kind, plan, _ := strings.Cut(message, " ")
					if now {
						alice.Join(plan, nil)
						continue
					}
					alice.Send(fmt.Sprintf(`{"type":"%s-plan","planId":%q}`, kind, plan))
				}
				time.Sleep(10 * time.Second)
				synctest.Wait()
				var refused string
				for _, m := range unread(t, alice) {
					if m.Type == protocol.TypeError {
						refused += m.PlanID
					}
				}
				if refused != test.refused {
					t.Errorf("refused %q, want %q", refused, test.refused)
				}
				for _, plan := range test.joined {
					if info, _ := h.Room(plan); info.Connections != 1 {
						t.Errorf("not in %q", plan)
					}
				}
				if got := allMembers(h); got != len(test.joined) {
					t.Errorf("in %d plans, want %q", got, test.joined)
				}
				if overlap := !strings.HasPrefix(test.send[0], "now"); overlap && most.Load() != 2 {
					t.Errorf("%d joins at once, want that the first two overlap", most.Load())
				}
			})
		})
	}
}

// A member that is removed during a repeated join loses its place if another join has taken it.
func TestRoomsPerConnectionAfterARemoval(t *testing.T) {
	var calls atomic.Int32
	opts := &room.Options{RoomsPerConnection: 1, Authorize: func(ctx context.Context, _ auth.Identity, planID string) error {
		switch n := calls.Add(1); {
		case planID == "p" && n == 2: // the repeated join
			pause(ctx, 3*time.Second)
		case planID == "p" && n == 3: // the recheck
			return room.ErrForbidden
		}
		return nil
	}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Connect(t, h, auth.Identity{UserID: "alice"}, &roomtest.Options{Verifier: sameUser("alice")})
		alice.Join("p", nil)
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait() // the second call of Authorize is for the repeated join
		alice.Send(`{"type":"authenticate","data":{"token":"t"}}`)
		if got := alice.NextMessage(); got.Type != protocol.TypeAuthenticate {
			t.Fatalf("got %s", words(got))
		}
		if got := alice.NextMessage(); got.Type != protocol.TypeRemoved {
			t.Fatalf("got %s", words(got))
		}
		alice.Join("q", nil)
		wantError(t, alice, "p", protocol.TypeJoinPlan, protocol.ErrorTooManyRooms)
		if got := allMembers(h); got != 1 {
			t.Errorf("in %d plans, want 1", got)
		}
	})
}

// A connection that does not read its answers occupies no slot of Authorize.
func TestCongestedConnectionHoldsNoCall(t *testing.T) {
	var slow atomic.Bool
	opts := &room.Options{AuthorizeParallel: 1, QueuePerConnection: 1000, Authorize: func(ctx context.Context, _ auth.Identity, _ string) error {
		if slow.Load() {
			pause(ctx, time.Second)
		}
		return nil
	}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		p := stalledPipe(t, h, "alice")
		slow.Store(true)
		bob := newGuest(t, h, "bob", nil)
		bob.join("p")
		synctest.Wait()
		p.send(`{"type":"join-plan","planId":"q"}`)
		synctest.Wait() // it waits for the slot of bob's join
		for range 2 {
			notify(t, h, "alice", 2000)
		}
		time.Sleep(2*time.Second + time.Millisecond)
		start := time.Now()
		carol := newGuest(t, h, "carol", nil)
		carol.join("p")
		time.Sleep(time.Second + time.Millisecond)
		synctest.Wait()
		if info, _ := h.Room("p"); info.Participants != 3 {
			t.Errorf("%d in the plan %v after the third join, want 3", info.Participants, time.Since(start))
		}
		if got := h.Stats(); got.AuthorizeRunning != 0 || got.AuthorizeOverdue != 0 || got.JoinsWaiting != 0 {
			t.Errorf("%d calls run, %d are overdue, %d joins wait; want none", got.AuthorizeRunning, got.AuthorizeOverdue, got.JoinsWaiting)
		}
	})
}

// A ping is answered while joins and an authenticate of the connection are in flight.
func TestPingDoesNotWaitForJoins(t *testing.T) {
	l := newLoad(takes(4 * time.Second))
	bubble(t, &room.Options{Authorize: l.authorize}, func(t *testing.T, h *room.Hub) {
		alice := newGuest(t, h, "alice", nil)
		for n := range 64 {
			alice.join(fmt.Sprint("plan", n))
		}
		alice.session.Receive([]byte(pingMessage))
		synctest.Wait()
		if got := alice.got()[protocol.TypePong]; got != 2 { // with the hello
			t.Errorf("%d pongs, want 2", got)
		}
	})
}

// gated lets every join pass, except that those of the user holder wait until the gate is opened.
// With AuthorizeParallel 1 the joins of all others wait as well.
type gated struct{ gate chan struct{} }

func (g *gated) authorize(_ context.Context, id auth.Identity, _ string) error {
	if id.UserID == "holder" {
		<-g.gate
	}
	return nil
}

// hold makes a connection of holder occupy the only slot until the gate is closed.
func (g *gated) hold(t *testing.T, h *room.Hub) {
	t.Helper()
	g.gate = make(chan struct{})
	newGuest(t, h, "holder", nil).join("elsewhere")
	synctest.Wait()
}

// A repeated join that has its slot is handled at once, although its member was removed meanwhile
// and another join has taken the place.
func TestRepeatedJoinWithoutAPlace(t *testing.T) {
	var g gated
	bubble(t, &room.Options{AuthorizeParallel: 1, RoomsPerConnection: 1, Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		alice := connect(t, h, "alice", "")
		alice.Join("p", nil)
		g.hold(t, h)
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		if _, err := h.Revoke(t.Context(), "p", "alice"); err != nil {
			t.Fatal(err)
		}
		alice.Send(`{"type":"join-plan","planId":"q"}`)
		synctest.Wait()
		close(g.gate)
		synctest.Wait()
		if got := h.Stats(); got.AuthorizeRunning != 0 || got.JoinsWaiting != 0 {
			t.Errorf("%d calls run and %d joins wait, want none", got.AuthorizeRunning, got.JoinsWaiting)
		}
		if got := allMembers(h); got != 2 { // with the one of holder
			t.Errorf("%d members, want 2", got)
		}
		if got := unread(t, alice); len(got) != 3 {
			t.Errorf("%d messages, want removed and an answer to each join", len(got))
		}
	})
}
