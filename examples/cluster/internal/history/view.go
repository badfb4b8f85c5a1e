package history

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// view is what one viewer saw of one plan.
type view struct {
	viewer, plan string
	records      []Record
}

// viewsOf sorts the records. Those of a connection belong to all views of its viewer.
func viewsOf(records []Record) []*view {
	type key struct{ viewer, plan string }
	views, ofViewer := make(map[key]*view), make(map[string][]*view)
	for _, one := range records {
		if k := (key{one.Viewer, one.Plan}); one.Plan != "" && views[k] == nil {
			v := &view{viewer: one.Viewer, plan: one.Plan}
			views[k], ofViewer[one.Viewer] = v, append(ofViewer[one.Viewer], v)
		}
	}
	for _, one := range records {
		if v := views[key{one.Viewer, one.Plan}]; v != nil {
			v.records = append(v.records, one)
		} else if one.OfConnection() {
			for _, v := range ofViewer[one.Viewer] {
				v.records = append(v.records, one)
			}
		}
	}
	return slices.SortedFunc(maps.Values(views), func(a, b *view) int {
		return cmp.Or(cmp.Compare(a.viewer, b.viewer), cmp.Compare(a.plan, b.plan))
	})
}

// wire checks what the nodes sent, and that the viewer loaded the plan when it had to.
func (v *view) wire(r *Report, terms Terms) {
	var s Stream
	epoch := ""
	for _, one := range v.records {
		if problem := s.Take(one); problem != "" {
			r.problem(&r.Wrong, 1, "%s, %s: %s", v.viewer, v.plan, problem)
		}
		if one.Position != nil && (one.What == Joined || one.What == Resync) {
			epoch = one.Position.Epoch
		}
	}
	if slices.Contains(terms.Gone, v.viewer) {
		return
	}
	if s.owed != nil {
		r.problem(&r.Wrong, 1, "%s, %s: not loaded after %s at %v on %s", v.viewer, v.plan, s.owed.What, s.owed.Position, s.owed.Node)
	}
	if terms.Ended != "" && epoch == terms.Ended {
		r.problem(&r.Wrong, 1, "%s, %s: still in epoch %s, in which the log lost records", v.viewer, v.plan, epoch)
	}
}

// origin checks that each event that the client returned to the program was on the wire before.
func (v *view) origin(r *Report) {
	type event struct{ seq, change uint64 }
	frames := make(map[event]bool)
	for _, one := range v.records {
		switch e := (event{one.Seq, one.Change}); {
		case one.What == Frame:
			frames[e] = true
		case one.What == Event && !frames[e]:
			r.problem(&r.Wrong, 1, "%s, %s: the client returned change %d as event %d, which no node had sent", v.viewer, v.plan, e.change, e.seq)
		}
	}
}

// program checks what the client has returned to the program. acknowledged are the changes of the
// plan that were.
func (v *view) program(r *Report, acknowledged []uint64, terms Terms) {
	var c Checker
	var before time.Time
	sent, loaded := "", ""          // epochs: of the last message, and when the plan was loaded
	voided := make(map[uint64]bool) // changes whose last event was in terms.Ended
	first := true
	counted := !slices.Contains(terms.Quiet, v.plan) && !slices.Contains(terms.Gone, v.viewer)
	for _, one := range v.records {
		switch one.What {
		case Event:
			was := c.Counts()
			c.Event(one.Change)
			again := voided[one.Change] && loaded != terms.Ended // the log did not know the first event
			voided[one.Change] = terms.Ended != "" && loaded == terms.Ended
			if now := c.Counts(); now.Doubled > was.Doubled && !again {
				r.problem(&r.Doubled, 1, "%s, %s: change %d came twice", v.viewer, v.plan, one.Change)
			} else if now.Disordered > was.Disordered {
				r.problem(&r.Disordered, 1, "%s, %s: change %d came after %d", v.viewer, v.plan, one.Change, was.Last)
			}
			r.Delivered++
		case Load:
			loaded = sent
			was := c.Counts()
			c.Load(one.Change)
			if c.Counts().Disordered > was.Disordered {
				r.problem(&r.Disordered, 1, "%s, %s: a plan with change %d was loaded after change %d", v.viewer, v.plan, one.Change, was.Last)
			}
		case Reload:
			if !first {
				r.Reloads[one.Reason]++
			}
			first = false
			continue
		case Joined, Resync:
			if one.Position != nil {
				sent = one.Position.Epoch
			}
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
}
