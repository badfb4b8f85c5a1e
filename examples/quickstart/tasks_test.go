package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func quoted(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func ids(tasks []task) []string {
	list := []string{}
	for _, t := range tasks {
		list = append(list, t.ID)
	}
	return list
}

func TestLifeOfATask(t *testing.T) {
	s := start(t)
	alice := s.login("alice")
	before := s.plan(alice)
	if before.ID != "demo" || before.Position.Epoch == "" || len(before.Tasks) == 0 {
		t.Fatalf("plan %+v", before)
	}

	var created task
	s.must(http.StatusCreated, &created, "POST", "/api/plans/demo/tasks", alice, `{"title":"Überraschung & <b>"}`)
	want := task{ID: created.ID, Title: "Überraschung & <b>", Status: "not_started"}
	if diff := cmp.Diff(want, created); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	var updated task
	s.must(http.StatusOK, &updated, "PATCH", "/api/tasks/"+created.ID, alice, `{"status":"completed"}`)
	want.Status = "completed"
	if diff := cmp.Diff(want, updated); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	s.must(http.StatusOK, &updated, "PATCH", "/api/tasks/"+created.ID, s.login("bob"), `{"title":"T","status":"in_progress"}`)
	want.Title, want.Status = "T", "in_progress"
	if diff := cmp.Diff(want, updated); diff != "" {
		t.Errorf("updated by another member (-want +got):\n%s", diff)
	}

	order := ids(s.plan(alice).Tasks)
	slices.Reverse(order)
	s.must(http.StatusNoContent, nil, "POST", "/api/plans/demo/tasks/reorder", alice, `{"taskIds":`+quoted(order)+`}`)
	if diff := cmp.Diff(order, ids(s.plan(alice).Tasks)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}

	s.must(http.StatusNoContent, nil, "DELETE", "/api/tasks/"+created.ID, alice, "")
	if slices.Contains(ids(s.plan(alice).Tasks), created.ID) {
		t.Error("the task is still there")
	}
	for _, method := range []string{"DELETE", "PATCH"} {
		if resp := s.do(method, "/api/tasks/"+created.ID, alice, `{"title":"T"}`); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s of a deleted task: status %d", method, resp.StatusCode)
		}
	}
}

func TestProgress(t *testing.T) {
	tests := []struct {
		completed, total int
		want             int
	}{{0, 0, 0}, {0, 3, 0}, {1, 3, 33}, {2, 3, 67}, {1, 2, 50}, {1, 8, 13}, {3, 3, 100}, {199, 200, 100}}
	for _, tt := range tests {
		var p plan
		for i := range tt.total {
			status := "in_progress"
			if i < tt.completed {
				status = "completed"
			}
			p.tasks = append(p.tasks, task{Status: status})
		}
		if diff := cmp.Diff(progress{tt.total, tt.completed, tt.want}, p.progressLocked()); diff != "" {
			t.Errorf("%d of %d (-want +got):\n%s", tt.completed, tt.total, diff)
		}
	}
}

