package main

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
	"github.com/planrooms/planrooms/protocol"
)

type membersData struct{ Members []store.Member }

func TestSharing(t *testing.T) {
	t.Parallel()
	b := start(t)
	cleosPerson, bensPerson, stranger := b.login(cleo), b.login(ben), b.stranger()
	plan := b.plan(cleosPerson, "Office move")
	members := "/api/plans/" + plan.ID + "/members"
	owner := b.join(cleosPerson, "tab", plan)
	waiting := b.connect(stranger, "tab") // in no plan
	bystander := b.connect(bensPerson, "tab")

	var added store.Member
	b.must(http.StatusCreated, &added, "POST", members, cleosPerson, `{"email":"DORA@example.com","role":"viewer"}`,
		"X-Plan-Client", "tab", "X-Plan-Mutation", "m-1")
	want := store.Member{UserID: stranger.User.ID, Name: "Dora", Email: "dora@example.com", Role: store.RoleViewer}
	if added != want {
		t.Errorf("added %+v, want %+v", added, want)
	}
	m := owner.event(typeMembersUpdated, plan.Position.Seq) // the event and no receipt: the answer did not have it all
	if diff := cmp.Diff(append(plan.Members, want), dataOf[membersData](t, m).Members); diff != "" || m.By != cleosPerson.User.ID || m.MutationID != "m-1" {
		t.Errorf("by %q, mutationId %q, members (-want +got):\n%s", m.By, m.MutationID, diff)
	}
	note := waiting.next(typePlanShared)
	if got, want := string(note.Data), `{"plan":{"id":`+quoted(plan.ID)+`,"title":"Office move"}}`; got != want || note.Seq != 0 || note.PlanID != "" {
		t.Errorf("notice %+v with %s, want %s and no position", note, got, want)
	}
	bystander.silent()
	got := b.plan(stranger, "Office move")
	if got.Role != store.RoleViewer {
		t.Errorf("role %q, want viewer", got.Role)
	}
	waiting.join(got)

	for body, code := range map[string]string{
		`{"email":"dora@example.com","role":"editor"}`:   "already_member",
		`{"email":"nobody@example.com","role":"editor"}`: "no_such_user",
	} {
		if resp := b.do("POST", members, cleosPerson, body); resp.code() != code {
			t.Errorf("POST %s: status %d %s, want %s", body, resp.StatusCode, resp.body, code)
		}
	}
	if resp := b.do("DELETE", members+"/"+cleosPerson.User.ID, cleosPerson, ""); resp.StatusCode != http.StatusConflict || resp.code() != "last_owner" {
		t.Errorf("the last owner: status %d %s", resp.StatusCode, resp.body)
	}
	b.must(http.StatusNotFound, nil, "DELETE", members+"/nope", cleosPerson, "")
}

func TestRemoval(t *testing.T) {
	t.Parallel()
	b := start(t)
	adasPerson, bensPerson, cleosPerson := b.login(ada), b.login(ben), b.login(cleo)
	plan := b.plan(adasPerson, "Launch week")
	one, two := b.join(bensPerson, "one", plan), b.join(bensPerson, "two", plan)
	owner, other := b.join(adasPerson, "tab", plan), b.join(cleosPerson, "tab", plan)

	b.must(http.StatusNoContent, nil, "DELETE", "/api/plans/"+plan.ID+"/members/"+bensPerson.User.ID, adasPerson, "")
	for _, v := range []*viewer{one, two} {
		if m := v.next(protocol.TypeRemoved); m.PlanID != plan.ID || dataOf[protocol.Removed](t, m).Retry {
			t.Errorf("removed with %+v, %s", m, m.Data)
		}
	}
	var prev uint64
	for _, v := range []*viewer{owner, other} {
		m := v.event(typeMembersUpdated, plan.Position.Seq)
		if got := dataOf[membersData](t, m).Members; len(got) != 2 || got[0].UserID != adasPerson.User.ID || got[1].UserID != cleosPerson.User.ID {
			t.Errorf("members %+v, want Ada and Cleo", got)
		}
		prev = m.Seq
		for _, task := range plan.Tasks {
			if task.Assignee == nil || *task.Assignee != bensPerson.User.ID {
				continue
			}
			m := v.event(protocol.TypeTaskUpdated, prev)
			got := dataOf[struct{ Task store.Task }](t, m).Task
			if got.ID != task.ID || got.Assignee != nil || got.Version != task.Version+1 {
				t.Errorf("task %+v after its assignee was removed", got)
			}
			prev = m.Seq
		}
	}

	// What comes now is for the others. Ben's connections are alive, and cannot come back to the plan.
	b.must(http.StatusOK, nil, "PATCH", "/api/tasks/"+plan.Tasks[0].ID, adasPerson, `{"version":1,"title":"Without Ben"}`)
	for _, v := range []*viewer{owner, other} {
		v.event(protocol.TypeTaskUpdated, prev)
	}
	for _, v := range []*viewer{one, two} {
		v.silent()
		v.send(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan.ID})
		if got := dataOf[protocol.Error](t, v.next(protocol.TypeError)); got.Code != protocol.ErrorForbidden {
			t.Errorf("joining again: %+v, want forbidden", got)
		}
	}
	b.must(http.StatusNotFound, nil, "GET", "/api/plans/"+plan.ID, bensPerson, "")
	b.must(http.StatusNotFound, nil, "DELETE", "/api/tasks/"+plan.Tasks[0].ID, bensPerson, "")
	if resp := b.do("PATCH", "/api/tasks/"+plan.Tasks[3].ID, adasPerson, `{"version":2,"assignee":`+quoted(bensPerson.User.ID)+`}`); resp.code() != "not_a_member" {
		t.Errorf("assigning a task to Ben: status %d %s", resp.StatusCode, resp.body)
	}
}
