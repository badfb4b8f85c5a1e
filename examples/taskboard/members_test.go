package main

import (
	"net/http"
	"testing"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

type membersData struct{ Members []store.Member }

func TestRemoval(t *testing.T) {
	t.Parallel()
	b := start(t)
	adasPerson, bensPerson, cleosPerson := b.login(ada), b.login(ben), b.login(cleo)
	plan := b.plan(adasPerson, "Launch week")
	one, two := b.join(bensPerson, "one", plan), b.join(bensPerson, "two", plan)
	owner, other := b.join(adasPerson, "tab", plan), b.join(cleosPerson, "tab", plan)

	b.must(http.StatusNoContent, nil, "DELETE", "/api/plans/"+plan.ID+"/members/"+bensPerson.User.ID, adasPerson, "")
	for _, v := range []*viewer{one, two} {
		if m := v.next(protocol.TypeRemoved); m.PlanID != plan.ID || transporttest.DataOf[protocol.Removed](t, m).Retry {
			t.Errorf("removed with %+v, %s", m, m.Data)
		}
	}
	var prev uint64
	for _, v := range []*viewer{owner, other} {
		m := v.event(typeMembersUpdated, plan.Position.Seq)
		if got := transporttest.DataOf[membersData](t, m).Members; len(got) != 2 || got[0].UserID != adasPerson.User.ID || got[1].UserID != cleosPerson.User.ID {
			t.Errorf("members %+v, want Ada and Cleo", got)
		}
		prev = m.Seq
		for _, task := range plan.Tasks {
			if task.Assignee == nil || *task.Assignee != bensPerson.User.ID {
				continue
			}
			m := v.event(protocol.TypeTaskUpdated, prev)
			got := transporttest.DataOf[struct{ Task store.Task }](t, m).Task
			if got.ID != task.ID || got.Assignee != nil || got.Version != task.Version+1 {
				t.Errorf("task %+v after its assignee was removed", got)
			}
			prev = m.Seq
		}
	}
	for _, v := range []*viewer{one, two} {
		v.next(typeListsChanged)
	}

	// Later events go to the others only. Ben's connections stay open and cannot join the plan
	// again.
	b.must(http.StatusOK, nil, "PATCH", "/api/tasks/"+plan.Tasks[0].ID, adasPerson, `{"version":1,"title":"Without Ben"}`)
	for _, v := range []*viewer{owner, other} {
		v.event(protocol.TypeTaskUpdated, prev)
	}
	for _, v := range []*viewer{one, two} {
		v.silent()
		v.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan.ID})
		if got := transporttest.DataOf[protocol.Error](t, v.next(protocol.TypeError)); got.Code != protocol.ErrorForbidden {
			t.Errorf("joining again: %+v, want forbidden", got)
		}
	}
	b.must(http.StatusNotFound, nil, "GET", "/api/plans/"+plan.ID, bensPerson, "")
	b.must(http.StatusNotFound, nil, "DELETE", "/api/tasks/"+plan.Tasks[0].ID, bensPerson, "")
	if resp := b.do("PATCH", "/api/tasks/"+plan.Tasks[3].ID, adasPerson, `{"version":2,"assignee":`+quoted(bensPerson.User.ID)+`}`); resp.code() != "not_a_member" {
		t.Errorf("assigning a task to Ben: status %d %s", resp.StatusCode, resp.body)
	}
}
