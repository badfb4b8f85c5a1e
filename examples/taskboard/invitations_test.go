package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

type (
	invitees    struct{ Invitations []store.Invitee }
	invitations struct{ Invitations []store.Invitation }
)

// An invited person becomes a member by accepting, and not before.
func TestInvitation(t *testing.T) {
	t.Parallel()
	b := start(t)
	cleosPerson, bensPerson, dora := b.login(cleo), b.login(ben), b.stranger()
	adasPerson := b.login(ada)
	plan := b.plan(cleosPerson, "Office move")
	path := "/api/plans/" + plan.ID
	owner, editor := b.join(cleosPerson, "tab", plan), b.join(adasPerson, "tab", plan)
	invited, bystander := b.connect(dora, "tab"), b.connect(bensPerson, "tab")

	var invitee store.Invitee
	b.must(http.StatusCreated, &invitee, "POST", path+"/invitations", cleosPerson, `{"email":"DORA@example.com","role":"viewer"}`)
	want := store.Member{UserID: dora.User.ID, Name: "Dora", Email: "dora@example.com", Role: store.RoleViewer}
	if invitee != want {
		t.Errorf("invited %+v, want %+v", invitee, want)
	}
	wantInvitation := store.Invitation{PlanID: plan.ID, Title: "Office move", Role: store.RoleViewer, InvitedBy: "Cleo"}
	notice := transporttest.DataOf[struct{ Invitation store.Invitation }](t, invited.next(typeInvited))
	if notice.Invitation != wantInvitation {
		t.Errorf("notice %+v, want %+v", notice, wantInvitation)
	}
	owner.next(typeListsChanged)
	editor.silent() // only owners see who is invited
	bystander.silent()

	// The invited person sees the invitation and nothing of the plan.
	var mine invitations
	b.must(http.StatusOK, &mine, "GET", "/api/invitations", dora, "")
	if diff := cmp.Diff([]store.Invitation{wantInvitation}, mine.Invitations); diff != "" {
		t.Errorf("invitations (-want +got):\n%s", diff)
	}
	b.must(http.StatusNotFound, nil, "GET", path, dora, "")
	b.must(http.StatusNotFound, nil, "GET", path+"/invitations", dora, "")
	var list struct{ Plans []store.PlanSummary }
	b.must(http.StatusOK, &list, "GET", "/api/plans", dora, "")
	if len(list.Plans) != 0 {
		t.Errorf("plans before accepting: %+v", list.Plans)
	}
	invited.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan.ID})
	if got := transporttest.DataOf[protocol.Error](t, invited.next(protocol.TypeError)); got.Code != protocol.ErrorForbidden {
		t.Errorf("join before accepting: %+v", got)
	}
	b.must(http.StatusForbidden, nil, "GET", path+"/invitations", adasPerson, "")
	b.must(http.StatusForbidden, nil, "POST", path+"/invitations", adasPerson, `{"email":"ben@example.com","role":"viewer"}`)
	b.must(http.StatusNotFound, nil, "POST", "/api/invitations/"+plan.ID+"/accept", bensPerson, "")
	var waiting invitees
	b.must(http.StatusOK, &waiting, "GET", path+"/invitations", cleosPerson, "")
	if diff := cmp.Diff([]store.Invitee{want}, waiting.Invitations); diff != "" {
		t.Errorf("invitees (-want +got):\n%s", diff)
	}
	for body, code := range map[string]string{
		`{"email":"dora@example.com","role":"editor"}`:   "already_invited",
		`{"email":"ada@example.com","role":"editor"}`:    "already_member",
		`{"email":"nobody@example.com","role":"editor"}`: "no_such_user",
		`{"email":"ben@example.com","role":"owner"}`:     "bad_request",
		`{"email":" ","role":"editor"}`:                  "bad_request",
	} {
		if resp := b.do("POST", path+"/invitations", cleosPerson, body); resp.code() != code {
			t.Errorf("POST %s: status %d %s, want %s", body, resp.StatusCode, resp.body, code)
		}
	}

	var accepted store.PlanSummary
	b.must(http.StatusOK, &accepted, "POST", "/api/invitations/"+plan.ID+"/accept", dora, "")
	if accepted.Role != store.RoleViewer || accepted.TaskCount != 7 || accepted.Title != "Office move" {
		t.Errorf("accepted %+v", accepted)
	}
	for _, m := range []protocol.Message{
		owner.eventAndNotice(typeMembersUpdated, plan.Position.Seq, typeListsChanged),
		editor.event(typeMembersUpdated, plan.Position.Seq),
	} {
		if diff := cmp.Diff(append(plan.Members, want), transporttest.DataOf[struct{ Members []store.Member }](t, m).Members); diff != "" {
			t.Errorf("members (-want +got):\n%s", diff)
		}
	}
	shared := invited.next(typePlanShared)
	if got, want := string(shared.Data), `{"plan":{"id":`+quoted(plan.ID)+`,"title":"Office move"}}`; got != want {
		t.Errorf("notice %s, want %s", got, want)
	}
	invited.join(b.plan(dora, "Office move"))
	b.must(http.StatusNotFound, nil, "POST", "/api/invitations/"+plan.ID+"/accept", dora, "")
}

