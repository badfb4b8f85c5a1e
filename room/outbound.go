package room

import "slices"

// reply is a message for one connection alone.
type reply struct {
	payload []byte     // nil while a late reply has not been encoded
	plan    string     // the plan it concerns; "" if none
	late    lateReply  // the reply to a join; nil for every other
	event   *userEvent // of Notify; nil for every other reply
}

// lateReply is the reply to a join. It lists the participants, so it can be large. It is encoded
// just before it is written, so it takes little memory while the client does not read.
type lateReply interface {
	// encode returns the payload, and the index of the first notice that is not part of it. The
	// payload is nil if the member has left the room. It takes room.mu.
	encode() (payload []byte, notices uint64)
	// of returns the subscription that the join made.
	of() *subscription
}

// cost is how many bytes the reply counts in its queue.
func (r *reply) cost() int { return replyOverhead + cap(r.payload) }

// outbound is the queue of the replies to one connection, in the order in which they are written.
// A reply stays in the queue until at least a part of it has been written. Guarded by outlet.mu.
//
// Options.QueuePerConnection and Options.QueuePerUser bound the queue. At a bound the connection's
// worker stops before the next message, and the transport's reader waits if messages pile up, so
// the peer cannot cause further replies. Events of Notify are dropped at a bound; no other reply
// is. The bound of the user does not affect a connection whose queue is empty: its peer reads.
type outbound struct {
	account *account // fixed at creation
	replies []reply
	taken   int // number of replies, from the first on, that are being written
	bytes   int // cost of all replies

	paused  bool          // the worker has stopped; unpause resumes it
	drained chan struct{} // closed by unpause for the reader that waits; nil if none does
}

// passes reports whether the first reply may be written while the gate is open, or not.
func (q *outbound) passes(open bool) bool {
	return len(q.replies) > 0 && (open || q.replies[0].plan == "")
}

// push appends a reply.
func (q *outbound) push(r reply) {
	q.replies = append(q.replies, r)
	q.bytes += r.cost()
	q.account.add(&r)
}

// encoded sets the payload of the reply at place i.
func (q *outbound) encoded(i int, payload []byte) {
	r := &q.replies[i]
	q.bytes -= r.cost()
	q.account.remove(r)
	r.payload = payload
	q.bytes += r.cost()
	q.account.add(r)
}

// place returns the place of the reply to a join in the queue, or -1.
func (q *outbound) place(late lateReply) int {
	return slices.IndexFunc(q.replies, func(r reply) bool { return r.late == late })
}

// dropJoin removes the reply to the join of sub, unless it is being written. It reports whether it
// has removed it.
func (q *outbound) dropJoin(sub *subscription) bool {
	for i := q.taken; i < len(q.replies); i++ {
		if late := q.replies[i].late; late != nil && late.of() == sub {
			q.drop(i, i+1)
			return true
		}
	}
	return false
}

// writesJoin reports whether the reply to the join of sub is being written.
func (q *outbound) writesJoin(sub *subscription) bool {
	return slices.ContainsFunc(q.replies[:q.taken], func(r reply) bool { return r.late != nil && r.late.of() == sub })
}

// writesPlan reports whether a reply about a plan is being written.
func (q *outbound) writesPlan() bool {
	return slices.ContainsFunc(q.replies[:q.taken], func(r reply) bool { return r.plan != "" })
}

// drop removes the replies from place i to place j.
func (q *outbound) drop(i, j int) {
	for k := i; k < j; k++ {
		q.bytes -= q.replies[k].cost()
		q.account.remove(&q.replies[k])
	}
	if i == 0 {
		clear(q.replies[:j])
		q.replies = q.replies[j:]
	} else {
		q.replies = slices.Delete(q.replies, i, j)
	}
	if len(q.replies) == 0 {
		q.replies = nil // hold no array while idle
	}
}

// lapsed reports whether the reply concerns a plan that the connection has left. A reply to a later
// join has not lapsed. "" means any plan.
func (r *reply) lapsed(plan string) bool {
	return concerns(r.plan, plan) && (r.late == nil || r.late.of().gone.Load())
}

