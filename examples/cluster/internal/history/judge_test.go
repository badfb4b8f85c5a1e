package history_test

import (
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
	"github.com/planrooms/planrooms/protocol"
)

// start is when the histories of the tests begin. Their steps are a second apart.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(second int) time.Time { return start.Add(time.Duration(second) * time.Second) }

func position(epoch string, seq uint64) *protocol.Position {
	return &protocol.Position{Epoch: epoch, Seq: seq}
}

// story builds the records of a viewer of plan p.
type story struct {
	viewer  string
	records []history.Record
}

func (s *story) add(r history.Record) *story {
	r.Viewer, r.Time = s.viewer, at(len(s.records))
	if r.Plan == "" && r.What != history.Connect && r.What != history.Closed {
		r.Plan = "p"
	}
	s.records = append(s.records, r)
	return s
}

// begin connects, joins without a position, and loads the plan.
func (s *story) begin(node, epoch string, seq, change uint64) *story {
	return s.add(history.Record{What: history.Connect, Node: node}).add(history.Record{What: history.Join}).
		add(history.Record{What: history.Joined, Node: node, Position: position(epoch, seq), Users: []string{"a", "b"}}).
		reload("joined", change)
}

// resume connects again, with a position.
func (s *story) resume(node string, since, answer *protocol.Position, recovered bool) *story {
	return s.add(history.Record{What: history.Closed, Node: "n1"}).add(history.Record{What: history.Connect, Node: node}).
		add(history.Record{What: history.Join, Since: since}).
		add(history.Record{What: history.Joined, Node: node, Position: answer, Recovered: recovered, Users: []string{"a", "b"}})
}

// frame gets an event that the client drops.
func (s *story) frame(node string, prev, seq, change uint64) *story {
	return s.add(history.Record{What: history.Frame, Node: node, Prev: prev, Seq: seq, Change: change})
}

// event gets an event that the client returns.
func (s *story) event(node string, prev, seq, change uint64) *story {
	return s.frame(node, prev, seq, change).add(history.Record{What: history.Event, Seq: seq, Change: change})
}

func (s *story) reload(reason string, change uint64) *story {
	return s.add(history.Record{What: history.Reload, Reason: reason}).add(history.Record{What: history.Load, Change: change})
}

func viewer(name string) *story { return &story{viewer: name} }

// acknowledged returns the attempts for the changes up to one.
func acknowledged(last uint64) (list []history.Attempt) {
	for n := range last {
		list = append(list, history.Attempt{Time: at(int(n)), Plan: "p", Change: n + 1, Result: history.Acknowledged})
	}
	return list
}