func TestDeclineAndWithdraw(t *testing.T) {
	t.Parallel()
	b := start(t)
	cleosPerson, dora := b.login(cleo), b.stranger()
	plan := b.plan(cleosPerson, "Office move")
	path := "/api/plans/" + plan.ID + "/invitations"
	owner, invited := b.join(cleosPerson, "tab", plan), b.connect(dora, "tab")
	for _, end := range []func(){
		func() { b.must(http.StatusNoContent, nil, "DELETE", "/api/invitations/"+plan.ID, dora, "") },
		func() { b.must(http.StatusNoContent, nil, "DELETE", path+"/"+dora.User.ID, cleosPerson, "") },
	} {
		b.must(http.StatusCreated, nil, "POST", path, cleosPerson, `{"email":"dora@example.com","role":"editor"}`)
		owner.next(typeListsChanged)
		invited.next(typeInvited)
		end()
		owner.next(typeListsChanged)
		invited.next(typeListsChanged)
		b.must(http.StatusNotFound, nil, "POST", "/api/invitations/"+plan.ID+"/accept", dora, "")
		b.must(http.StatusNotFound, nil, "DELETE", "/api/invitations/"+plan.ID, dora, "")
		b.must(http.StatusNotFound, nil, "DELETE", path+"/"+dora.User.ID, cleosPerson, "")
	}
	b.must(http.StatusForbidden, nil, "DELETE", path+"/"+dora.User.ID, b.login(ada), "")
}

// Invitations of others do not use up the plans of a person.
func TestInvitationsDoNotCountAsPlans(t *testing.T) {
	t.Parallel()
	b := start(t)
	dora := b.stranger()
	b.must(http.StatusCreated, nil, "POST", "/api/plans", dora, `{"title":"Own"}`)
	adasPerson := b.login(ada)
	refused := 0
	for i := range 25 {
		var plan store.PlanSummary
		b.must(http.StatusCreated, &plan, "POST", "/api/plans", adasPerson, fmt.Sprintf(`{"title":"Plan %d"}`, i))
		resp := b.do("POST", "/api/plans/"+plan.ID+"/invitations", adasPerson, `{"email":"dora@example.com","role":"viewer"}`)
		if resp.code() == "full" {
			refused++
		}
	}
	if refused != 5 { // one owner cannot fill the list of invitations either
		t.Errorf("%d of 25 invitations by one owner refused, want 5", refused)
	}
	var list struct{ Plans []store.PlanSummary }
	b.must(http.StatusOK, &list, "GET", "/api/plans", dora, "")
	if len(list.Plans) != 1 {
		t.Errorf("%d plans, want the own one", len(list.Plans))
	}
}

