package room

import "time"

// confine makes sure that nothing of a plan that the connection is no longer in is written any more, or of any plan if planID is
// "": it drops what waits, and lets a write of the plan that is under way end. If that takes longer than until,
// or a frame of the plan is half written, it cuts the connection and waits for the writer to be gone.
func (w *writer) confine(planID string, until time.Time) {
	w.mu.Lock()
	w.answers = dropPlan(w.answers, planID)
	telling := w.tellsLocked(planID)
	w.mu.Unlock()
	if !telling {
		return
	}
	w.settle(until)
	w.mu.Lock()
	w.answers = dropPlan(w.answers, planID) // a short write gives back what it did not write
	half := w.tellsLocked(planID)
	w.mu.Unlock()
	if half {
		w.cutAndWait()
	}
}

// tellsLocked reports whether something of the plan is being written or half written.
func (w *writer) tellsLocked(planID string) bool {
	if w.rest.frame != nil && concerns(w.rest.planID, planID) || w.inWrite && concerns(w.writingOf, planID) {
		return true
	}
	if w.writing != nil {
		for i := range w.writing.frames {
			if concerns(w.writing.frames[i].answer.planID, planID) {
				return true
			}
		}
	}
	return false
}

// concerns reports whether what tells of the plan told, if that is not "", is about the plan asked for, where "" asks for any.
func concerns(told, asked string) bool { return told != "" && (asked == "" || told == asked) }

// settle waits until a write that was under way when it was called is over, and cuts the connection if that takes longer
// than until.
func (w *writer) settle(until time.Time) {
	w.mu.Lock()
	if !w.inWrite {
		w.mu.Unlock()
		return
	}
	boundary := make(chan struct{})
	w.boundary = append(w.boundary, boundary)
	w.mu.Unlock()
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-boundary:
	case <-t.C:
		w.cutAndWait()
	}
}

func (w *writer) cutAndWait() {
	w.cut()
	<-w.done
}

func dropPlan(answers []answer, planID string) []answer {
	kept := answers[:0]
	for _, a := range answers {
		if !concerns(a.planID, planID) {
			kept = append(kept, a)
		}
	}
	clear(answers[len(kept):])
	return kept
}
