package room_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

const accessEnded = `removed p {"reason":"access ended","retry":false}`

func revoke(t *testing.T, h *room.Hub, planID, userID string) {
	t.Helper()
	if _, err := h.Revoke(context.Background(), planID, userID); err != nil {
		t.Fatalf("Revoke(%q, %q) = %v", planID, userID, err)
	}
}

func TestRevoke(t *testing.T) {
	g := &authorizer{}
	eachSink(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub, of sinks) {
		g.set(anyone)
		tab1, tab2 := of.connect(t, h, "alice", roomtest.Options{}), of.connect(t, h, "alice", roomtest.Options{})
		for _, m := range []*roomtest.Member{tab1, tab2} {
			m.Join("q", nil)
			m.Join("p", nil)
		}
		bob := of.join(t, h, "bob", "p")
		update(t, h, "p", 0)
		for _, m := range []*roomtest.Member{tab1, tab2, bob} {
			unread(t, m)
		}
		g.set(func(_ context.Context, id auth.Identity, planID string) error {
			if id.UserID == "alice" && planID == "p" {
				return room.ErrForbidden
			}
			return nil
		})
		revoke(t, h, "p", "alice")
		update(t, h, "p", 1)
		update(t, h, "q", 2)
		for _, m := range []*roomtest.Member{tab1, tab2} {
			wantReceived(t, m, accessEnded, `task-updated q {"task":{"id":2}}`)
		}
		wantReceived(t, bob, left("p", "alice", 1), `task-updated p {"task":{"id":1}}`)
		if info, _ := h.Room("p"); info.Participants != 1 || info.Connections != 1 {
			t.Errorf("room %+v, want bob alone", info)
		}

		// A resume calls Authorize again.
		since := tab1.Position()
		tab1.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "p", Since: &since})
		wantError(t, tab1, "p", protocol.TypeJoinPlan, protocol.ErrorForbidden)
		tab1.Request(protocol.Request{Type: protocol.TypeUpdatePresence, PlanID: "p"})
		wantError(t, tab1, "p", protocol.TypeUpdatePresence, protocol.ErrorNotJoined)
		wantReceived(t, tab1)
		wantReceived(t, bob)
	})
}

func TestRevokeOfAnAbsentUser(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		revoke(t, h, "p", "alice")
		revoke(t, h, "q", "alice")
		if _, err := h.Revoke(t.Context(), "", "alice"); !errors.Is(err, room.ErrPlanID) {
			t.Errorf("Revoke of no plan = %v, want ErrPlanID", err)
		}
		if _, err := h.Disconnect(t.Context(), "alice"); err != nil {
			t.Errorf("Disconnect = %v", err)
		}
		wantReceived(t, bob)
		if got := h.Stats().Rooms; got != 1 {
			t.Errorf("%d rooms, want 1: Revoke makes none", got)
		}
	})
}

// The counts that Revoke and Disconnect return show a host when nothing happened, for example
// because it swapped the arguments.
func TestRevokeCounts(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		for range 3 {
			of.join(t, h, "alice", "p")
		}
		of.join(t, h, "bob", "p")
		revoked := func(planID, userID string) int {
			n, err := h.Revoke(t.Context(), planID, userID)
			if err != nil {
				t.Errorf("Revoke = %v", err)
			}
			return n
		}
		if a, b, c := revoked("alice", "p"), revoked("p", "alice"), revoked("p", "alice"); a != 0 || b != 3 || c != 0 {
			t.Errorf("Revoke removed %d with its arguments swapped, then %d, then %d; want 0, 3, 0", a, b, c)
		}
		disconnected := func(userID string) int {
			n, err := h.Disconnect(t.Context(), userID)
			if err != nil {
				t.Errorf("Disconnect = %v", err)
			}
			return n
		}
		if a, b, c := disconnected("p"), disconnected("alice"), disconnected("alice"); a != 0 || b != 3 || c != 0 {
			t.Errorf("Disconnect closed %d of another user, then %d, then %d; want 0, 3, 0", a, b, c)
		}
		for _, userID := range []string{"", strings.Repeat("u", protocol.MaxUserIDBytes+1)} {
			if err := errorOf(h.Revoke(t.Context(), "p", userID)); !errors.Is(err, room.ErrUserID) {
				t.Errorf("Revoke of %.10q = %v, want ErrUserID", userID, err)
			}
			if err := errorOf(h.Disconnect(t.Context(), userID)); !errors.Is(err, room.ErrUserID) {
				t.Errorf("Disconnect of %.10q = %v, want ErrUserID", userID, err)
			}
		}
	})
}

