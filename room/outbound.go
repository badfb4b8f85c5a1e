package room

import (
	"slices"
	"sync"

	"github.com/planrooms/planrooms/protocol"
)

// answer is a message for one connection alone.
type answer struct {
	payload []byte      // nil while a join answer has not been encoded
	planID  string      // the plan it concerns; "" if none
	join    *joinAnswer // nil for every other answer
	event   *userEvent  // of Notify; nil for every other answer
}

// joinAnswer is the answer to a join. It lists the participants, so it can be large, and is encoded when it is about to be written: what
// a connection that does not read asks for takes no memory.
type joinAnswer struct {
	m         *member
	position  protocol.Position
	recovered bool
}

// encode returns the answer as it is now, and the index of the notices that come after it. The answer is nil if the member
// is no longer in the room.
func (j *joinAnswer) encode() (payload []byte, notices uint64) {
	m, r := j.m, j.m.room
	data := protocol.JoinAnswer{Success: true, Position: j.position, Recovered: j.recovered}
	r.mu.Lock()
	gone := m.gone.Load()
	if !gone {
		data.ParticipantCount, data.Participants = len(r.presence.people), r.presence.listLocked(m.s.userID)
		notices = r.log.next
	}
	r.mu.Unlock()
	if gone {
		return nil, 0
	}
	return mustEncode(protocol.TypeJoinPlan, r.id, data), notices
}

// cost is how many bytes of memory a queued answer counts.
func (a *answer) cost() int { return answerOverhead + cap(a.payload) }

// userEvent is an event of Notify, shared by the connections of the user.
type userEvent struct {
	payload []byte
	queues  int // in how many queues it waits; guarded by account.mu
}

// account counts what waits for all connections of one user.
type account struct {
	limit    int // Options.QueuePerUser; fixed at creation
	sessions int // connections that use it; guarded by Hub.mu

	mu     sync.Mutex // guards the following; taken after writer.mu
	bytes  int
	paused []*writer // that wait for the account to fall below its bound
}

// outbound is the queue of the answers to one connection, in the order in which they are written. An answer leaves the queue
// when it has been written, or when a full socket has left part of it. Guarded by writer.mu.
//
// The queue is bounded: while the peer does not read, the connection's worker handles none of its messages, so no answers
// are added but those that the host or the hub causes. Only events of Notify are dropped. The bounds are those of
// Options.QueuePerConnection and Options.QueuePerUser; a connection with an empty queue is never held up by the
// other connections of its user.
type outbound struct {
	account *account // fixed at creation
	answers []answer
	taken   int // how many of the first answers are being written
	bytes   int // cost of all answers

	paused  bool          // the worker has stopped until the queue is below its bound
	drained chan struct{} // closed when paused ends; nil if nobody waits
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

// place returns where the answer to a join waits, or -1.
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

// dropPlan removes the answers that concern a plan, or any plan if planID is "", save those that are being written.
func (q *outbound) dropPlan(planID string) {
	for i := len(q.answers) - 1; i >= q.taken; i-- {
		if concerns(q.answers[i].planID, planID) {
			q.drop(i, i+1)
		}
	}
}

// concerns reports whether a message of the plan told, or of none if that is "", concerns the plan asked for, where "" stands for any.
func concerns(told, asked string) bool { return told != "" && (asked == "" || told == asked) }

// accountLocked returns the account of a user for one more connection.
func (h *Hub) accountLocked(userID string) *account {
	a := h.accounts[userID]
	if a == nil {
		a = &account{limit: h.opts.QueuePerUser}
		h.accounts[userID] = a
	}
	a.sessions++
	return a
}

// releaseAccountLocked ends the use of the account by one connection.
func (h *Hub) releaseAccountLocked(s *Session) {
	if a := s.out.queue.account; a.sessions > 1 {
		a.sessions--
	} else {
		delete(h.accounts, s.userID)
	}
}

func (a *account) add(x *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if x.event != nil {
		if x.event.queues++; x.event.queues > 1 {
			return // the queues share its payload
		}
	}
	a.bytes += x.cost()
}

func (a *account) remove(x *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if x.event != nil {
		if x.event.queues--; x.event.queues > 0 {
			return
		}
	}
	a.bytes -= x.cost()
	if len(a.paused) > 0 && a.bytes < a.limit {
		for _, w := range a.paused {
			w.s.hub.wg.Go(w.unpause) // not here: the lock of another connection's writer is taken before this one
		}
		a.paused = nil
	}
}

// full reports whether the account is at its bound.
func (a *account) full() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes >= a.limit
}