func TestRequests(t *testing.T) {
	s := start(t)
	alice := s.login("alice")
	tasks := ids(s.plan(alice).Tasks)
	one := "/api/tasks/" + tasks[0]
	const create, reorder = "/api/plans/demo/tasks", "/api/plans/demo/tasks/reorder"
	list := func(ids ...string) string { return `{"taskIds":` + quoted(ids) + `}` }
	title := func(n int) string { return fmt.Sprintf(`{"title":%q}`, strings.Repeat("x", n)) }

	tests := []struct {
		name, method, path, body string
		status                   int
	}{
		{"longest title", "POST", create, title(2000), http.StatusCreated},
		{"longest title, written at length", "POST", create, `{"title":"` + strings.Repeat(`\u0041`, 2000) + `"}`, http.StatusCreated},
		{"title too long", "POST", create, title(2001), http.StatusBadRequest},
		{"bytes count, not characters", "POST", create, `{"title":"` + strings.Repeat("é", 1001) + `"}`, http.StatusBadRequest},
		{"empty title", "POST", create, `{"title":""}`, http.StatusBadRequest},
		{"title of spaces", "POST", create, `{"title":"  "}`, http.StatusBadRequest},
		{"title that is invisible", "POST", create, `{"title":"\u200b\u3164\u2800"}`, http.StatusBadRequest},
		{"no title", "POST", create, `{}`, http.StatusBadRequest},
		{"title with a NUL", "POST", create, `{"title":"a\u0000b"}`, http.StatusBadRequest},
		{"title with a tab", "POST", create, `{"title":"a\tb"}`, http.StatusBadRequest},
		{"title of two lines", "POST", create, `{"title":"a\nb"}`, http.StatusBadRequest},
		{"title with DEL", "POST", create, "{\"title\":\"a\u007fb\"}", http.StatusBadRequest},
		{"title with a C1 control", "POST", create, `{"title":"a\u0085b"}`, http.StatusBadRequest},
		{"title with a line separator", "POST", create, `{"title":"a\u2028b"}`, http.StatusBadRequest},
		{"title with a paragraph separator", "POST", create, `{"title":"a\u2029b"}`, http.StatusBadRequest},
		{"title with marks and joiners", "POST", create, `{"title":"\u200fשלום 👩\u200d👧"}`, http.StatusCreated},
		{"title is a number", "POST", create, `{"title":1}`, http.StatusBadRequest},
		{"title is not UTF-8", "POST", create, "{\"title\":\"\xff\"}", http.StatusBadRequest},
		{"no JSON", "POST", create, `title`, http.StatusBadRequest},
		{"JSON, but no object", "POST", create, `["title"]`, http.StatusBadRequest},
		{"more than one value", "POST", create, `{"title":"x"} {}`, http.StatusBadRequest},
		{"no body", "POST", create, ``, http.StatusBadRequest},
		{"body too large", "POST", create, `{"title":"x","more":"` + strings.Repeat("x", maxTaskBody) + `"}`, http.StatusRequestEntityTooLarge},

		{"rename", "PATCH", one, `{"title":"x"}`, http.StatusOK},
		{"nothing to change", "PATCH", one, `{}`, http.StatusBadRequest},
		{"only nulls", "PATCH", one, `{"title":null,"status":null}`, http.StatusBadRequest},
		{"rename to nothing", "PATCH", one, `{"title":""}`, http.StatusBadRequest},
		{"rename with a control character", "PATCH", one, `{"title":"a\u001bb"}`, http.StatusBadRequest},
		{"rename too long", "PATCH", one, title(2001), http.StatusBadRequest},
		{"unknown status", "PATCH", one, `{"status":"done"}`, http.StatusBadRequest},
		{"empty status", "PATCH", one, `{"status":""}`, http.StatusBadRequest},
		{"good title, bad status", "PATCH", one, `{"title":"y","status":"done"}`, http.StatusBadRequest},
		{"no JSON in a patch", "PATCH", one, `{"title"`, http.StatusBadRequest},

		{"reorder without a list", "POST", reorder, `{}`, http.StatusBadRequest},
		{"reorder nothing", "POST", reorder, list(), http.StatusBadRequest},
		{"reorder some", "POST", reorder, list(tasks[0]), http.StatusBadRequest},
		{"reorder one twice", "POST", reorder, list(append(slices.Clone(tasks[1:]), tasks[1], tasks[2], tasks[3])...), http.StatusBadRequest},
		{"reorder no JSON", "POST", reorder, `taskIds`, http.StatusBadRequest},

		{"unknown plan", "GET", "/api/plans/nope", "", http.StatusNotFound},
		{"unknown plan, bad JSON", "POST", "/api/plans/nope/tasks", "{", http.StatusNotFound},
		{"unknown task, bad JSON", "PATCH", "/api/tasks/nope", "{", http.StatusNotFound},
		{"plan of others", "GET", "/api/plans/other", "", http.StatusNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := s.do(tt.method, tt.path, alice, tt.body)
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d %s, want %d", resp.StatusCode, resp.body, tt.status)
			}
			if tt.status >= 400 {
				checkError(t, resp)
			}
		})
	}
	var got string
	for _, task := range s.plan(alice).Tasks {
		if task.ID == tasks[0] {
			got = task.Title
		}
	}
	if got != "x" {
		t.Errorf("title %q, want that of the one good rename", got)
	}
}