// After Revoke has returned, nothing of the plan is written, whatever the state of the connection
// was.
func TestRevokeOfAStalledConnection(t *testing.T) {
	const event = `"type":"task-updated","planId":"p"`
	tests := []struct {
		name   string
		window int           // bytes that the socket takes after the join
		plan   string        // plan of the events on which it is stalled
		at     time.Duration // after the start of Revoke, the socket takes
		takes  func(frame int) int
		cut    bool
		after  time.Duration // Revoke returns
	}{
		{name: "stalled for good", plan: "p", cut: true, after: 100 * time.Millisecond},
		{name: "stalled in a frame for good", plan: "p", window: 10, cut: true, after: 100 * time.Millisecond},
		{name: "takes a part of a frame", plan: "p", at: 50 * time.Millisecond, takes: func(int) int { return 10 }, cut: true, after: 50 * time.Millisecond},
		{name: "takes a part of the rest", plan: "p", window: 10, at: 50 * time.Millisecond, takes: func(int) int { return 10 }, cut: true, after: 50 * time.Millisecond},
		{name: "takes one frame", plan: "p", at: 50 * time.Millisecond, takes: func(frame int) int { return frame }, after: 50 * time.Millisecond},
		{name: "takes the rest of one", plan: "p", window: 10, at: 50 * time.Millisecond, takes: func(frame int) int { return frame - 10 }, after: 50 * time.Millisecond},
		{name: "stalled on another plan", plan: "q"},
		{name: "stalled in a frame of another plan", plan: "q", window: 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
				p := of.pipe(t, h, "alice", -1)
				p.send(`{"type":"join-plan","planId":"p"}`)
				p.send(`{"type":"join-plan","planId":"q"}`)
				p.read()
				update(t, h, test.plan, 100)
				frame := len(p.read())
				p.open(test.window)
				for n := range 3 {
					update(t, h, test.plan, 101+n)
					synctest.Wait()
				}
				update(t, h, "p", 200)
				synctest.Wait()

				if test.takes != nil {
					time.AfterFunc(test.at, func() { p.open(test.takes(frame)) })
				}
				start := time.Now()
				revoke(t, h, "p", "alice")
				if got := time.Since(start); got != test.after {
					t.Errorf("Revoke took %v, want %v", got, test.after)
				}
				p.Take() // written before Revoke returned
				closed := p.State().Cut
				p.open(-1)
				got := p.read()
				if strings.Contains(got, event) || test.plan == "p" && strings.Contains(got, `"seq"`) {
					t.Errorf("after Revoke %q was written", got)
				}
				if closed != test.cut {
					t.Errorf("cut %v, want %v", closed, test.cut)
				}
				if !closed && !strings.Contains(got, `"type":"removed","planId":"p"`) {
					t.Errorf("after Revoke %q was written, want removed in it", got)
				}
				if test.plan == "q" && strings.Count(got, "\n") != 4 {
					t.Errorf("after Revoke %q was written, want the rest of three events of q, and removed", got)
				}
			})
		})
	}
}

// A join answer belongs to the plan: Revoke drops a queued one, and cuts the connection if one is
// half written.
func TestRevokeDuringAJoinAnswer(t *testing.T) {
	for _, waits := range []bool{true, false} {
		t.Run(fmt.Sprint("waits ", waits), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				p := openPipe(t, h, "alice", -1)
				p.read()
				p.open(0)
				if waits {
					p.send(pingMessage)
					synctest.Wait() // the writer now waits to write the pong
				}
				p.send(`{"type":"join-plan","planId":"p"}`)
				synctest.Wait()
				if !waits {
					time.AfterFunc(50*time.Millisecond, func() { p.open(10) })
				}
				revoke(t, h, "p", "alice")
				p.open(-1)
				got := p.read()
				if strings.Contains(got, "participants") {
					t.Errorf("wrote %q, want no join answer", got)
				}
				if _, closed := p.state(); closed == waits || waits && !strings.Contains(got, `"type":"removed","planId":"p"`) {
					t.Errorf("cut %v, wrote %q", closed, got)
				}
			})
		})
	}
}

// A join whose Authorize was called before Revoke calls it again.
func TestJoinAuthorizedBeforeRevoke(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		alice := connect(t, h, "alice", "")
		g.set(func(context.Context, auth.Identity, string) error {
			time.Sleep(time.Second) // it read the database before it was changed
			return nil
		})
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		g.answer(room.ErrForbidden)
		revoke(t, h, "p", "alice")
		wantError(t, alice, "p", protocol.TypeJoinPlan, protocol.ErrorForbidden)
		if got := g.count(); got != 2 {
			t.Errorf("Authorize was called %d times, want twice", got)
		}
		if info, ok := h.Room("p"); ok && info.Participants != 0 {
			t.Errorf("room %+v, want no participants", info)
		}
	})
}

func TestDisconnect(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		tab1, tab2 := of.join(t, h, "alice", "p"), of.join(t, h, "alice", "q")
		bob := of.join(t, h, "bob", "p")
		stalled := of.pipe(t, h, "alice", -1)
		stalled.send(`{"type":"join-plan","planId":"q"}`)
		stalled.read()
		stalled.open(0)
		for n := range 3 {
			update(t, h, "q", n)
		}
		synctest.Wait()
		start := time.Now()
		if _, err := h.Disconnect(t.Context(), "alice"); err != nil {
			t.Fatalf("Disconnect: %v", err)
		}
		if got := time.Since(start); got != 100*time.Millisecond {
			t.Errorf("Disconnect took %v, want 100 ms for the stalled connection", got)
		}
		if _, closed := stalled.state(); !closed {
			t.Error("the stalled connection was not cut")
		}
		for _, m := range []*roomtest.Member{tab1, tab2} {
			if g := wantClosed(t, m, protocol.CloseForbidden); g.RetryAfterMs != 0 {
				t.Errorf("retryAfterMs = %d, want 0", g.RetryAfterMs)
			}
		}
		wantReceived(t, bob, left("p", "alice", 1))
		if got := h.UserConnections("alice"); got != 0 {
			t.Errorf("UserConnections = %d, want 0", got)
		}
	})
}
