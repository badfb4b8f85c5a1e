package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/planrooms/planrooms/protocol"
)

// change is one request that changes the plan, and the event that the others get.
type change struct {
	method, path, body string
	status             int
	event              protocol.Type
	data               string // as JSON; empty if only the answer to the request has the content
	progress           bool
}

func TestEachChangeIsBroadcast(t *testing.T) {
	s := start(t)
	alice := s.login("alice")
	before := s.plan(alice)
	order := ids(before.Tasks)
	last := before.Tasks[len(before.Tasks)-1]
	slices.Reverse(order)

	author, _ := s.join(alice, "author")
	second, _ := s.join(alice, "second")
	// The same client ID, but another user: it does not exclude bob's connection.
	bob, answer := s.join(s.login("bob"), "author")
	last.Title = "T"
	changes := []change{
		{"POST", "/api/plans/demo/tasks", `{"title":"new"}`, http.StatusCreated, protocol.TypeTaskCreated, "", true},
		{"PATCH", "/api/tasks/" + last.ID, `{"title":"T"}`, http.StatusOK, protocol.TypeTaskUpdated, `{"task":` + quoted(last) + `}`, true},
		{"DELETE", "/api/tasks/" + order[0], ``, http.StatusNoContent, protocol.TypeTaskDeleted, `{"taskId":` + quoted(order[0]) + `}`, true},
	}
	prev := answer.Position.Seq
	for i, c := range changes {
		mutation := fmt.Sprintf("m-%d", i)
		resp := s.do(c.method, c.path, alice, c.body, "X-Plan-Client", "author", "X-Plan-Mutation", mutation)
		if resp.StatusCode != c.status {
			t.Fatalf("%s %s: status %d %s", c.method, c.path, resp.StatusCode, resp.body)
		}
		prev = checkEvents(t, c, string(resp.body), mutation, prev, author, second, bob)
	}
	order = ids(s.plan(alice).Tasks)
	slices.Reverse(order)
	body := `{"taskIds":` + quoted(order) + `}`
	c := change{"POST", "/api/plans/demo/tasks/reorder", body, http.StatusNoContent, protocol.TypeTaskReordered, body, false}
	s.must(c.status, nil, c.method, c.path, alice, c.body, "X-Plan-Client", "author", "X-Plan-Mutation", "m-r")
	prev = checkEvents(t, c, "", "m-r", prev, author, second, bob)

	// A refused change causes no event: the next event follows directly.
	s.must(http.StatusBadRequest, nil, "POST", "/api/plans/demo/tasks", alice, `{"title":""}`)
	s.must(http.StatusBadRequest, nil, "POST", "/api/plans/demo/tasks/reorder", alice, `{"taskIds":["x"]}`)
	s.must(http.StatusNotFound, nil, "DELETE", "/api/tasks/nope", alice, "")
	s.must(http.StatusCreated, nil, "POST", "/api/plans/demo/tasks", alice, `{"title":"from nowhere"}`)
	for _, v := range []*viewer{author, second, bob} {
		if m := v.event(protocol.TypeTaskCreated, prev); m.By != "alice" || m.MutationID != "" {
			t.Errorf("a change without headers: by %q, mutationId %q", m.By, m.MutationID)
		}
	}
}

// checkEvents checks that the author's client got a receipt for a change, the others the event, and
// all of them the progress. It returns the seq of the last event.
func checkEvents(t *testing.T, c change, answer, mutation string, prev uint64, author *viewer, others ...*viewer) uint64 {
	t.Helper()
	want := c.data
	if want == "" {
		want = `{"task":` + answer + `}`
	}
	receipt := author.event(protocol.TypeReceipt, prev)
	if receipt.Data != nil {
		t.Errorf("receipt with data %s", receipt.Data)
	}
	got := []protocol.Message{receipt}
	for _, v := range others {
		m := v.event(c.event, prev)
		if string(m.Data) != want {
			t.Errorf("%s: data %s, want %s", c.event, m.Data, want)
		}
		got = append(got, m)
	}
	if c.progress {
		for _, v := range append([]*viewer{author}, others...) {
			m := v.event(protocol.TypeProgressUpdated, receipt.Seq)
			if progressOf(t, m).TotalTasks == 0 {
				t.Errorf("progress %s", m.Data)
			}
			got = append(got, m)
		}
	}
	for _, m := range got {
		if m.By != "alice" || m.MutationID != mutation {
			t.Errorf("%s: by %q, mutationId %q, want alice, %q", m.Type, m.By, m.MutationID, mutation)
		}
	}
	return got[len(got)-1].Seq
}

func TestMalformedHeadersAreIgnored(t *testing.T) {
	s := start(t)
	alice := s.login("alice")
	author, answer := s.join(alice, "author")
	s.must(http.StatusCreated, nil, "POST", "/api/plans/demo/tasks", alice, `{"title":"x"}`,
		"X-Plan-Client", "author!", "X-Plan-Mutation", strings.Repeat("m", 65))
	for _, m := range []protocol.Message{author.event(protocol.TypeTaskCreated, answer.Position.Seq), author.next(protocol.TypeProgressUpdated)} {
		if m.By != "alice" || m.MutationID != "" {
			t.Errorf("%s: by %q, mutationId %q", m.Type, m.By, m.MutationID)
		}
	}
}

