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
	if r.Plan == "" && !r.OfConnection() {
		r.Plan = "p"
	}
	s.records = append(s.records, r)
	return s
}

// begin connects, joins without a position, and loads the plan.
func (s *story) begin(node, epoch string, seq, change uint64) *story {
	return s.connect(node).join(nil).
		add(history.Record{What: history.Joined, Node: node, Position: position(epoch, seq), Users: []string{"a", "b"}}).
		reload("joined", change)
}

// resume connects again, with a position.
func (s *story) resume(node string, since, answer *protocol.Position, recovered bool) *story {
	return s.closed("n1").connect(node).join(since).
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

// closed ends the connection, and connect begins another one.
func (s *story) closed(node string) *story {
	return s.add(history.Record{What: history.Closed, Node: node})
}

func (s *story) connect(node string) *story {
	return s.add(history.Record{What: history.Connect, Node: node})
}

// join asks to join the plan, and joined is the answer.
func (s *story) join(since *protocol.Position) *story {
	return s.add(history.Record{What: history.Join, Since: since})
}

func (s *story) joined(node string, at *protocol.Position, recovered bool) *story {
	return s.add(history.Record{What: history.Joined, Node: node, Position: at, Recovered: recovered})
}

func (s *story) resync(node string, at *protocol.Position) *story {
	return s.add(history.Record{What: history.Resync, Node: node, Position: at})
}

func (s *story) removed(node string) *story {
	return s.add(history.Record{What: history.Removed, Node: node})
}

// goodbye announces the end of a connection, so it belongs to no plan.
func (s *story) goodbye(node string) *story {
	return s.add(history.Record{What: history.Goodbye, Node: node})
}

func (s *story) receipt(node string, prev, seq uint64) *story {
	return s.add(history.Record{What: history.Receipt, Node: node, Prev: prev, Seq: seq})
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
		}, 3, history.Terms{Ended: "e"}, want{reloads: 1}, ""},
		{"loaded after a resync", []*story{
			sound("a").resync("n1", position("f", 5)).reload("resync", 2).event("n1", 5, 6, 3),
		}, 3, history.Terms{Ended: "e"}, want{reloads: 1}, ""},
		{"asked to load twice, loaded once", []*story{
			sound("a").resync("n1", position("e", 12)).resync("n1", position("e", 13)).reload("resync", 2),
		}, 2, history.Terms{}, want{reloads: 1}, ""},
		{"joined again after a gap, and recovered after a resync", []*story{
			sound("a").resync("n1", position("e", 13)).reload("resync", 2).join(position("e", 13)).resync("n1", position("e", 14)).
				joined("n1", position("e", 13), true).event("n1", 13, 15, 3),
		}, 3, history.Terms{}, want{reloads: 1}, ""},
		{"removed, and joined again", []*story{
			sound("a").removed("n1").join(position("e", 11)).joined("n1", position("e", 11), true).event("n1", 11, 12, 2),
		}, 2, history.Terms{}, want{}, ""},
		{"refused, and joined again", []*story{
			sound("a").closed("n1").connect("n1").join(position("e", 11)).add(history.Record{What: history.Refused}).
				join(position("e", 11)).joined("n1", position("e", 11), true).event("n1", 11, 12, 2),
		}, 2, history.Terms{}, want{}, ""},
		{"a receipt", []*story{sound("a").receipt("n1", 11, 12).event("n1", 12, 13, 2)}, 2, history.Terms{}, want{}, ""},

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
			sound("a").resume("n2", position("e", 11), position("f", 11), true).reload("not_recovered", 1).event("n2", 11, 12, 2),
		}, 2, history.Terms{}, want{wrong: 1, reloads: 1}, "recovered at f.11 on n2"},
		{"recovered at another position", []*story{
			sound("a").resume("n2", position("e", 11), position("e", 12), true).reload("not_recovered", 1).event("n2", 12, 13, 2),
		}, 2, history.Terms{}, want{wrong: 1, reloads: 1}, "recovered at e.12 on n2"},
		{"recovered without a position", []*story{
			sound("a").resume("n2", nil, position("e", 11), true).reload("not_recovered", 1).event("n2", 11, 12, 2),
		}, 2, history.Terms{}, want{wrong: 1, reloads: 1}, "recovered at e.11 on n2"},
		{"a hole that is not announced", []*story{sound("a").event("n1", 12, 13, 2)}, 2, history.Terms{},
			want{wrong: 1}, "a hole: the event 13 on n1 follows 12, but the client has 11"},
		{"a repeated event on one connection", []*story{sound("a").event("n1", 11, 12, 2).frame("n1", 11, 12, 2)}, 2, history.Terms{},
			want{wrong: 1}, "the event 12 on n1 comes after 12"},
		{"another event at the same position, after an old copy of the disk", []*story{
			sound("a").event("n1", 11, 12, 2),
			viewer("b").begin("n2", "e", 11, 1).event("n2", 11, 12, 3),
		}, 3, history.Terms{}, want{lost: 2, wrong: 1}, "a, p: ends at change 2, lost [3]"},
		{"published again after the log has lost it", []*story{
			sound("a").resync("n1", position("f", 5)).reload("resync", 1).event("n1", 5, 6, 1).event("n1", 6, 7, 2),
		}, 2, history.Terms{Ended: "e"}, want{reloads: 1}, ""},
		{"published again, although the log has lost nothing", []*story{
			sound("a").resync("n1", position("f", 5)).reload("resync", 1).event("n1", 5, 6, 1).event("n1", 6, 7, 2),
		}, 2, history.Terms{}, want{doubled: 1, reloads: 1}, "a, p: change 1 came twice"},
		{"published again, and twice in the new epoch", []*story{
			sound("a").resync("n1", position("f", 5)).reload("resync", 1).event("n1", 5, 6, 1).event("n1", 6, 7, 1),
		}, 1, history.Terms{Ended: "e"}, want{doubled: 1, reloads: 1}, "a, p: change 1 came twice"},
		{"recovered after an old copy of the disk", []*story{
			sound("a").event("n1", 11, 12, 2).resume("n2", position("e", 12), position("e", 12), true).event("n2", 12, 13, 3),
		}, 3, history.Terms{Ended: "e"}, want{wrong: 1}, "a, p: still in epoch e, in which the log lost records"},

		{"an event after removed", []*story{sound("a").removed("n1").event("n1", 11, 12, 2)}, 2, history.Terms{Gone: []string{"a"}},
			want{wrong: 1}, "an event without an answer to the join on n1"},
		{"an event after the connection was closed", []*story{sound("a").closed("n1").event("n1", 11, 12, 2)}, 2, history.Terms{},
			want{wrong: 1}, "an event without an answer to the join on n1"},
		{"an event after goodbye", []*story{sound("a").goodbye("n1").event("n1", 11, 12, 2)}, 2, history.Terms{Gone: []string{"a"}},
			want{wrong: 1}, "an event without an answer to the join on n1"},
		{"an event on a new connection before the join", []*story{sound("a").connect("n2").event("n2", 11, 12, 2)}, 2, history.Terms{},
			want{wrong: 1}, "an event without an answer to the join on n2"},
		{"an event on a new connection before the answer", []*story{
			sound("a").closed("n1").connect("n2").join(position("e", 11)).event("n2", 11, 12, 2).
				joined("n2", position("e", 12), false).reload("not_recovered", 2),
		}, 2, history.Terms{}, want{wrong: 1, reloads: 1}, "an event without an answer to the join on n2"},
		{"an answer on a new connection to the join of the old one", []*story{
			sound("a").join(position("e", 11)).connect("n2").joined("n2", position("e", 11), true).reload("gap", 1).event("n2", 11, 12, 2),
		}, 2, history.Terms{}, want{wrong: 1, reloads: 1}, "a, p: an answer on n2 without a join on this connection"},
		{"a second answer to a join", []*story{
			sound("a").joined("n1", position("e", 11), false).reload("gap", 1).event("n1", 11, 12, 2),
		}, 2, history.Terms{}, want{wrong: 1, reloads: 1}, "a, p: an answer on n1 without a join on this connection"},
		{"a resync before the answer", []*story{
			sound("a").closed("n1").connect("n2").resync("n2", position("e", 12)).join(position("e", 11)).joined("n2", position("e", 11), true),
		}, 1, history.Terms{}, want{wrong: 1}, "a, p: a resync without an answer to the join on n2"},
		{"an event that a receipt has passed", []*story{sound("a").receipt("n1", 11, 13).frame("n1", 11, 12, 2)}, 1, history.Terms{},
			want{wrong: 1}, "the event 12 on n1 comes after 13"},
		{"a receipt after a hole", []*story{sound("a").receipt("n1", 12, 13)}, 1, history.Terms{}, want{wrong: 1}, "a hole"},

		{"not recovered, and not loaded", []*story{
			sound("a").resume("n2", position("e", 11), position("f", 500), false).event("n2", 500, 501, 2),
		}, 2, history.Terms{}, want{wrong: 1}, "a, p: not loaded after joined at f.500 on n2"},
		{"loaded before the answer that is not recovered", []*story{
			sound("a").event("n1", 11, 12, 2).reload("resync", 2).resume("n2", position("e", 12), position("f", 12), false).event("n2", 12, 13, 3),
		}, 3, history.Terms{Ended: "e"}, want{wrong: 1, reloads: 1}, "a, p: not loaded after joined at f.12 on n2"},
		{"a load that had begun before the resync", []*story{
			sound("a").add(history.Record{What: history.Reload, Reason: "gap"}).resync("n1", position("e", 12)).
				add(history.Record{What: history.Load, Change: 1}),
		}, 1, history.Terms{}, want{wrong: 1, reloads: 1}, "a, p: not loaded after resync at e.12 on n1"},
		{"refused, joined again, and not loaded after a resync", []*story{
			sound("a").closed("n1").connect("n1").join(position("e", 11)).add(history.Record{What: history.Refused}).
				join(position("e", 11)).joined("n1", position("e", 11), true).resync("n1", position("e", 12)),
		}, 1, history.Terms{}, want{wrong: 1}, "a, p: not loaded after resync at e.12 on n1"},
		{"not loaded by a viewer that is gone", []*story{sound("a").resync("n1", position("e", 12))}, 1, history.Terms{Gone: []string{"a"}},
			want{}, ""},

		{"no messages of nodes", []*story{
			viewer("a").reload("joined", 0).add(history.Record{What: history.Event, Seq: 11, Change: 1}),
		}, 1, history.Terms{}, want{wrong: 1}, "a, p: the client returned change 1 as event 11, which no node had sent"},
		{"no connection", []*story{{viewer: "a", records: sound("a").records[1:]}}, 1, history.Terms{}, want{wrong: 1},
			"a, p: an answer on n1 without a join on this connection"},
		{"an event with another change than on the wire", []*story{
			sound("a").frame("n1", 11, 12, 2).add(history.Record{What: history.Event, Seq: 12, Change: 3}),
		}, 1, history.Terms{}, want{wrong: 1}, "a, p: the client returned change 3 as event 12"},
		{"an event before its message", []*story{
			sound("a").add(history.Record{What: history.Event, Seq: 12, Change: 2}).frame("n1", 11, 12, 2),
		}, 2, history.Terms{}, want{wrong: 1}, "a, p: the client returned change 2 as event 12"},
		{"an unreadable message", []*story{sound("a").add(history.Record{What: history.Unreadable, Node: "n1", Reason: "half of it"})}, 1,
			history.Terms{}, want{wrong: 1}, "a: an unreadable message on n1: half of it"},
		{"no viewers", nil, 1, history.Terms{}, want{wrong: 1}, "there are no viewers"},
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
	s.event("n1", 11, 12, 2)
	s.records[len(s.records)-1].Time = at(60)
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
