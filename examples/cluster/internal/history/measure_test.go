package history_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
)

// Recoveries measures until a viewer of a node that died has all that was acknowledged, and finds
// those that never have.
func TestRecoveries(t *testing.T) {
	sound := func(name, node string) *story { return viewer(name).begin(node, "e", 10, 0).event(node, 10, 11, 1) } // 7 s
	since := position("e", 11)
	back := sound("back", "n1").resume("n2", since, since, true).event("n2", 11, 12, 2).event("n2", 12, 13, 3) // answered at 10 s
	behind := sound("behind", "n1").resume("n2", since, since, true).event("n2", 11, 12, 2)
	same := sound("same", "n1").resume("n1", since, since, true).event("n1", 11, 12, 2).event("n1", 12, 13, 3)
	loaded := sound("loaded", "n1").resume("n3", since, position("f", 1), false).reload("not_recovered", 3)
	elsewhere := sound("elsewhere", "n2").event("n2", 11, 12, 2)
	var records []history.Record
	for _, s := range []*story{back, behind, same, loaded, elsewhere} {
		records = append(records, s.records...)
	}
	attempts := acknowledged(9)
	for i := range attempts {
		attempts[i].Time = at(2 * i) // 3 were acknowledged at 5 s
	}
	want := []history.Recovery{
		{Viewer: "back", Node: "n2", After: 9 * time.Second}, {Viewer: "behind", Node: "n2", After: -1},
		{Viewer: "same", Node: "n1", After: -1}, {Viewer: "loaded", Node: "n3", After: 7 * time.Second},
	}
	if diff := cmp.Diff(want, history.Recoveries(records, attempts, "n1", at(5))); diff != "" {
		t.Errorf("recoveries (-want +got):\n%s", diff)
	}
}

// Between finds the events that some viewers received from a node during a time.
func TestBetween(t *testing.T) {
	s := viewer("a").begin("n1", "e", 10, 0).event("n1", 10, 11, 1).event("n1", 11, 12, 2).event("n2", 12, 13, 3) // at 5, 7 and 9 s
	for _, test := range []struct {
		node, viewer string
		from, to     int
		want         int
	}{
		{"n1", "a", 0, 20, 2},
		{"n1", "a", 5, 7, 1},
		{"n1", "a", 7, 20, 0},
		{"n2", "a", 0, 20, 1},
		{"n1", "b", 0, 20, 0},
	} {
		got := history.Between(s.records, test.node, []string{test.viewer}, at(test.from), at(test.to))
		if len(got) != test.want {
			t.Errorf("%+v: %d events", test, len(got))
		}
	}
}

// Departures counts what each viewer received about users who left, and Lists whom it lists.
func TestDepartures(t *testing.T) {
	told := func(name string, what ...history.What) []history.Record {
		s := viewer(name).begin("n1", "e", 10, 0) // until 4 s
		for _, w := range what {
			s.add(history.Record{What: w, User: "b"})
		}
		return s.records
	}
	var records []history.Record
	records = append(records, told("once", history.Leave)...)
	records = append(records, told("twice", history.Leave, history.Enter, history.Leave)...)
	records = append(records, told("never")...)
	again := viewer("again").begin("n2", "e", 10, 0).add(history.Record{What: history.Join}).
		add(history.Record{What: history.Joined, Position: position("e", 10), Users: []string{"a", "c"}}).add(history.Record{What: history.Enter, User: "d"})
	records = append(records, again.records...)
	want := []history.Departure{
		{Viewer: "once", User: "b", Leaves: 1, After: time.Second},
		{Viewer: "twice", User: "b", Leaves: 2, Enters: 1, After: time.Second},
		{Viewer: "never", User: "b"},
		{Viewer: "again", User: "b", Joined: true},
	}
	if diff := cmp.Diff(want, history.Departures(records, "p", []string{"b"}, at(4))); diff != "" {
		t.Errorf("departures (-want +got):\n%s", diff)
	}
	lists := map[string][]string{
		"once": {"a"}, "twice": {"a"}, "never": {"a", "b"}, "again": {"a", "c", "d"},
	}
	if diff := cmp.Diff(lists, history.Lists(records, "p")); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
}

// What a Writer has written can be read, up to a line that is not whole.
func TestWriter(t *testing.T) {
	var buf bytes.Buffer
	w := history.NewWriter(&buf)
	want := []history.Record{
		{Viewer: "a", Node: "n1", What: history.Joined, Plan: "p", Position: position("e", 7), Recovered: true, Users: []string{"a"}},
		{Viewer: "a", What: history.Reload, Plan: "p", Reason: "gap"},
	}
	for _, r := range want {
		w.Record(r)
	}
	(*history.Writer)(nil).Record(want[0]) // is dropped
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "history.jsonl")
	if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := history.Read[history.Record](file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if got[i].Time.IsZero() {
			t.Errorf("record %d has no time", i)
		}
		got[i].Time = time.Time{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(file, buf.Bytes()[:buf.Len()-5], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := history.Read[history.Record](file); err == nil {
		t.Error("a file with half a line is read without an error")
	}
}