// Judge finds each kind of fault in a history, and none in a sound one.
func TestJudge(t *testing.T) {
	type want struct{ lost, doubled, disordered, wrong, reloads int }
	sound := func(name string) *story { return viewer(name).begin("n1", "e", 10, 0).event("n1", 10, 11, 1) }
	for _, test := range []struct {
		name    string
		stories []*story
		changes uint64 // that were acknowledged
		terms   history.Terms
		want    want
		problem string // in the first one
	}{
		{"in order", []*story{sound("a").event("n1", 11, 12, 2).event("n1", 12, 15, 3)}, 3, history.Terms{}, want{}, ""},
		{"resumed elsewhere", []*story{
			sound("a").resume("n2", position("e", 11), position("e", 11), true).event("n2", 11, 12, 2).event("n2", 12, 13, 3),
		}, 3, history.Terms{}, want{}, ""},
		{"repeated by the node, dropped by the client", []*story{
			sound("a").event("n1", 11, 12, 2).resume("n2", position("e", 11), position("e", 11), true).frame("n2", 11, 12, 2),
		}, 2, history.Terms{}, want{}, ""},
		{"loaded after a new epoch", []*story{
			sound("a").resume("n2", position("e", 11), position("f", 5), false).reload("not_recovered", 2).event("n2", 5, 6, 3),
		}, 3, history.Terms{LoadedAfter: at(6)}, want{reloads: 1}, ""},

		{"a lost change without an acknowledgement", []*story{sound("a").event("n1", 11, 13, 3)}, 1, history.Terms{}, want{}, ""},

		{"a lost event", []*story{sound("a").event("n1", 11, 13, 3)}, 3, history.Terms{}, want{lost: 1}, "a, p: ends at change 3, lost [2]"},
		{"lost at the end", []*story{sound("a")}, 3, history.Terms{}, want{lost: 2}, "ends at change 1, lost [2 3]"},
		{"lost at the end by a viewer that is gone", []*story{sound("a")}, 3, history.Terms{Gone: []string{"a"}}, want{}, ""},
		{"lost, and loaded", []*story{sound("a").event("n1", 11, 13, 3).reload("gap", 3)}, 3, history.Terms{}, want{reloads: 1}, ""},
		{"a doubled event", []*story{sound("a").event("n1", 11, 12, 1)}, 1, history.Terms{}, want{doubled: 1}, "change 1 came twice"},
		{"disordered events", []*story{sound("a").event("n1", 11, 12, 3).event("n1", 12, 13, 2)}, 3, history.Terms{},
			want{disordered: 1}, "change 2 came after 3"},
		{"an old plan", []*story{sound("a").event("n1", 11, 12, 2).reload("resync", 1)}, 2, history.Terms{},
			want{disordered: 1, reloads: 1}, "a plan with change 1 was loaded after change 2"},

		{"recovered in another epoch", []*story{
			sound("a").resume("n2", position("e", 11), position("f", 11), true).event("n2", 11, 12, 2),
		}, 2, history.Terms{}, want{wrong: 1}, "recovered at f.11 on n2"},
		{"recovered at another position", []*story{
			sound("a").resume("n2", position("e", 11), position("e", 12), true).event("n2", 12, 13, 2),
		}, 2, history.Terms{}, want{wrong: 1}, "recovered at e.12 on n2"},
		{"recovered without a position", []*story{
			sound("a").resume("n2", nil, position("e", 11), true).event("n2", 11, 12, 2),
		}, 2, history.Terms{}, want{wrong: 1}, "recovered at e.11 on n2"},
		{"a hole that is not announced", []*story{sound("a").event("n1", 12, 13, 2)}, 2, history.Terms{},
			want{wrong: 1}, "a hole: the event 13 on n1 follows 12, but the client has 11"},
		{"a repeated event on one connection", []*story{sound("a").event("n1", 11, 12, 2).frame("n1", 11, 12, 2)}, 2, history.Terms{},
			want{wrong: 1}, "the event 12 on n1 comes after 12"},
		{"another event at the same position, after an old copy of the disk", []*story{
			sound("a").event("n1", 11, 12, 2),
			viewer("b").begin("n2", "e", 11, 1).event("n2", 11, 12, 3),
		}, 3, history.Terms{}, want{lost: 2, wrong: 1}, "a, p: ends at change 2, lost [3]"},
		{"recovered after an old copy of the disk", []*story{
			sound("a").event("n1", 11, 12, 2).resume("n2", position("e", 12), position("e", 12), true).event("n2", 12, 13, 3),
		}, 3, history.Terms{LoadedAfter: at(6)}, want{wrong: 1}, "not loaded after the log lost records"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var records []history.Record
			for _, s := range test.stories {
				records = append(records, s.records...)
			}
			r := history.Judge(records, acknowledged(test.changes), test.terms)
			reloads := 0
			for _, n := range r.Reloads {
				reloads += n
			}
			if got := (want{r.Lost, r.Doubled, r.Disordered, r.Wrong, reloads}); got != test.want {
				t.Errorf("found %+v, want %+v: %q", got, test.want, r.Problems)
			}
			if test.problem != "" && (len(r.Problems) == 0 || !strings.Contains(r.Problems[0], test.problem)) {
				t.Errorf("problems %q, want %q", r.Problems, test.problem)
			}
		})
	}
}

// Judge reports the pauses of busy plans.
func TestPauses(t *testing.T) {
	s := viewer("a").begin("n1", "e", 10, 0).event("n1", 10, 11, 1)
	s.records = append(s.records, history.Record{Time: at(60), Viewer: "a", What: history.Event, Plan: "p", Change: 2})
	attempts := []history.Attempt{
		{Time: at(0), Plan: "p", Change: 1, Result: history.Acknowledged},
		{Time: at(5), Plan: "p", Change: 2, Result: history.Uncertain},
		{Time: at(9), Plan: "p", Change: 2, Result: history.Failed},
		{Time: at(41), Plan: "p", Change: 2, Result: history.Acknowledged},
	}
	r := history.Judge(s.records, attempts, history.Terms{})
	if r.PublishPause != 41*time.Second || r.DeliveryPause != 54*time.Second || r.Published != 2 || r.Uncertain != 1 || r.Failed != 1 {
		t.Errorf("report %+v", r)
	}
	if r := history.Judge(s.records, attempts, history.Terms{Quiet: []string{"p"}}); r.DeliveryPause != 0 {
		t.Errorf("the pause of a quiet plan is %v", r.DeliveryPause)
	}
}
