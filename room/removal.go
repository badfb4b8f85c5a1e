package room

import (
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// expel removes m from its room and sends its connection removed. It reports whether m was in.
func (s *Session) expel(m *member, why protocol.Removed) bool {
	if !s.departRemoved(m, why) {
		return false
	}
	m.sendRemoved(time.Now().Add(confineTimeout))
	return true
}

// departRemoved takes m out of its room and queues removed for its connection in the same step, so
// that removed comes before the answer to a later join. sendRemoved has to follow. It reports whether
// m was in.
func (s *Session) departRemoved(m *member, why protocol.Removed) bool {
	return s.departWith(m, departNow, mustEncode(protocol.TypeRemoved, m.room.id, why))
}

// sendRemoved waits until no event of the plan can be written to m, at most until the given time, and
// sends the removed that departRemoved has queued.
func (m *member) sendRemoved(until time.Time) {
	m.out.fence(m.room.id, until)
	m.out.start()
}

// removals removes members whose access was not confirmed before their deadline. After a long
// failure of Authorize these are many at once, so at most maxRemovers goroutines share the work.
// They exist only while there is a member to remove. The zero value is ready.
type removals struct {
	mu      sync.Mutex // guards the following
	members []*member
	workers int
}

// add queues m for removal.
func (q *removals) add(m *member) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.members = append(q.members, m)
	if q.workers < maxRemovers {
		q.workers++
		h := m.room.hub
		h.wg.Go(func() { h.removeUnconfirmed(q) })
	}
}

// next returns the members that a worker removes next. If there are none, the worker has to end.
func (q *removals) next() []*member {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.members), removalBatch)
	batch := q.members[:n:n]
	if q.members = q.members[n:]; n == 0 {
		q.members = nil
		q.workers--
	}
	return batch
}

func (h *Hub) removeUnconfirmed(q *removals) {
	why := protocol.Removed{Reason: "access could not be checked", Retry: true}
	for batch := q.next(); len(batch) > 0; batch = q.next() {
		left := batch[:0]
		for _, m := range batch {
			if m.s.departRemoved(m, why) {
				left = append(left, m)
			}
		}
		until := time.Now().Add(confineTimeout) // all are out before the first is waited for
		for _, m := range left {
			m.sendRemoved(until)
			m.removedUnconfirmed()
		}
	}
}

// removedUnconfirmed counts and logs the removal of m, and calls Observer.Rechecked.
func (m *member) removedUnconfirmed() {
	h, s, k := m.room.hub, m.s, &m.checks
	k.mu.Lock()
	err := k.err
	k.mu.Unlock()
	if err == nil {
		err = errUnchecked
	}
	h.stats.removedUnconfirmed.Add(1)
	h.warn("removed", errorKind(err), "room: a member was removed, because its access could not be checked",
		"connection", s.id, "user", s.userID, "plan", m.room.id, "error", err)
	h.rechecked(m, RecheckRemoved, err)
}