func TestPlanIsFull(t *testing.T) {
	p := &plan{id: "demo", store: newPlans(), tasks: make([]task, maxTasks)}
	if _, err := p.create("one too many", func(task, progress) { t.Error("published a task that was not created") }); err == nil {
		t.Error("create succeeded")
	}
	p.tasks = p.tasks[1:]
	if _, err := p.create("the last one", func(task, progress) {}); err != nil {
		t.Error(err)
	}
}

// memberRoutes are those that require a token, with a body that each accepts in form.
func memberRoutes(planID, taskID string) [][3]string {
	return [][3]string{
		{"GET", "/api/plans/" + planID, ""},
		{"POST", "/api/plans/" + planID + "/tasks", `{"title":"x"}`},
		{"POST", "/api/plans/" + planID + "/tasks/reorder", `{"taskIds":[]}`},
		{"PATCH", "/api/tasks/" + taskID, `{"title":"x"}`},
		{"DELETE", "/api/tasks/" + taskID, ""},
	}
}

func TestUnauthorized(t *testing.T) {
	s := start(t)
	id := s.plan(s.login("alice")).Tasks[0].ID
	ours, err := newSigner(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := newSigner("") // with the ID of our key: an unknown ID gets 503 at first
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.key.Set("kid", ours.key.KeyID()); err != nil {
		t.Fatal(err)
	}
	sign := func(keys *signer, ttl time.Duration) string {
		token, _, err := keys.sign(person{"alice", "Alice"}, ttl)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + token
	}
	tests := []struct{ name, authorization string }{
		{"none", ""},
		{"no token", "Bearer "},
		{"another scheme", "Basic YWxpY2U6"},
		{"no scheme", strings.TrimPrefix(sign(ours, time.Hour), "Bearer ")},
		{"nonsense", "Bearer nonsense"},
		{"expired", sign(ours, -time.Minute)},
		{"signed by others", sign(theirs, time.Hour)},
		{"signature cut off", sign(ours, time.Hour)[:400]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, route := range memberRoutes("demo", id) {
				resp := s.do(route[0], route[1], "", route[2], "Authorization", tt.authorization)
				if resp.StatusCode != http.StatusUnauthorized {
					t.Errorf("%s %s: status %d, want 401", route[0], route[1], resp.StatusCode)
				}
				checkError(t, resp)
			}
			if _, status := s.dial(nil, "Authorization", tt.authorization); status != http.StatusUnauthorized {
				t.Errorf("GET /ws: status %d, want 401", status)
			}
		})
	}
	if resp := s.do("GET", "/api/plans/demo", "", "", "Authorization", strings.Replace(sign(ours, time.Hour), "Bearer", "bEARER", 1)); resp.StatusCode != http.StatusOK {
		t.Errorf("the name of the scheme in another case: status %d", resp.StatusCode)
	}
}

// A plan of others gets the same response as one that does not exist, byte by byte.
func TestStrangersLearnNothing(t *testing.T) {
	s := start(t)
	id := s.plan(s.login("alice")).Tasks[0].ID
	for _, user := range []string{"mallory", "bob"} {
		token := s.login(user)
		planID := "demo"
		if user == "bob" {
			planID = "other"
			id = s.planCalled("other", s.login("carol")).Tasks[0].ID
		}
		real, unreal := memberRoutes(planID, id), memberRoutes("nope", "nope")
		for i := range real {
			a, b := s.do(real[i][0], real[i][1], token, real[i][2]), s.do(unreal[i][0], unreal[i][1], token, unreal[i][2])
			if a.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s %s: status %d, want 404", user, real[i][0], real[i][1], a.StatusCode)
			}
			checkError(t, a)
			a.Header.Del("Date")
			b.Header.Del("Date")
			if diff := cmp.Diff(b.Header, a.Header); diff != "" {
				t.Errorf("%s: %s %s: headers (-unreal +real):\n%s", user, real[i][0], real[i][1], diff)
			}
			if string(a.body) != string(b.body) {
				t.Errorf("%s: %s %s: %s, and %s for what does not exist", user, real[i][0], real[i][1], a.body, b.body)
			}
		}
	}
	carol := s.login("carol")
	for _, planID := range []string{"demo", "other"} {
		s.must(http.StatusOK, nil, "GET", "/api/plans/"+planID, carol, "")
	}
}
