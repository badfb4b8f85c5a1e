package transport_test

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/planrooms/planrooms/protocol"
)

// page is one tab that a user has open. Client ids are shared by all users: they are no secret, and must not mix people up.
type page struct{ user, client string }

// sentEvent is an event of the load as its publisher knows it, and the place that it was given.
type sentEvent struct {
	// Fixed before the Broadcast call.
	id      string // also the mutation id: a receipt has nothing else that tells which event it stands for
	plan    string
	by      string
	task    json.RawMessage
	data    string // of its message
	except  []page // without a client: all pages of the user
	barred  [revocables]int
	after   uint64 // a Broadcast that had returned by then gave its event this seq, or a higher one
	resyncs int    // that were over

	// Guarded by ledger.mu.
	seq, prev uint64 // 0 until somebody has heard it
	numbered  bool   // Broadcast has returned nil
	refused   bool   // it has returned an error
}

// excepts reports whether the page gets a receipt in place of the event.
func (e *sentEvent) excepts(p page) bool {
	for _, x := range e.except {
		if x.user == p.user && (x.client == "" || x.client == p.client) {
			return true
		}
	}
	return false
}

// link is the place after an event in the stream of a plan.
type link struct {
	plan string
	prev uint64
}

// told is a message, and the event that it is or stands for.
type told struct {
	protocol.Message
	event *sentEvent // nil if it is none
}

// ledger holds every event that was sent and, put together from what all viewers heard, the place of each. It asks the hub for no
// place: that all viewers were told the same is what it is to prove.
type ledger struct {
	mu     sync.RWMutex // guards the following, and what the events say of it
	events map[string]*sentEvent
	bySeq  map[uint64]*sentEvent // one counter numbers the events of all plans
	next   map[link]uint64
	end    map[string]uint64 // the highest position that a publisher was told after a Broadcast
	known  map[string]told   // by its bytes, which most viewers get alike: under the race detector decoding takes longer than all the rest

	resyncsBegun, resyncsOver int
}

func newLedger() *ledger {
	return &ledger{
		events: map[string]*sentEvent{}, bySeq: map[uint64]*sentEvent{}, next: map[link]uint64{}, end: map[string]uint64{}, known: map[string]told{},
	}
}

// begin notes an event that is about to be sent.
func (l *ledger) begin(e *sentEvent, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.id = fmt.Sprint("e", len(l.events))
	e.task = json.RawMessage(fmt.Sprintf(`{"id":%q,"text":%q}`, e.id, text))
	e.data = `{"task":` + string(e.task) + `}`
	e.after, e.resyncs = l.end[e.plan], l.resyncsOver
	l.events[e.id] = e
}

// acknowledged notes that the event's Broadcast has returned nil, and that the plan's position was end or later by then.
func (l *ledger) acknowledged(e *sentEvent, end uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.numbered = true
	l.end[e.plan] = max(l.end[e.plan], end)
}

// refused notes that the event's Broadcast has returned an error: nobody may hear it.
func (l *ledger) refused(e *sentEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.refused = true
}

// read decodes what a viewer heard. An event must have been sent, and have the place that everybody else was told.
func (l *ledger) read(b []byte) (told, error) {
	l.mu.RLock()
	m, known := l.known[string(b)]
	l.mu.RUnlock()
	if known {
		return m, nil
	}
	decoded, err := protocol.Decode(b)
	if err != nil || decoded.Seq == 0 {
		return told{Message: decoded}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	m = told{decoded, l.events[decoded.MutationID]}
	if err = l.placeLocked(m); err == nil {
		l.known[string(b)] = m
	}
	return m, err
}

// placeLocked gives an event the place at which it was heard. It checks that a place is that of one event (I1), and an event in one
// place (I4), later than all whose Broadcast had returned when its own was called.
func (l *ledger) placeLocked(m told) error {
	e, at := m.event, link{m.PlanID, m.Prev}
	switch {
	case e == nil || e.plan != m.PlanID || e.by != m.By:
		return fmt.Errorf("event by %q with mutation %q was not sent to %s", m.By, m.MutationID, m.PlanID)
	case m.Type != protocol.TypeReceipt && (m.Type != protocol.TypeTaskUpdated || string(m.Data) != e.data):
		return fmt.Errorf("%s was sent as %s", e.id, e.data)
	case e.seq == 0 && l.bySeq[m.Seq] == nil && l.next[at] == 0 && m.Seq > e.after:
		e.seq, e.prev = m.Seq, m.Prev
		l.bySeq[e.seq], l.next[at] = e, e.seq
	case l.bySeq[m.Seq] != e || l.next[at] != m.Seq:
		return fmt.Errorf("%s is event %d after %d, want %d after %d, and later than %d", e.id, m.Seq, m.Prev, e.seq, e.prev, e.after)
	}
	return nil
}

// beginResync and endResync stand around a Resync of any plan, until all who read all the time have heard of it: to whom it is told late it
// stands for what came after it as well.
func (l *ledger) beginResync() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resyncsBegun++
}

func (l *ledger) endResync() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resyncsOver++
}

// unheardLocked reports whether an event that has a place was told to nobody, though no Resync stood for it.
func (l *ledger) unheardLocked(e *sentEvent) bool {
	return e.numbered && e.seq == 0 && e.resyncs == l.resyncsBegun
}

// passed checks that an event was heard, once somebody who reads all the time is past its place.
func (l *ledger) passed(e *sentEvent) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.unheardLocked(e) {
		return fmt.Errorf("%s was broadcast to %s, and nobody heard it", e.id, e.plan)
	}
	return nil
}

// whole reports whether the stream from one position to another is known, of at most so many events. A Resync interrupts it, since no event
// has the position that it takes.
func (l *ledger) whole(plan string, from, to uint64, most int) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for n := 0; from != to; n++ {
		if from = l.next[link{plan, from}]; from == 0 || n == most {
			return false
		}
	}
	return true
}

// check tells of events that were acknowledged and not heard, or refused and heard (I5), once everybody is gone.
func (l *ledger) check() (faults []error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, e := range l.events {
		switch {
		case e.refused && e.seq != 0:
			faults = append(faults, fmt.Errorf("%s was refused and is event %d of %s", e.id, e.seq, e.plan))
		case l.unheardLocked(e):
			faults = append(faults, fmt.Errorf("%s was broadcast to %s before Shutdown, and nobody heard it", e.id, e.plan))
		}
	}
	return faults
}
