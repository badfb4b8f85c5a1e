package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// change is one request, and the event that others receive.
type change struct {
	method, path, body string
	status             int
	event              protocol.Type
	data               string // as JSON; empty if it is the task of the answer
	progress           *store.Progress
}

// make makes the change from a tab of the author. It checks that this tab gets a receipt, the
// others the event, and all of them the progress. It returns the seq of the last event and the
// body of the answer.
func (c change) make(b *board, p *person, tab string, prev uint64, author *viewer, others ...*viewer) (uint64, []byte) {
	b.t.Helper()
	mutation := "m-" + string(c.event)
	resp := b.must(c.status, nil, c.method, c.path, p, c.body, "X-Plan-Client", tab, "X-Plan-Mutation", mutation)
	want := c.data
	if want == "" {
		want = `{"task":` + string(resp.body) + `}`
	}
	received := []protocol.Message{author.event(protocol.TypeReceipt, prev)}
	for _, v := range others {
		m := v.event(c.event, prev)
		if string(m.Data) != want {
			b.t.Errorf("%s: data %s, want %s", c.event, m.Data, want)
		}
		received = append(received, m)
	}
	if c.progress != nil {
		for _, v := range append([]*viewer{author}, others...) {
			m := v.event(protocol.TypeProgressUpdated, received[0].Seq)
			if got := transporttest.DataOf[struct{ Progress store.Progress }](b.t, m).Progress; got != *c.progress {
				b.t.Errorf("progress after %s: %+v, want %+v", c.event, got, *c.progress)
			}
			received = append(received, m)
		}
	}
	for _, m := range received {
		if m.By != p.User.ID || m.MutationID != mutation {
			b.t.Errorf("%s: by %q, mutationId %q, want %q, %q", m.Type, m.By, m.MutationID, p.User.ID, mutation)
		}
	}
	return received[len(received)-1].Seq, resp.body
}

func TestTwoSeeEachOthersChanges(t *testing.T) {
	t.Parallel()
	b := start(t)
	adasPerson, bensPerson := b.login(ada), b.login(ben)
	plan := b.plan(adasPerson, "Launch week")
	// Client IDs are not secret: Ben's tab uses the same one and still gets events.
	adasTab, bensTab := b.join(adasPerson, "tab", plan), b.join(bensPerson, "tab", plan)
	adasOther := b.join(adasPerson, "other", plan)
	prev := plan.Position.Seq

	for _, by := range []struct {
		person *person
		author *viewer
		others []*viewer
	}{
		{adasPerson, adasTab, []*viewer{adasOther, bensTab}},
		{bensPerson, bensTab, []*viewer{adasTab, adasOther}},
	} {
		make := func(c change) []byte {
			t.Helper()
			var answer []byte
			prev, answer = c.make(b, by.person, "tab", prev, by.author, by.others...)
			return answer
		}
		before := b.plan(by.person, "Launch week")
		order := ids(before.Tasks)
		first := before.Tasks[0]

		after := &store.Progress{TotalTasks: 10, CompletedTasks: 2, CompletionPercentage: 20}
		make(change{"POST", "/api/plans/" + plan.ID + "/tasks", `{"title":"New","notes":"Now."}`, 201, protocol.TypeTaskCreated, "", after})
		created := b.plan(by.person, "Launch week").Tasks[9]
		if created.Title != "New" || created.Version != 1 || created.Status != store.StatusNotStarted {
			t.Errorf("created %+v, want it at the end", created)
		}

		after = &store.Progress{TotalTasks: 10, CompletedTasks: 3, CompletionPercentage: 30}
		make(change{"PATCH", "/api/tasks/" + created.ID, `{"version":1,"status":"completed"}`, 200, protocol.TypeTaskUpdated, "", after})

		after = &store.Progress{TotalTasks: 9, CompletedTasks: 2, CompletionPercentage: 22}
		make(change{"DELETE", "/api/tasks/" + created.ID + "?version=2", "", 204, protocol.TypeTaskDeleted, `{"taskId":` + quoted(created.ID) + `}`, after})

		slices.Reverse(order)
		body := `{"taskIds":` + quoted(order) + `}`
		make(change{"POST", "/api/plans/" + plan.ID + "/tasks/reorder", body, 204, protocol.TypeTaskReordered, body, nil})
		end := b.plan(by.person, "Launch week")
		if diff := cmp.Diff(order, ids(end.Tasks)); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		if got := end.Tasks[8]; got.ID != first.ID || got.Version != first.Version {
			t.Errorf("a task after reordering: %+v, want another place and no other version than %d", got, first.Version)
		}
		if end.Position.Seq != prev {
			t.Errorf("position %d, want that of the last event, %d", end.Position.Seq, prev)
		}
	}
}