// dropPlan removes the replies that have lapsed, except those that are being written. "" means any
// plan.
func (q *outbound) dropPlan(plan string) {
	for i := len(q.replies) - 1; i >= q.taken; i-- {
		if q.replies[i].lapsed(plan) {
			q.drop(i, i+1)
		}
	}
}

// concerns reports whether a message of the plan of ("" if it has none) concerns plan, where ""
// means any plan.
func concerns(of, plan string) bool { return of != "" && (plan == "" || of == plan) }

// congestedLocked reports whether the queue is at a bound. If so, unpause is called later.
func (o *outlet) congestedLocked() bool {
	q := &o.queue
	return q.bytes >= o.shared.queueBytes || q.bytes > 0 && q.account.holdsUp(o)
}

// pause reports whether the connection's worker has to stop before the next message, because the
// queue is at a bound. If so, a new goroutine calls owner.resume when it is below it again. The
// worker calls pause, and notes that it stops, in one section of inbox.mu, so that resume cannot
// come in between.
func (o *outlet) pause() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.end >= endClosing || !o.congestedLocked() {
		return false
	}
	o.queue.paused = true
	return true
}

// awaitQueue waits until the queue is below its bound or the connection ends, and reports whether
// it had to wait. The transport's reader calls it before it replies itself.
func (o *outlet) awaitQueue() (waited bool) {
	o.mu.Lock()
	if o.end >= endClosing || !o.congestedLocked() {
		o.mu.Unlock()
		return false
	}
	if o.queue.drained == nil {
		o.queue.drained = make(chan struct{})
	}
	drained := o.queue.drained
	o.mu.Unlock()
	<-drained
	return true
}

// encodeJoinsLocked encodes the replies to joins of the next batch. The holder of the token calls
// it. It releases mu for each of them, because room.mu comes first in the lock order: when it
// returns, some replies may have been dropped, and the connection may have ended.
func (o *outlet) encodeJoinsLocked() {
	q := &o.queue
	for i, size := 0, 0; i < len(q.replies) && size < batchBytes; i++ {
		late := q.replies[i].late
		if late == nil || q.replies[i].payload != nil {
			size += len(q.replies[i].payload)
			continue
		}
		if payload, notices, ok := o.encodeLocked(late); ok && payload != nil {
			late.of().cur.notices = notices // the list includes the notices before
		} else if ok {
			at := q.place(late)
			q.drop(at, at+1) // the connection ends, or joins the plan again
		}
		i, size = -1, 0 // the queue has changed: start again
	}
}

// encodeJoin encodes the reply to the join of sub if it still waits. It is called before the member
// leaves the room, since the reply lists it.
func (o *outlet) encodeJoin(sub *subscription) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.queue.replies {
		if r := &o.queue.replies[i]; r.late != nil && r.late.of() == sub && r.payload == nil {
			o.encodeLocked(r.late)
			return
		}
	}
}

// encodeLocked encodes a reply to a join, and releases mu meanwhile. ok reports whether the reply
// still waited unencoded afterwards.
func (o *outlet) encodeLocked(late lateReply) (payload []byte, notices uint64, ok bool) {
	o.mu.Unlock()
	payload, notices = late.encode()
	o.mu.Lock()
	i := o.queue.place(late)
	if i < 0 || o.queue.replies[i].payload != nil {
		return nil, 0, false
	}
	if payload != nil {
		o.queue.encoded(i, payload)
	}
	return payload, notices, true
}

// unpause calls unpauseLocked.
func (o *outlet) unpause() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unpauseLocked()
}

// unpauseLocked resumes worker and reader if the queue is below its bound or the connection ends.
func (o *outlet) unpauseLocked() {
	q := &o.queue
	if !q.paused && q.drained == nil || o.end < endClosing && o.congestedLocked() {
		return
	}
	if q.paused {
		q.paused = false
		o.owner.resume()
	}
	if q.drained != nil {
		close(q.drained)
		q.drained = nil
	}
}