// holdsUp is full, and if the account is at its bound it has w.unpause called once it no longer is.
func (a *account) holdsUp(w *writer) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bytes < a.limit {
		return false
	}
	if !slices.Contains(a.paused, w) {
		a.paused = append(a.paused, w)
	}
	return true
}

// encodeJoinsLocked encodes the join answers of the next batch. It is called by the holder of the token. It releases mu meanwhile, since
// the lock of a room is taken before, and takes it again: answers may have been dropped, and the connection may be dead.
func (w *writer) encodeJoinsLocked() {
	q := &w.queue
	for i, size := 0, 0; i < len(q.answers) && size < batchBytes; i++ {
		j := q.answers[i].join
		if j == nil || q.answers[i].payload != nil {
			size += len(q.answers[i].payload)
			continue
		}
		w.mu.Unlock()
		payload, notices := j.encode()
		w.mu.Lock()
		switch at := q.place(j); {
		case at < 0 || q.answers[at].payload != nil:
		case payload == nil:
			q.drop(at, at+1) // the connection is ending, or joins the plan again
		default:
			q.encoded(at, payload)
			j.m.cur.notices = notices // those before are in the list
		}
		i, size = -1, 0 // once more from the start
	}
}

// encodeJoin encodes the answer to the join of m if it still waits: m is about to leave.
func (w *writer) encodeJoin(m *member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	q := &w.queue
	i := slices.IndexFunc(q.answers, func(a answer) bool { return a.join != nil && a.join.m == m && a.payload == nil })
	if i < 0 {
		return
	}
	j := q.answers[i].join
	w.mu.Unlock()
	payload, _ := j.encode()
	w.mu.Lock()
	if i = q.place(j); i >= 0 && q.answers[i].payload == nil && payload != nil {
		q.encoded(i, payload)
	}
}

// congestedLocked reports whether the queue is at a bound: nothing is to be added that can wait. If it is, unpause is
// called later.
func (w *writer) congestedLocked() bool {
	q := &w.queue
	return q.bytes >= w.s.hub.opts.QueuePerConnection || q.bytes > 0 && q.account.holdsUp(w)
}

// pause reports whether the connection's worker has to stop before it takes the next message, because too much waits to be
// written. Session.resume is then called, in a goroutine of its own, when the queue is below its bound.
// The worker calls it with Session.mu held, so that the resume comes after it has noted that it stopped.
func (w *writer) pause() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead || w.ending || !w.congestedLocked() {
		return false
	}
	w.queue.paused = true
	return true
}

// awaitQueue waits until the queue is below its bound or the connection is ending, and reports whether it had to wait. It is for the
// transport's reader: what the peer sends must not make answers faster than the peer reads them.
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

// unpause is unpauseLocked.
func (w *writer) unpause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unpauseLocked()
}

// unpauseLocked lets worker and reader go on if the queue is below its bound or the connection is ending.
func (w *writer) unpauseLocked() {
	q := &w.queue
	if !q.paused && q.drained == nil || !w.dead && !w.ending && w.congestedLocked() {
		return
	}
	if q.paused {
		q.paused = false
		w.s.hub.wg.Go(w.s.resume) // not here: Session.mu is taken before writer.mu
	}
	if q.drained != nil {
		close(q.drained)
		q.drained = nil
	}
}