func TestLeaveAndPassOn(t *testing.T) {
	t.Parallel()
	b := start(t)
	adasPerson, bensPerson, cleosPerson := b.login(ada), b.login(ben), b.login(cleo)
	plan := b.plan(adasPerson, "Launch week")
	path := "/api/plans/" + plan.ID
	owner, leaving := b.join(adasPerson, "tab", plan), b.join(bensPerson, "tab", plan)

	if resp := b.do("DELETE", path+"/members/"+adasPerson.User.ID, adasPerson, ""); resp.StatusCode != http.StatusConflict || resp.code() != "last_owner" {
		t.Errorf("the last owner leaves: status %d %s", resp.StatusCode, resp.body)
	}
	b.must(http.StatusForbidden, nil, "DELETE", path+"/members/"+bensPerson.User.ID, cleosPerson, "")
	b.must(http.StatusForbidden, nil, "POST", path+"/owner", bensPerson, `{"userId":`+quoted(bensPerson.User.ID)+`}`)
	b.must(http.StatusNotFound, nil, "POST", path+"/owner", adasPerson, `{"userId":"nope"}`)

	var passed struct{ Members []store.Member }
	b.must(http.StatusOK, &passed, "POST", path+"/owner", adasPerson, `{"userId":`+quoted(bensPerson.User.ID)+`}`)
	roles := map[string]store.Role{}
	for _, m := range passed.Members {
		roles[m.Name] = m.Role
	}
	if diff := cmp.Diff(map[string]store.Role{"Ada": "editor", "Ben": "owner", "Cleo": "viewer"}, roles); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	for _, v := range []*viewer{owner, leaving} {
		v.eventAndNotice(typeMembersUpdated, plan.Position.Seq, typeListsChanged)
	}
	b.must(http.StatusForbidden, nil, "PATCH", path, adasPerson, `{"title":"Not hers"}`)
	// No change.
	b.must(http.StatusOK, nil, "POST", path+"/owner", bensPerson, `{"userId":`+quoted(bensPerson.User.ID)+`}`)
	b.must(http.StatusOK, nil, "POST", path+"/owner", bensPerson, `{"userId":`+quoted(adasPerson.User.ID)+`}`)

	b.must(http.StatusNoContent, nil, "DELETE", path+"/members/"+bensPerson.User.ID, bensPerson, "")
	for m := leaving.next(typeMembersUpdated, typeListsChanged, protocol.TypeRemoved); m.Type != protocol.TypeRemoved; {
		m = leaving.next(typeMembersUpdated, typeListsChanged, protocol.TypeRemoved)
	}
	b.must(http.StatusNotFound, nil, "GET", path, bensPerson, "")
	for _, task := range b.plan(adasPerson, "Launch week").Tasks {
		if task.Assignee != nil && *task.Assignee == bensPerson.User.ID {
			t.Errorf("%q is assigned to a former member", task.Title)
		}
	}
}

func TestRenamePlan(t *testing.T) {
	t.Parallel()
	b := start(t)
	adasPerson, bensPerson := b.login(ada), b.login(ben)
	plan := b.plan(adasPerson, "Launch week")
	path := "/api/plans/" + plan.ID
	v, elsewhere := b.join(bensPerson, "tab", plan), b.connect(bensPerson, "list")
	b.must(http.StatusNoContent, nil, "PATCH", path, adasPerson, `{"title":"Launch month"}`)
	if m := v.eventAndNotice(typePlanUpdated, plan.Position.Seq, typeListsChanged); string(m.Data) != `{"title":"Launch month"}` || m.By != adasPerson.User.ID {
		t.Errorf("event %s by %q", m.Data, m.By)
	}
	elsewhere.next(typeListsChanged)
	b.plan(bensPerson, "Launch month")
	b.must(http.StatusForbidden, nil, "PATCH", path, bensPerson, `{"title":"x"}`)
	b.must(http.StatusNotFound, nil, "PATCH", path, b.stranger(), `{"title":"x"}`)
	b.must(http.StatusBadRequest, nil, "PATCH", path, adasPerson, `{"title":" "}`)
}

func TestDeletePlan(t *testing.T) {
	t.Parallel()
	b := start(t)
	adasPerson, bensPerson, dora := b.login(ada), b.login(ben), b.stranger()
	plan := b.plan(adasPerson, "Launch week")
	path := "/api/plans/" + plan.ID
	owner, member := b.join(adasPerson, "tab", plan), b.join(bensPerson, "tab", plan)
	b.must(http.StatusCreated, nil, "POST", path+"/invitations", adasPerson, `{"email":"dora@example.com","role":"editor"}`)
	owner.next(typeListsChanged)
	invited := b.connect(dora, "tab")

	b.must(http.StatusForbidden, nil, "DELETE", path, bensPerson, "")
	b.must(http.StatusNotFound, nil, "DELETE", path, dora, "")
	b.must(http.StatusNoContent, nil, "DELETE", path, adasPerson, "")
	for _, v := range []*viewer{owner, member} {
		v.next(protocol.TypeRemoved) // Revoke has returned before the notice
		if m := v.next(typePlanDeleted); string(m.Data) != `{"plan":{"id":`+quoted(plan.ID)+`,"title":"Launch week"}}` {
			t.Errorf("notice %s", m.Data)
		}
		v.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan.ID})
		if got := transporttest.DataOf[protocol.Error](t, v.next(protocol.TypeError)); got.Code != protocol.ErrorForbidden {
			t.Errorf("joining again: %+v, want forbidden", got)
		}
	}
	invited.next(typeListsChanged)
	b.must(http.StatusNotFound, nil, "POST", "/api/invitations/"+plan.ID+"/accept", dora, "")
	b.must(http.StatusNotFound, nil, "GET", path, adasPerson, "")
	b.must(http.StatusNotFound, nil, "PATCH", "/api/tasks/"+plan.Tasks[0].ID, adasPerson, `{"version":1,"title":"x"}`)
}