// Several users change one task at once. The last event is the last change.
func TestOrderOfEventsIsOrderOfChanges(t *testing.T) {
	s := start(t)
	alice := s.login("alice")
	one := s.plan(alice).Tasks[0]
	bob, answer := s.join(s.login("bob"), "tab")
	const writers, each = 4, 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				resp := s.do("PATCH", "/api/tasks/"+one.ID, alice, fmt.Sprintf(`{"title":"%d %d"}`, w, i))
				if resp.StatusCode != http.StatusOK {
					t.Errorf("status %d", resp.StatusCode)
				}
			}
		})
	}
	var got []string
	prev := answer.Position.Seq
	for range writers * each {
		m := bob.event(protocol.TypeTaskUpdated, prev)
		got = append(got, taskOf(t, m).Title)
		prev = bob.event(protocol.TypeProgressUpdated, m.Seq).Seq
	}
	wg.Wait()
	if got, want := got[len(got)-1], s.plan(alice).Tasks[0].Title; got != want {
		t.Errorf("the last event says %q, the plan %q", got, want)
	}
	for w := range writers { // and each one's changes are in order
		next := 0
		for _, title := range got {
			if title == fmt.Sprintf("%d %d", w, next) {
				next++
			}
		}
		if next != each {
			t.Errorf("changes of writer %d are out of order: %q", w, got)
		}
	}
}

// Readers load a plan and join with its position while it changes. They miss no event in between.
func TestPositionMissesNothing(t *testing.T) {
	s := start(t)
	alice, bob := s.login("alice"), s.login("bob")
	const readers, each = 5, 8
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range readers * each {
			resp := s.do("POST", "/api/plans/demo/tasks", alice, fmt.Sprintf(`{"title":"%d"}`, i))
			if resp.StatusCode != http.StatusCreated {
				t.Errorf("status %d", resp.StatusCode)
			}
		}
	}()
	type reader struct {
		v    *viewer
		prev uint64
		ids  map[string]bool
	}
	var all []reader
	for i := range readers {
		view := s.plan(bob)
		v := s.connect(bob, fmt.Sprintf("tab-%d", i))
		answer := v.join(&view.Position)
		if !answer.Recovered || answer.Position != view.Position {
			t.Fatalf("join since %v: %+v", view.Position, answer)
		}
		r := reader{v, view.Position.Seq, map[string]bool{}}
		for _, task := range view.Tasks {
			r.ids[task.ID] = true
		}
		all = append(all, r)
	}
	<-done
	end := s.plan(bob)
	for i, r := range all {
		for r.prev < end.Position.Seq {
			// The position may be one between a task and its progress.
			m := r.v.follows(r.v.next(protocol.TypeTaskCreated, protocol.TypeProgressUpdated), r.prev)
			if m.Type == protocol.TypeTaskCreated {
				r.ids[taskOf(t, m).ID] = true
			}
			r.prev = m.Seq
		}
		for _, task := range end.Tasks {
			if !r.ids[task.ID] {
				t.Errorf("reader %d missed task %q", i, task.Title)
			}
		}
	}
}

func TestResume(t *testing.T) {
	s := start(t)
	alice := s.login("alice")
	bob, answer := s.join(s.login("bob"), "tab")
	bob.Close() // without a close frame
	one := s.plan(alice).Tasks[0].ID
	for _, status := range taskStatuses {
		s.must(http.StatusOK, nil, "PATCH", "/api/tasks/"+one, alice, `{"status":"`+status+`"}`)
	}
	bob = s.connect(s.login("bob"), "tab")
	if again := bob.join(&answer.Position); !again.Recovered {
		t.Fatalf("join %+v", again)
	}
	prev := answer.Position.Seq
	for _, status := range taskStatuses {
		m := bob.event(protocol.TypeTaskUpdated, prev)
		if got := taskOf(t, m).Status; got != status {
			t.Errorf("status %q, want %q", got, status)
		}
		prev = bob.event(protocol.TypeProgressUpdated, m.Seq).Seq
	}
	other := bob.join(&protocol.Position{Epoch: "another", Seq: prev})
	if other.Recovered || other.Position != s.plan(alice).Position {
		t.Errorf("join since another epoch: %+v", other)
	}
}

func TestStrangersGetNoEvents(t *testing.T) {
	s := start(t)
	alice := s.login("alice")
	mallory := s.connect(s.login("mallory"), "m")
	refusal := func(planID string) string {
		mallory.sendText(`{"type":"join-plan","planId":"` + planID + `"}`)
		return withoutTime(t, mallory.NextText())
	}
	real, unreal := refusal("demo"), refusal("nope")
	if !strings.Contains(real, `"code":"forbidden"`) {
		t.Errorf("mallory joins: %s", real)
	}
	if got := strings.ReplaceAll(unreal, "nope", "demo"); got != real {
		t.Errorf("refused for a plan that exists with %s, for another with %s", real, unreal)
	}
	bob, answer := s.join(s.login("bob"), "tab")
	s.must(http.StatusCreated, nil, "POST", "/api/plans/demo/tasks", alice, `{"title":"secret"}`)
	bob.event(protocol.TypeTaskCreated, answer.Position.Seq)
	mallory.sendText(`{"type":"ping"}`)
	if m := mallory.next(protocol.TypePong); m.Data != nil {
		t.Errorf("pong with %s", m.Data)
	}
	if rooms := s.do("GET", "/api/rooms?plan=demo", "", ""); strings.Contains(string(rooms.body), "mallory") || !strings.Contains(string(rooms.body), "bob") {
		t.Errorf("rooms %s", rooms.body)
	}
}
