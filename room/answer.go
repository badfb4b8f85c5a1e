package room

import (
	"slices"

	"github.com/planrooms/planrooms/protocol"
)

// answer is a message for one connection alone.
type answer struct {
	payload []byte      // nil while a join answer has not been encoded
	planID  string      // the plan it concerns; "" if none
	join    *joinAnswer // nil for every other answer
	event   *userEvent  // of Notify; nil for every other answer
}

// joinAnswer is the answer to a join. It lists the participants, so it can be large. It is encoded
// just before it is written, so it takes little memory while the client does not read.
type joinAnswer struct {
	m         *member
	position  protocol.Position
	recovered bool
}

// encode encodes the answer with the present participants. notices is the index of the first notice
// that is not part of it. If the member has left the room, payload is nil.
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

// cost is how many bytes the answer counts in its queue.
func (a *answer) cost() int { return answerOverhead + cap(a.payload) }

// encodeJoinsLocked encodes the join answers of the next batch. The holder of the token calls it.
// It releases mu for each of them, because room.mu comes first in the lock order: when it returns,
// some answers may have been dropped, and the connection may have ended.
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
			q.drop(at, at+1) // the connection ends, or joins the plan again
		default:
			q.encoded(at, payload)
			j.m.cur.notices = notices // the list contains what the notices before say
		}
		i, size = -1, 0 // the queue has changed: start again
	}
}

// encodeJoin encodes the answer to the join of m if it still waits. It is called before m leaves
// the room, since the answer lists m.
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
