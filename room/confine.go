package room

import "time"

// confine ensures that nothing of a plan that the connection has left is written after it returns;
// an empty planID means every plan. It drops what waits, and waits for a write of the plan that is
// in flight. If that takes longer than until, or part of a frame of the plan is written, it cuts
// the connection and waits until the writer has ended.
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
	w.queue.dropPlan(planID) // a short write requeues what it did not write
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
	for i := range w.queue.taken {
		if w.queue.answers[i].lapsed(planID) {
			return true
		}
	}
	return false
}

// settle waits for a write that is in flight, and cuts the connection if that takes longer than
// until.
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
