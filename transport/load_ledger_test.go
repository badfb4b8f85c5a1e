package transport_test

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/planrooms/planrooms/protocol"
)

// page is one tab of a user. All users share the same client IDs, and the hub must not confuse
// them.
type page struct{ user, client string }

// sentEvent is an event of the load: what its publisher sent, and its position.
type sentEvent struct {
	// Fixed before the Broadcast call.
	id       string // also the mutation ID, which identifies the event of a receipt
	plan     string
	by       string
	task     json.RawMessage
	data     string // of the expected message
	excluded []page // an entry without a client means all pages of the user
	barred   [revocables]int
	after    uint64 // highest position of the plan that a publisher knew before the call
	resyncs  int    // number of resyncs that had ended

	// Guarded by ledger.mu.
	seq, prev uint64 // 0 until a viewer has received it
	numbered  bool   // Broadcast has returned nil
	refused   bool   // Broadcast has returned an error
}

// excludes reports whether the page gets a receipt instead of the event.
func (e *sentEvent) excludes(p page) bool {
	for _, x := range e.excluded {
		if x.user == p.user && (x.client == "" || x.client == p.client) {
			return true
		}
	}
	return false
}

// link identifies the event after a position of a plan.
type link struct {
	plan string
	prev uint64
}

// received is a message and the event that it belongs to.
type received struct {
	protocol.Message
	event *sentEvent // nil if the message is neither an event nor a receipt
}

// ledger holds every event that was sent, with its position. It takes the positions from the
// messages of all viewers and not from the hub, to prove that all viewers received the same stream.
type ledger struct {
	mu      sync.RWMutex // guards the following, and the marked fields of the events
	events  map[string]*sentEvent
	bySeq   map[uint64]*sentEvent // the positions of all plans come from one counter
	next    map[link]uint64
	end     map[string]uint64   // highest position that a publisher read after a Broadcast
	decoded map[string]received // cache of decoded messages: most viewers receive the same bytes

	resyncsBegun, resyncsEnded int
}

func newLedger() *ledger {
	return &ledger{
		events: map[string]*sentEvent{}, bySeq: map[uint64]*sentEvent{}, next: map[link]uint64{}, end: map[string]uint64{}, decoded: map[string]received{},
	}
}

// begin records an event before it is sent.
func (l *ledger) begin(e *sentEvent, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.id = fmt.Sprint("e", len(l.events))
	e.task = json.RawMessage(fmt.Sprintf(`{"id":%q,"text":%q}`, e.id, text))
	e.data = `{"task":` + string(e.task) + `}`
	e.after, e.resyncs = l.end[e.plan], l.resyncsEnded
	l.events[e.id] = e
}

// acknowledged records that the event's Broadcast has returned nil, and that the plan's position is
// now at least end.
func (l *ledger) acknowledged(e *sentEvent, end uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.numbered = true
	l.end[e.plan] = max(l.end[e.plan], end)
}

// refused records that the event's Broadcast has returned an error. No viewer may receive the
// event.
func (l *ledger) refused(e *sentEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.refused = true
}

// read decodes a message. If it is an event, the event must have been sent, and must have the same
// position for all viewers.
func (l *ledger) read(b []byte) (received, error) {
	l.mu.RLock()
	m, known := l.decoded[string(b)]
	l.mu.RUnlock()
	if known {
		return m, nil
	}
	decoded, err := protocol.Decode(b)
	if err != nil || decoded.Seq == 0 {
		return received{Message: decoded}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	m = received{decoded, l.events[decoded.MutationID]}
	if err = l.placeLocked(m); err == nil {
		l.decoded[string(b)] = m
	}
	return m, err
}

// placeLocked records the position of an event when the first viewer receives it. It checks that
// each position belongs to one event (I1) and each event to one position (I4), and that the event
// comes after all events whose Broadcast had returned before its own was called.
func (l *ledger) placeLocked(m received) error {
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

// beginResync and endResync surround a Resync of any plan, until all steady readers have received
// it. For a viewer that receives it late, it also covers later events.
func (l *ledger) beginResync() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resyncsBegun++
}

func (l *ledger) endResync() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resyncsEnded++
}

// undeliveredLocked reports whether no viewer has received an event, although no Resync covers it.
func (l *ledger) undeliveredLocked(e *sentEvent) bool {
	return e.numbered && e.seq == 0 && e.resyncs == l.resyncsBegun
}

// checkDelivered checks that an event was delivered. The caller calls it once a steady reader is
// past the event's position.
func (l *ledger) checkDelivered(e *sentEvent) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.undeliveredLocked(e) {
		return fmt.Errorf("%s was broadcast to %s, and not delivered", e.id, e.plan)
	}
	return nil
}

// complete reports whether the stream between two positions is known and has at most the given
// number of events. A Resync interrupts the stream, since it takes a position without an event.
func (l *ledger) complete(plan string, from, to uint64, most int) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for n := 0; from != to; n++ {
		if from = l.next[link{plan, from}]; from == 0 || n == most {
			return false
		}
	}
	return true
}

// check returns an error for each event that was acknowledged but not delivered, or refused but
// delivered (I5). It is called after all viewers have ended.
func (l *ledger) check() (faults []error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, e := range l.events {
		switch {
		case e.refused && e.seq != 0:
			faults = append(faults, fmt.Errorf("%s was refused and is event %d of %s", e.id, e.seq, e.plan))
		case l.undeliveredLocked(e):
			faults = append(faults, fmt.Errorf("%s was broadcast to %s before Shutdown, and not delivered", e.id, e.plan))
		}
	}
	return faults
}
