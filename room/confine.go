package room

import "time"

// confine makes sure that nothing of a plan that the connection is no longer in is written any more, or of any plan if planID is
// "": it drops what waits, and lets a write of the plan that is under way end. If that takes longer than until,
// or a frame of the plan is half written, it cuts the connection and waits for the writer to be gone.
func (w *writer) confine(planID string, until time.Time) {
	w.mu.Lock()
	w.queue.dropPlan(planID)
	telling := w.tellsLocked(planID)
	w.mu.Unlock()
	if !telling {
		return
	}
	w.settle(until)
	w.mu.Lock()
	w.queue.dropPlan(planID) // a short write gives back what it did not write
	half := w.tellsLocked(planID)
	w.mu.Unlock()
	if half {
		w.cutAndWait()
	}
}

// tellsLocked reports whether something of the plan is being written or half written.
func (w *writer) tellsLocked(planID string) bool {
	if w.rest.left() > 0 && concerns(w.rest.planID, planID) || w.inWrite && concerns(w.writingOf, planID) {
		return true
	}
	for _, a := range w.queue.answers[:w.queue.taken] {
		if concerns(a.planID, planID) {
			return true
		}
	}
	return false
}

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