func TestConflict(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	plan := b.plan(p, "Launch week")
	task := "/api/tasks/" + plan.Tasks[0].ID
	v := b.join(p, "tab", plan)

	var current store.Task
	b.must(http.StatusOK, &current, "PATCH", task, p, `{"version":1,"title":"Second","assignee":null}`)
	if current.Version != 2 || current.Title != "Second" || current.Assignee != nil || current.Notes != plan.Tasks[0].Notes {
		t.Errorf("changed to %+v", current)
	}
	prev := v.event(protocol.TypeTaskUpdated, plan.Position.Seq).Seq
	prev = v.event(protocol.TypeProgressUpdated, prev).Seq

	for _, c := range []struct{ method, path, body string }{
		{"PATCH", task, `{"version":1,"title":"Late"}`},
		{"PATCH", task, `{"version":3,"title":"Early"}`},
		{"DELETE", task + "?version=1", ""},
	} {
		var conflict struct {
			refusal
			Task store.Task
		}
		b.must(http.StatusConflict, &conflict, c.method, c.path, p, c.body)
		if diff := cmp.Diff(current, conflict.Task); conflict.Code != "conflict" || conflict.Error == "" || diff != "" {
			t.Errorf("%s %s %s: %+v; task (-want +got):\n%s", c.method, c.path, c.body, conflict.refusal, diff)
		}
	}

	order := ids(plan.Tasks)
	for name, sent := range map[string][]string{
		"one missing": order[1:],
		"one twice":   append(slices.Clone(order[1:]), order[1]),
		"one unknown": append(slices.Clone(order[1:]), "nope"),
		"none":        {},
	} {
		var conflict struct {
			refusal
			TaskIDs []string
		}
		b.must(http.StatusConflict, &conflict, "POST", "/api/plans/"+plan.ID+"/tasks/reorder", p, `{"taskIds":`+quoted(sent)+`}`)
		if diff := cmp.Diff(order, conflict.TaskIDs); conflict.Code != "conflict" || diff != "" {
			t.Errorf("reorder with %s: %+v; taskIds (-want +got):\n%s", name, conflict.refusal, diff)
		}
	}

	// Refused changes send no event: the next event follows directly.
	b.must(http.StatusNoContent, nil, "DELETE", task, p, "")
	v.event(protocol.TypeTaskDeleted, prev)
}

// Twenty requests try to change each version of one task. One succeeds, and viewers receive the
// versions in order.
func TestOrderOfEventsIsOrderOfCommits(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	plan := b.plan(p, "Launch week")
	v := b.join(b.login(cleo), "tab", plan)
	task := plan.Tasks[0]

	const writers = 20
	var wg sync.WaitGroup
	var mu sync.Mutex // guards won
	won := make(map[int64]string)
	for w := range writers {
		wg.Go(func() {
			title := fmt.Sprintf("Writer %d", w)
			version := task.Version
			for {
				var answer struct {
					store.Task
					Current store.Task `json:"task"`
				}
				resp := b.do("PATCH", "/api/tasks/"+task.ID, p, fmt.Sprintf(`{"version":%d,"title":%q}`, version, title))
				if err := json.Unmarshal(resp.body, &answer); err != nil {
					t.Errorf("%v in %s", err, resp.body)
					return
				}
				switch resp.StatusCode {
				case http.StatusOK:
					mu.Lock()
					defer mu.Unlock()
					if other, ok := won[answer.Version]; ok || answer.Version != version+1 {
						t.Errorf("version %d after %d is of %q and of %q", answer.Version, version, other, title)
					}
					won[answer.Version] = title
					return
				case http.StatusConflict:
					if answer.Current.Version <= version {
						t.Errorf("conflict with version %d, current is %d", version, answer.Current.Version)
						return
					}
					version = answer.Current.Version
				default:
					t.Errorf("status %d %s", resp.StatusCode, resp.body)
					return
				}
			}
		})
	}
	type version struct {
		Version int64
		Title   string
	}
	var received []version
	prev := plan.Position.Seq
	for range writers {
		m := v.event(protocol.TypeTaskUpdated, prev)
		received = append(received, transporttest.DataOf[struct{ Task version }](t, m).Task)
		prev = v.event(protocol.TypeProgressUpdated, m.Seq).Seq
	}
	wg.Wait()
	for i, got := range received {
		want := version{task.Version + 1 + int64(i), won[task.Version+1+int64(i)]}
		if got != want {
			t.Errorf("event %d is of %+v, want %+v", i, got, want)
		}
	}
}

