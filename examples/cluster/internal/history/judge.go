package history

import (
	"fmt"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Terms say what a run expects beyond the promises that always hold.
type Terms struct {
	// Quiet are the plans with few changes: their pauses are not counted.
	Quiet []string
	// Gone are the viewers that do not come back. They need not see what they missed.
	Gone []string
	// Ended, if it is set, is the epoch in which the log lost records: every viewer has to end in
	// another one. A change that it received before it loaded the plan for that may come once more:
	// the log does not know any more that it had the change.
	Ended string
}

// Report is what Judge has found.
type Report struct {
	Published  int            `json:"published"`  // changes that were acknowledged
	Uncertain  int            `json:"uncertain"`  // attempts
	Failed     int            `json:"failed"`     // attempts
	Delivered  int            `json:"delivered"`  // events, to all viewers
	Lost       int            `json:"lost"`       // acknowledged changes that a viewer neither received nor loaded
	Doubled    int            `json:"doubled"`    // events that a viewer received twice
	Disordered int            `json:"disordered"` // events that a viewer received too late
	Wrong      int            `json:"wrong"`      // messages that are not true, and loads that are missing
	Reloads    map[string]int `json:"reloads"`    // loads after the first of a viewer, by reason

	PublishPause  time.Duration `json:"publishPause"`  // the longest time between two acknowledgements of a plan
	DeliveryPause time.Duration `json:"deliveryPause"` // the longest time between two items of a view: events and loads

	Problems []string `json:"problems,omitempty"` // the first ones, in words
}

// maxProblems bounds Report.Problems.
const maxProblems = 20

// problem counts something that is wrong in count, and describes it.
func (r *Report) problem(count *int, by int, format string, args ...any) {
	*count += by
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Judge compares what the viewers saw with what was published. The records of each viewer, and the
// attempts for each plan, are in the order of their times.
func Judge(records []Record, attempts []Attempt, terms Terms) Report {
	r := Report{Reloads: make(map[string]int)}
	published := r.publishing(attempts)
	views := viewsOf(records)
	for _, v := range views {
		v.wire(&r, terms)
		v.origin(&r)
		v.program(&r, published[v.plan], terms)
	}
	if r.Published > 0 && len(views) == 0 {
		r.problem(&r.Wrong, 1, "changes were published, but there are no viewers")
	}
	r.unreadable(records)
	r.positions(records)
	return r
}

// publishing counts the attempts, and returns the changes of each plan that were acknowledged.
func (r *Report) publishing(attempts []Attempt) map[string][]uint64 {
	acknowledged, last := make(map[string][]uint64), make(map[string]uint64)
	before := make(map[string]time.Time)
	for _, a := range attempts {
		switch a.Result {
		case Acknowledged:
			r.Published++
			if a.Change <= last[a.Plan] {
				r.problem(&r.Wrong, 1, "change %d of %s was acknowledged after change %d", a.Change, a.Plan, last[a.Plan])
			}
			last[a.Plan] = max(last[a.Plan], a.Change)
			acknowledged[a.Plan] = append(acknowledged[a.Plan], a.Change)
			if at, ok := before[a.Plan]; ok {
				r.PublishPause = max(r.PublishPause, a.Time.Sub(at))
			}
			before[a.Plan] = a.Time
		case Uncertain:
			r.Uncertain++
		case Failed:
			r.Failed++
		}
	}
	return acknowledged
}

// unreadable finds messages that cannot be decoded.
func (r *Report) unreadable(records []Record) {
	for _, one := range records {
		if one.What == Unreadable {
			r.problem(&r.Wrong, 1, "%s: an unreadable message on %s: %s", one.Viewer, one.Node, one.Reason)
		}
	}
}

// positions checks that all nodes have meant the same event by a position.
func (r *Report) positions(records []Record) {
	type stream struct{ viewer, plan string }
	type content struct {
		plan   string
		change uint64
	}
	epochs := make(map[stream]string)
	events := make(map[protocol.Position]content)
	for _, one := range records {
		s := stream{one.Viewer, one.Plan}
		if one.Position != nil && (one.What == Joined || one.What == Resync) {
			epochs[s] = one.Position.Epoch
		}
		if one.What != Frame {
			continue
		}
		at, got := protocol.Position{Epoch: epochs[s], Seq: one.Seq}, content{one.Plan, one.Change}
		if was, ok := events[at]; ok && was != got {
			r.problem(&r.Wrong, 1, "%s: the event at %v is change %d of %s on %s, and was change %d of %s",
				one.Viewer, at, got.change, got.plan, one.Node, was.change, was.plan)
			continue
		}
		events[at] = content{one.Plan, one.Change}
	}
}

// some shows the first ones of a list of changes.
func some(changes []uint64) string {
	const shown = 5
	if len(changes) > shown {
		return fmt.Sprintf("%d changes, %v…", len(changes), changes[:shown])
	}
	return fmt.Sprint(changes)
}
