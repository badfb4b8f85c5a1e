package room_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// RevokeUser removes the user from all plans. The connections stay open.
func TestRevokeUser(t *testing.T) {
	g := &authorizer{}
	eachSink(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub, of sinks) {
		g.set(anyone)
		tab1, tab2 := of.join(t, h, "alice", "p"), of.join(t, h, "alice", "p")
		tab2.Join("q", nil)
		closed := roomtest.Join(t, h, "alice", "r")
		bob := of.join(t, h, "bob", "p")
		dave := of.join(t, h, "dave", "r")
		closed.Cut() // alice lingers in r
		for _, m := range []*roomtest.Member{tab1, tab2, bob, dave} {
			unread(t, m)
		}
		g.set(func(_ context.Context, id auth.Identity, _ string) error {
			if id.UserID == "alice" {
				return room.ErrForbidden
			}
			return nil
		})
		if n, err := h.RevokeUser(t.Context(), "alice"); n != 3 || err != nil {
			t.Errorf("RevokeUser = %d, %v, want 3 places", n, err)
		}
		for n, plan := range []string{"p", "q", "r"} {
			update(t, h, plan, n)
		}
		wantReceived(t, tab1, accessEnded)
		if got := receivedBy(t, tab2); len(got) != 2 {
			t.Errorf("the second tab received %q, want removed from p and q", got)
		}
		wantReceived(t, bob, left("p", "alice", 1), `task-updated p {"task":{"id":0}}`)
		wantReceived(t, dave, left("r", "alice", 1), `task-updated r {"task":{"id":2}}`)
		if h.UserConnections("alice") != 2 || len(h.PlansOf("alice")) != 0 {
			t.Errorf("%d connections in %q, want 2 in no plan", h.UserConnections("alice"), h.PlansOf("alice"))
		}
		tab1.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "p"})
		wantError(t, tab1, "p", protocol.TypeJoinPlan, protocol.ErrorForbidden)
		if _, err := h.RevokeUser(t.Context(), ""); !errors.Is(err, room.ErrUserID) {
			t.Errorf("RevokeUser of no user = %v", err)
		}
	})
}

// RevokeUser waits once, however many plans the user is in.
func TestRevokeUserOfManyStalledConnections(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		var pipes []*pipe
		for n := range 20 {
			p := of.pipe(t, h, "alice", -1)
			for i := range 5 {
				p.send(fmt.Sprintf(`{"type":"join-plan","planId":"p%d"}`, n*5+i))
			}
			p.read()
			p.open(0)
			pipes = append(pipes, p)
			update(t, h, fmt.Sprint("p", n*5), n)
		}
		synctest.Wait()
		start := time.Now()
		if n, err := h.RevokeUser(t.Context(), "alice"); n != 100 || err != nil {
			t.Errorf("RevokeUser = %d, %v, want 100", n, err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("RevokeUser took %v, want 100 ms at most", took)
		}
		for _, p := range pipes {
			if _, closed := p.state(); !closed {
				t.Error("a connection that has an event half written was not cut")
			}
		}
	})
}