func TestWhoMayWhat(t *testing.T) {
	t.Parallel()
	b := start(t)
	adasPerson, bensPerson, cleosPerson := b.login(ada), b.login(ben), b.login(cleo)
	plan := b.plan(adasPerson, "Launch week")
	task := "/api/tasks/" + plan.Tasks[0].ID
	order := `{"taskIds":` + quoted(ids(plan.Tasks)) + `}`
	stranger := b.stranger()
	const ownPlan = 201

	for _, c := range []struct {
		method, path, body             string
		editor, viewer, outsider, anon int
	}{
		{"GET", "/api/plans", "", 200, 200, 200, 401},
		{"POST", "/api/plans", `{"title":"Mine"}`, ownPlan, ownPlan, ownPlan, 401},
		{"GET", "/api/plans/" + plan.ID, "", 200, 200, 404, 401},
		{"GET", "/api/plans/" + plan.ID + "/tasks", "", 200, 200, 404, 401},
		{"GET", "/api/plans/" + plan.ID + "/progress", "", 200, 200, 404, 401},
		{"PATCH", "/api/plans/" + plan.ID, `{"title":"x"}`, 403, 403, 404, 401},
		{"DELETE", "/api/plans/" + plan.ID, "", 403, 403, 404, 401},
		{"POST", "/api/plans/" + plan.ID + "/owner", `{"userId":` + quoted(bensPerson.User.ID) + `}`, 403, 403, 404, 401},
		{"GET", "/api/plans/" + plan.ID + "/invitations", "", 403, 403, 404, 401},
		{"POST", "/api/plans/" + plan.ID + "/invitations", `{"email":"nobody@example.com","role":"viewer"}`, 403, 403, 404, 401},
		{"DELETE", "/api/plans/" + plan.ID + "/invitations/" + cleosPerson.User.ID, "", 403, 403, 404, 401},
		{"GET", "/api/invitations", "", 200, 200, 200, 401},
		{"POST", "/api/invitations/" + plan.ID + "/accept", "", 404, 404, 404, 401},
		{"DELETE", "/api/invitations/" + plan.ID, "", 404, 404, 404, 401},
		{"DELETE", "/api/plans/" + plan.ID + "/members/" + adasPerson.User.ID, "", 403, 403, 404, 401},
		{"POST", "/api/plans/" + plan.ID + "/tasks", `{"title":"x"}`, 201, 403, 404, 401},
		{"PATCH", task, `{"version":1,"title":"x"}`, 200, 403, 404, 401},
		// There is one more by now.
		{"POST", "/api/plans/" + plan.ID + "/tasks/reorder", order, 409, 403, 404, 401},
		{"DELETE", task, "", 204, 404, 404, 401},
	} {
		for _, who := range []struct {
			name   string
			person *person
			want   int
		}{{"editor", bensPerson, c.editor}, {"viewer", cleosPerson, c.viewer}, {"outsider", stranger, c.outsider}, {"nobody", nil, c.anon}} {
			if resp := b.do(c.method, c.path, who.person, c.body); resp.StatusCode != who.want {
				t.Errorf("%s %s as %s: status %d %s, want %d", c.method, c.path, who.name, resp.StatusCode, resp.body, who.want)
			}
		}
	}

	// A plan that does not exist looks like one of others.
	one, other := b.do("GET", "/api/plans/"+plan.ID, stranger, ""), b.do("GET", "/api/plans/nope", stranger, "")
	if one.StatusCode != other.StatusCode || string(one.body) != string(other.body) {
		t.Errorf("a plan of others: %s, none: %s", one.body, other.body)
	}
	if got := b.plan(stranger, "Mine"); got.Role != store.RoleOwner || len(got.Tasks) != 0 || got.Tasks == nil {
		t.Errorf("a new plan: %+v", got)
	}
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	plan := b.plan(p, "Launch week")
	tasks, task := "/api/plans/"+plan.ID+"/tasks", "/api/tasks/"+plan.Tasks[0].ID
	long := strings.Repeat("x", maxTitleRunes+1)
	for _, c := range []struct {
		name, method, path, body, kind string
		status                         int
		code                           string
	}{
		{"no JSON", "POST", tasks, `{`, "", 400, "bad_request"},
		{"more than JSON", "POST", tasks, `{"title":"x"}{}`, "", 400, "bad_request"},
		{"unknown field", "POST", tasks, `{"title":"x","done":true}`, "", 400, "bad_request"},
		{"wrong type", "POST", tasks, `{"title":7}`, "", 400, "bad_request"},
		{"not UTF-8", "POST", tasks, "{\"title\":\"\xff\"}", "", 400, "bad_request"},
		{"no title", "POST", tasks, `{}`, "", 400, "bad_request"},
		{"blank title", "POST", tasks, `{"title":" "}`, "", 400, "bad_request"},
		{"two lines", "POST", tasks, `{"title":"a\nb"}`, "", 400, "bad_request"},
		{"long title", "POST", tasks, `{"title":"` + long + `"}`, "", 400, "bad_request"},
		{"long notes", "POST", tasks, `{"title":"x","notes":"` + strings.Repeat("x", maxNotesRunes+1) + `"}`, "", 400, "bad_request"},
		{"stranger as assignee", "POST", tasks, `{"title":"x","assignee":"nope"}`, "", 400, "not_a_member"},
		{"form", "POST", tasks, `title=x`, "application/x-www-form-urlencoded", 415, "not_json"},
		{"no type", "POST", tasks, `{"title":"x"}`, "nonsense/", 415, "not_json"},
		{"large", "POST", tasks, `{"title":"` + strings.Repeat("x", maxTaskBody) + `"}`, "", 413, "too_large"},
		{"no version", "PATCH", task, `{"title":"x"}`, "", 400, "bad_request"},
		{"no change", "PATCH", task, `{"version":1}`, "", 400, "bad_request"},
		{"title null", "PATCH", task, `{"version":1,"title":null}`, "", 400, "bad_request"},
		{"unknown status", "PATCH", task, `{"version":1,"status":"done"}`, "", 400, "bad_request"},
		{"new assignee unknown", "PATCH", task, `{"version":1,"assignee":"nope"}`, "", 400, "not_a_member"},
		{"fractional version", "PATCH", task, `{"version":1.5,"title":"x"}`, "", 400, "bad_request"},
		{"version no number", "DELETE", task + "?version=x", ``, "", 400, "bad_request"},
		{"no ids", "POST", tasks + "/reorder", `{}`, "", 400, "bad_request"},
		{"no address", "POST", "/api/plans/" + plan.ID + "/invitations", `{"role":"viewer"}`, "", 400, "bad_request"},
		{"owner as role", "POST", "/api/plans/" + plan.ID + "/invitations", `{"email":"a@b","role":"owner"}`, "", 400, "bad_request"},
		{"plan without title", "POST", "/api/plans", `{"title":""}`, "", 400, "bad_request"},
		{"no such route", "GET", "/api/nope", ``, "", 404, "no_such_route"},
		{"strange plan id", "GET", "/api/plans/a%00b", ``, "", 404, "not_found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var headers []string
			if c.kind != "" {
				headers = []string{"Content-Type", c.kind}
			}
			resp := b.do(c.method, c.path, p, c.body, headers...)
			if resp.StatusCode != c.status || resp.code() != c.code {
				t.Errorf("%s %s %.60s: status %d %s, want %d %s", c.method, c.path, c.body, resp.StatusCode, resp.body, c.status, c.code)
			}
		})
	}
	if got := b.plan(p, "Launch week"); !cmp.Equal(got.Tasks, plan.Tasks) || got.Position != plan.Position {
		t.Errorf("something has changed:\n%s", cmp.Diff(plan, got))
	}
}

