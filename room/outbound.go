package room

import "slices"

// outbound is the queue of the answers to one connection, in the order in which they are written.
// An answer stays in the queue until at least a part of it has been written. Guarded by writer.mu.
//
// Options.QueuePerConnection and Options.QueuePerUser bound the queue. At a bound the connection's
// worker stops before the next message, and the transport's reader waits if messages pile up, so
// the peer can't cause further answers. Events of Notify are dropped at a bound; no other answer
// is. The bound of the user does not affect a connection whose queue is empty: its peer reads.
type outbound struct {
	account *account // fixed at creation
	answers []answer
	taken   int // number of answers, from the first on, that are being written
	bytes   int // cost of all answers

	paused  bool          // the worker has stopped; unpause resumes it
	drained chan struct{} // closed by unpause for the reader that waits; nil if none does
}

// push appends an answer.
func (q *outbound) push(a answer) {
	q.answers = append(q.answers, a)
	q.bytes += a.cost()
	q.account.add(&a)
}

// encoded sets the payload of the answer at place i.
func (q *outbound) encoded(i int, payload []byte) {
	a := &q.answers[i]
	q.bytes -= a.cost()
	q.account.remove(a)
	a.payload = payload
	q.bytes += a.cost()
	q.account.add(a)
}

// place returns the place of the answer to a join in the queue, or -1.
func (q *outbound) place(j *joinAnswer) int {
	return slices.IndexFunc(q.answers, func(a answer) bool { return a.join == j })
}

// dropJoin removes the answer to the join of m, unless it is being written.
func (q *outbound) dropJoin(m *member) {
	for i := q.taken; i < len(q.answers); i++ {
		if j := q.answers[i].join; j != nil && j.m == m {
			q.drop(i, i+1)
			return
		}
	}
}

// drop removes the answers from place i to place j.
func (q *outbound) drop(i, j int) {
	for k := i; k < j; k++ {
		q.bytes -= q.answers[k].cost()
		q.account.remove(&q.answers[k])
	}
	if i == 0 {
		clear(q.answers[:j])
		q.answers = q.answers[j:]
	} else {
		q.answers = slices.Delete(q.answers, i, j)
	}
	if len(q.answers) == 0 {
		q.answers = nil // hold no array while idle
	}
}

// lapsed reports whether the answer concerns a plan that the connection has left. An answer to a later
// join has not lapsed. "" means any plan.
func (a *answer) lapsed(planID string) bool {
	return concerns(a.planID, planID) && (a.join == nil || a.join.m.gone.Load())
}

// dropPlan removes the answers that have lapsed, except those that are being written. "" means any
// plan.
func (q *outbound) dropPlan(planID string) {
	for i := len(q.answers) - 1; i >= q.taken; i-- {
		if q.answers[i].lapsed(planID) {
			q.drop(i, i+1)
		}
	}
}

// concerns reports whether a message of the plan of ("" if it has none) concerns planID, where ""
// means any plan.
func concerns(of, planID string) bool { return of != "" && (planID == "" || of == planID) }

// congestedLocked reports whether the queue is at a bound. If so, unpause is called later.
func (w *writer) congestedLocked() bool {
	q := &w.queue
	return q.bytes >= w.s.hub.opts.QueuePerConnection || q.bytes > 0 && q.account.holdsUp(w)
}

// pause reports whether the connection's worker has to stop before the next message, because the
// queue is at a bound. If so, a new goroutine calls Session.resume when it is below it again. The
// worker calls pause, and notes that it stops, in one section of Session.mu, so that resume can't
// come in between.
func (w *writer) pause() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead || w.ending || !w.congestedLocked() {
		return false
	}
	w.queue.paused = true
	return true
}

// awaitQueue waits until the queue is below its bound or the connection ends, and reports whether
// it had to wait. The transport's reader calls it before it answers itself.
func (w *writer) awaitQueue() (waited bool) {
	w.mu.Lock()
	if w.dead || w.ending || !w.congestedLocked() {
		w.mu.Unlock()
		return false
	}
	if w.queue.drained == nil {
		w.queue.drained = make(chan struct{})
	}
	drained := w.queue.drained
	w.mu.Unlock()
	<-drained
	return true
}

// unpause calls unpauseLocked.
func (w *writer) unpause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unpauseLocked()
}

// unpauseLocked resumes worker and reader if the queue is below its bound or the connection ends.
func (w *writer) unpauseLocked() {
	q := &w.queue
	if !q.paused && q.drained == nil || !w.dead && !w.ending && w.congestedLocked() {
		return
	}
	if q.paused {
		q.paused = false
		w.s.hub.wg.Go(w.s.resume) // in a goroutine: Session.mu comes before writer.mu
	}
	if q.drained != nil {
		close(q.drained)
		q.drained = nil
	}
}
