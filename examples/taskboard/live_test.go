package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// Every event is sent while the lock of its plan is held, so no other change of the plan comes in
// between.
func TestChangesAreSentInOrder(t *testing.T) {
	t.Parallel()
	received := make(map[protocol.Type]int)
	b := serveBoard(t, filepath.Join(t.TempDir(), "board.db"), cheap(), func(s *service) {
		// The goroutine that broadcasts calls the observer; the requests of this test are
		// sequential.
		observer := room.Observer{Broadcast: func(_ context.Context, b room.BroadcastInfo) {
			received[b.Type]++
			if lock := s.live.orderOf(b.PlanID); lock.TryLock() {
				lock.Unlock()
				t.Errorf("%s is sent out of order", b.Type)
			}
		}}
		s.live.hub = room.NewHub(&room.Options{Authorize: mayJoin(s.store), Observer: observer})
	})
	p := b.login(ada)
	plan := b.plan(p, "Launch week")
	path := "/api/plans/" + plan.ID
	order := ids(plan.Tasks)
	bensID := b.login(ben).User.ID

	b.must(http.StatusNoContent, nil, "POST", path+"/tasks/reorder", p, `{"taskIds":`+quoted(order)+`}`)
	b.must(http.StatusCreated, nil, "POST", path+"/tasks", p, `{"title":"x"}`)
	b.must(http.StatusOK, nil, "PATCH", "/api/tasks/"+order[0], p, `{"version":1,"title":"x"}`)
	b.must(http.StatusNoContent, nil, "DELETE", "/api/tasks/"+order[0], p, "")
	b.must(http.StatusNoContent, nil, "DELETE", path+"/members/"+bensID, p, "")
	b.must(http.StatusOK, nil, "POST", "/api/tasks/"+order[0]+"/restore", p, "")
	b.must(http.StatusNoContent, nil, "PATCH", path, p, `{"title":"Launch day"}`)
	b.must(http.StatusCreated, nil, "POST", path+"/invitations", p, `{"email":"ben@example.com","role":"viewer"}`)
	b.must(http.StatusOK, nil, "POST", "/api/invitations/"+plan.ID+"/accept", b.login(ben), "")
	want := map[protocol.Type]int{
		protocol.TypeTaskReordered: 2, protocol.TypeTaskCreated: 2, typePlanUpdated: 1, protocol.TypeTaskDeleted: 1, typeMembersUpdated: 2,
		protocol.TypeTaskUpdated:     4, // one, and the three of the member who was removed
		protocol.TypeProgressUpdated: 4,
	}
	if diff := cmp.Diff(want, received); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// A broadcast that fails: the plan has changed, and its viewers load it again.
func TestBroadcastFails(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	plan := b.plan(p, "Launch week")
	v := b.join(p, "tab", plan)
	tooLarge := protocol.TaskUpdated(strings.Repeat("x", 1<<20))
	b.service.live.broadcast(httptest.NewRequest("PATCH", "/", nil), plan.ID, tooLarge, room.BroadcastOption{})
	if got := transporttest.DataOf[protocol.Resync](t, v.next(protocol.TypeResync)); got.Position.Epoch != plan.Position.Epoch {
		t.Errorf("resync %+v", got)
	}
	if log := b.log.take(); !strings.Contains(log, "too large") || !strings.Contains(log, plan.ID) {
		t.Errorf("log %q, want the plan and the error", log)
	}
}

func TestMayJoin(t *testing.T) {
	t.Parallel()
	b := start(t)
	p, stranger := b.login(ada), b.stranger()
	plan := b.plan(p, "Launch week")
	identity := func(p *person) auth.Identity {
		t.Helper()
		id, err := b.service.tokens.verifier.Verify(t.Context(), p.Token)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	member, outsider := identity(p), identity(stranger)
	mixed := auth.Identity{UserID: member.UserID, Claims: outsider.Claims} // no token has this
	mayJoin := mayJoin(b.service.store)
	check := func(what string, id auth.Identity, planID string, want error) {
		t.Helper()
		if err := mayJoin(t.Context(), id, planID); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	check("a member", member, plan.ID, nil)
	check("an outsider", outsider, plan.ID, room.ErrForbidden)
	check("no such plan", member, "nope", room.ErrForbidden)
	check("the session of another user", mixed, plan.ID, room.ErrForbidden)
	check("no session", auth.Identity{UserID: member.UserID}, plan.ID, room.ErrForbidden)

	// The connection is there already when its session ends without a logout, as when it expires.
	v := b.connect(p, "tab")
	_, cookie, _ := strings.Cut(p.cookie, "=")
	if id, userID, err := b.service.store.EndSession(t.Context(), cookie); err != nil || id != member.SessionID || userID != member.UserID {
		t.Fatalf("EndSession = %q, %q, %v, want the session of %+v", id, userID, err, member)
	}
	check("after the end of the session", member, plan.ID, room.ErrForbidden)
	v.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan.ID})
	if got := transporttest.DataOf[protocol.Error](t, v.next(protocol.TypeError)); got.Code != protocol.ErrorForbidden {
		t.Errorf("join after the end of the session: %+v, want forbidden", got)
	}
}

// A failing database does not end memberships.
func TestDatabaseFails(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	plan := b.plan(p, "Launch week")
	v, in := b.connect(p, "tab"), b.join(p, "other", plan)
	if err := b.service.store.Close(); err != nil {
		t.Fatal(err)
	}
	v.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan.ID})
	if got := transporttest.DataOf[protocol.Error](t, v.next(protocol.TypeError)); got.Code != protocol.ErrorUnavailable {
		t.Errorf("join: %+v, want unavailable", got)
	}
	in.silent()
	for _, path := range []string{"/api/login", "/api/token"} {
		body := ""
		if path == "/api/login" {
			body = `{"email":"ada@example.com","password":"planrooms"}`
		}
		resp := b.do("POST", path, nil, body, "Cookie", p.cookie)
		if resp.StatusCode != http.StatusInternalServerError || resp.code() != "internal" || strings.Contains(string(resp.body), "sql") {
			t.Errorf("POST %s: status %d %s", path, resp.StatusCode, resp.body)
		}
	}
	b.must(http.StatusInternalServerError, nil, "GET", "/api/plans", p, "")
	if log := b.log.take(); !strings.Contains(log, "request failed") {
		t.Errorf("log %q", log)
	}
}

func TestInMemory(t *testing.T) {
	t.Parallel()
	b := serveBoard(t, ":memory:", cheap())
	p := b.login(ada)
	plan := b.plan(p, "Launch week")
	v := b.join(b.login(ben), "tab", plan)
	prev := plan.Position.Seq
	for i := range 3 {
		b.must(http.StatusCreated, nil, "POST", "/api/plans/"+plan.ID+"/tasks", p, fmt.Sprintf(`{"title":"%d"}`, i))
		prev = v.event(protocol.TypeTaskCreated, prev).Seq
		prev = v.event(protocol.TypeProgressUpdated, prev).Seq
	}
	if got := b.plan(p, "Launch week").Progress.TotalTasks; got != 12 {
		t.Errorf("%d tasks, want 12", got)
	}
}
