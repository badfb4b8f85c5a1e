package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

func TestRestore(t *testing.T) {
	t.Parallel()
	b := start(t)
	adasPerson, bensPerson := b.login(ada), b.login(ben)
	plan := b.plan(adasPerson, "Launch week")
	author, other := b.join(adasPerson, "tab", plan), b.join(bensPerson, "tab", plan)
	task := plan.Tasks[6]
	restore := "/api/tasks/" + task.ID + "/restore"
	b.must(http.StatusNotFound, nil, "POST", restore, adasPerson, "")
	b.must(http.StatusNoContent, nil, "DELETE", "/api/tasks/"+task.ID, adasPerson, "")
	prev := other.event(protocol.TypeTaskDeleted, plan.Position.Seq).Seq
	prev = other.event(protocol.TypeProgressUpdated, prev).Seq
	for range 2 {
		author.next(protocol.TypeTaskDeleted, protocol.TypeProgressUpdated)
	}

	b.must(http.StatusNotFound, nil, "POST", restore, b.stranger(), "")
	b.must(http.StatusForbidden, nil, "POST", restore, b.login(cleo), "")
	var got store.Restored
	b.must(http.StatusOK, &got, "POST", restore, adasPerson, "", "X-Plan-Client", "tab", "X-Plan-Mutation", "m-1")
	want := task
	want.Version, want.UpdatedAt = task.Version+1, got.Task.UpdatedAt
	if diff := cmp.Diff(want, got.Task); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ids(plan.Tasks), got.TaskIDs); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	m := other.event(protocol.TypeTaskCreated, prev)
	if diff := cmp.Diff(want, transporttest.DataOf[struct{ Task store.Task }](t, m).Task); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	m = other.event(protocol.TypeTaskReordered, m.Seq)
	other.event(protocol.TypeProgressUpdated, m.Seq)
	for _, want := range []protocol.Type{protocol.TypeReceipt, protocol.TypeReceipt, protocol.TypeProgressUpdated} {
		author.next(want)
	}
	b.must(http.StatusNotFound, nil, "POST", restore, adasPerson, "")

	// The order has changed and the assignee has left before the task comes back.
	b.must(http.StatusNoContent, nil, "DELETE", "/api/tasks/"+task.ID, adasPerson, "")
	order := ids(b.plan(adasPerson, "Launch week").Tasks)
	slices.Reverse(order)
	b.must(http.StatusNoContent, nil, "POST", "/api/plans/"+plan.ID+"/tasks/reorder", adasPerson, `{"taskIds":`+quoted(order)+`}`)
	b.must(http.StatusNoContent, nil, "DELETE", "/api/plans/"+plan.ID+"/members/"+bensPerson.User.ID, adasPerson, "")
	b.must(http.StatusOK, &got, "POST", restore, adasPerson, "")
	if got.Task.Assignee != nil || got.TaskIDs[6] != task.ID || len(got.TaskIDs) != 9 {
		t.Errorf("restored %+v in %v", got.Task, got.TaskIDs)
	}
	if diff := cmp.Diff(slices.Insert(order, 6, task.ID), ids(b.plan(adasPerson, "Launch week").Tasks)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestTitles(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]bool{
		"Print badges": true, "מסיבת השקה": true, "حفل\u200f الإطلاق": true, "👩‍👩‍👧‍👦 party": true,
		strings.Repeat("x", 200): true, strings.Repeat("x", 201): false, " ": false, "": false,
		"a\nb": false, "a\u2028b": false, "\u202egnikcah": false, "x\u2066": false, "x\u2069": false, "\u0000": false,
		"\u200b": false, "\u2060\u200d": false, "\u00ad ": false, "\u3164": false, "\u2800": false, "\u200f": false,
		"\ufe0f": false, "\U000e0041": false, "\u200bx": true, "☂\ufe0f": true,
	} {
		if got := validTitle(title); got != want {
			t.Errorf("validTitle(%q) = %v, want %v", title, got, want)
		}
	}
}