func TestLargestTask(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	plan := b.plan(p, "Launch week")
	v := b.join(p, "tab", plan)
	b.must(http.StatusCreated, nil, "POST", "/api/plans/"+plan.ID+"/tasks", p,
		`{"title":"`+strings.Repeat("<", maxTitleRunes)+`","notes":"`+strings.Repeat(`\u003c`, maxNotesRunes)+`"}`)
	v.event(protocol.TypeTaskCreated, plan.Position.Seq)
}

// Somebody loads the plan, and a task is added before they have joined.
func TestPositionMissesNothing(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	plan := b.plan(p, "Launch week")
	var tasks struct {
		Position protocol.Position
		Tasks    []store.Task
	}
	b.must(http.StatusOK, &tasks, "GET", "/api/plans/"+plan.ID+"/tasks", p, "")
	if diff := cmp.Diff(plan.Tasks, tasks.Tasks); diff != "" || tasks.Position != plan.Position {
		t.Errorf("tasks of %v (-plan +tasks):\n%s", tasks.Position, diff)
	}
	b.must(http.StatusCreated, nil, "POST", "/api/plans/"+plan.ID+"/tasks", p, `{"title":"Meanwhile"}`)
	b.join(p, "tab", plan).event(protocol.TypeTaskCreated, plan.Position.Seq)
}
