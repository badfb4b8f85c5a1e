package history

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Terms say what a run expects beyond the promises that always hold.
type Terms struct {
	// Quiet are the plans with few changes: their pauses are not counted.
	Quiet []string
	// Gone are the viewers that do not come back. They need not see what they missed.
	Gone []string
	// LoadedAfter, if it is set, is when the log lost records: every viewer has to load each of its
	// plans afterwards.
	LoadedAfter time.Time
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
	Wrong      int            `json:"wrong"`      // answers and events that are not true
	Reloads    map[string]int `json:"reloads"`    // loads after the first of a viewer, by reason

	PublishPause  time.Duration `json:"publishPause"`  // the longest time between two acknowledgements of a plan
	DeliveryPause time.Duration `json:"deliveryPause"` // the longest time between two events of a viewer

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
		v.wire(&r)
		v.program(&r, published[v.plan], terms)
	}
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

// view is what one viewer saw of one plan.
type view struct {
	viewer, plan string
	records      []Record
}

// viewsOf sorts the records.
func viewsOf(records []Record) []*view {
	type key struct{ viewer, plan string }
	views := make(map[key]*view)
	for _, one := range records {
		if one.Plan == "" {
			continue
		}
		k := key{one.Viewer, one.Plan}
		if views[k] == nil {
			views[k] = &view{viewer: one.Viewer, plan: one.Plan}
		}
		views[k].records = append(views[k].records, one)
	}
	return slices.SortedFunc(maps.Values(views), func(a, b *view) int {
		return cmp.Or(cmp.Compare(a.viewer, b.viewer), cmp.Compare(a.plan, b.plan))
	})
}

// wire checks what the nodes have sent: an answer that says that the client is recovered continues
// at the client's position; events ascend, and the next one names that before it.
func (v *view) wire(r *Report) {
	var since *protocol.Position
	var last uint64 // where the stream stands
	live := false   // since an answer
	for _, one := range v.records {
		switch one.What {
		case Join:
			since = one.Since
		case Joined, Resync:
			if one.Position == nil {
				r.problem(&r.Wrong, 1, "%s, %s: %s without a position", v.viewer, v.plan, one.What)
				continue
			}
			if one.Recovered && (since == nil || *since != *one.Position) {
				r.problem(&r.Wrong, 1, "%s, %s: recovered at %v on %s, but the client was at %v",
					v.viewer, v.plan, *one.Position, one.Node, since)
			}
			last, live = one.Position.Seq, true
		case Frame:
			switch {
			case !live:
				r.problem(&r.Wrong, 1, "%s, %s: an event without an answer to the join on %s", v.viewer, v.plan, one.Node)
			case one.Prev > last:
				r.problem(&r.Wrong, 1, "%s, %s: a hole: the event %d on %s follows %d, but the client has %d",
					v.viewer, v.plan, one.Seq, one.Node, one.Prev, last)
			case one.Seq <= last:
				r.problem(&r.Wrong, 1, "%s, %s: the event %d on %s comes after %d", v.viewer, v.plan, one.Seq, one.Node, last)
			}
			last = max(last, one.Seq)
		}
	}
}

// program checks what the client has returned to the program. acknowledged are the changes of the
// plan that were.
func (v *view) program(r *Report, acknowledged []uint64, terms Terms) {
	var c Checker
	var before, loaded time.Time
	first := true
	counted := !slices.Contains(terms.Quiet, v.plan) && !slices.Contains(terms.Gone, v.viewer)
	for _, one := range v.records {
		switch one.What {
		case Event:
			was := c.Counts()
			c.Event(one.Change)
			if now := c.Counts(); now.Doubled > was.Doubled {
				r.problem(&r.Doubled, 1, "%s, %s: change %d came twice", v.viewer, v.plan, one.Change)
			} else if now.Disordered > was.Disordered {
				r.problem(&r.Disordered, 1, "%s, %s: change %d came after %d", v.viewer, v.plan, one.Change, was.Last)
			}
			r.Delivered++
		case Load:
			was := c.Counts()
			c.Load(one.Change)
			if c.Counts().Disordered > was.Disordered {
				r.problem(&r.Disordered, 1, "%s, %s: a plan with change %d was loaded after change %d", v.viewer, v.plan, one.Change, was.Last)
			}
			loaded = one.Time
		case Reload:
			if !first {
				r.Reloads[one.Reason]++
			}
			first = false
			continue
		default:
			continue
		}
		if counted && !before.IsZero() {
			r.DeliveryPause = max(r.DeliveryPause, one.Time.Sub(before))
		}
		before = one.Time
	}
	last, gone := c.Counts().Last, slices.Contains(terms.Gone, v.viewer)
	gaps := c.Gaps()
	var lost []uint64
	for _, change := range acknowledged {
		if slices.Contains(gaps, change) || change > last && !gone {
			lost = append(lost, change)
		}
	}
	if len(lost) > 0 {
		r.problem(&r.Lost, len(lost), "%s, %s: ends at change %d, lost %s", v.viewer, v.plan, last, some(lost))
	}
	if gone {
		return
	}
	if !terms.LoadedAfter.IsZero() && loaded.Before(terms.LoadedAfter) {
		r.problem(&r.Wrong, 1, "%s, %s: not loaded after the log lost records", v.viewer, v.plan)
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
