package room

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// outlet is the sending side of one connection. One goroutine at a time holds its token and writes:
// a room's pump, a goroutine that answers the connection, or, once the socket is full, a goroutine
// of the connection that ends when everything has been written. A goroutine that finds the token
// taken queues its work under mu and goes on. The holder gives the token up only after it saw,
// under mu, that nothing waits. So only the connection's own goroutine waits for the peer.
//
// While the gate of the node is shut, what belongs to plans waits. The holder of the token then
// gives it up, and gate.set starts the outlet again.
//
// The order is: the remainder of a frame, control frames, replies, entries of the rooms in turn (a
// resync in its place among them), and the farewell.
//
// Who writes (outletState):
//
//	         something to write                  the socket is full, or more
//	idle ─────────────────────────▶ writing ──────────────────────────────────▶ flushing
//	 ▲                                 │         than 4 batches wait               │
//	 └─────── nothing is left ─────────┴───────────────────────────────────────────┘
//
// How far it has ended (outletEnd):
//
//	              close, drain                 the farewell was taken
//	open ─────────────────────────▶ closing ─────────────────────────▶ closed
//	 │                                 ▲ │
//	 │ too slow, or evict              │ │ abort, an error of the sink,
//	 └─────────────▶ tooSlow ──────────┘ │ or closeTimeout
//	   the owner closes it with 4508     ▼
//	                                  aborted  (from open and tooSlow as well)
//
// Too slow is a connection that took no byte for WriteTimeout, or not the whole of a frame within
// frameTimeout.
type outlet struct {
	// A pump that comes to one of ten thousand connections finds nothing of it in the processor's
	// caches. What it needs to write to an idle one stands together, down to writingOf: two cache
	// lines.

	viewer  *viewer // fixed at creation
	sink    Sink    // fixed at creation
	framing Framing // fixed at creation

	mu        sync.Mutex // guards the following, down to done; not blocked
	state     outletState
	end       outletEnd
	waiting   bool   // something of what follows may wait, or the end: next looks
	inSink    bool   // the holder is in a call of the sink, or between two parts of a frame
	ping      bool   // a ping is to be sent
	torn      bool   // the end has dropped the rest of an entry's frame
	inFlush   bool   // it was aborted while the connection's own goroutine held the token
	over      bool   // end is closed or aborted, and the token is free
	writingOf string // the plan of the entries, or of the remainder, that are being written

	dirty      []*subscription // those with entries to write, in turn
	queue      outbound
	remainder  *remainder    // nil: none
	pong       []byte        // control frame of the transport; only the newest is kept
	farewell   *farewell     // written when all else is; nil: none
	farewellBy time.Duration // when the farewell must have been taken; see outlets.clock
	boundary   chan struct{} // closed at the end of the call of the sink; nil if no goroutine waits

	// When the call of Sink.Write that is under way began, as outlets.clock; 0 if none is.
	blocked atomic.Int64

	flushing time.Duration // when the last flush began; see outlets.clock
	slowBy   time.Duration // when a peer that has taken no byte since is too slow; 0 if it has taken one
	done     chan struct{} // closed when over is set; nil if no goroutine waits

	owner  owner    // fixed at creation
	shared *outlets // fixed at creation
}

// outletState is the holder of the token.
type outletState uint8

const (
	stateIdle     outletState = iota // no goroutine
	stateWriting                     // a goroutine that must not wait for the peer
	stateFlushing                    // the connection's own goroutine
)

// outletEnd is the progress of the end of the connection. It only grows.
type outletEnd uint8

const (
	endOpen    outletEnd = iota
	endTooSlow           // its owner is about to close it
	endClosing           // nothing is queued any more
	endClosed            // everything was written
	endAborted           // what waited was dropped
)

// outlets is what all outlets of a hub share. Fixed at creation.
type outlets struct {
	wg           *sync.WaitGroup // of the goroutines of the hub
	timers       *timers
	writeTimeout time.Duration // Options.WriteTimeout
	queueBytes   int           // Options.QueuePerConnection
	start        time.Time     // the zero of clock
	timeline     *timeline
	gate         *gate // nil without an engine

	delivered func(DeliveryInfo) // Observer.Delivered; nil if there is none
}

// clock is the time since the hub was created.
func (s *outlets) clock() time.Duration { return time.Since(s.start) }

// owner is what an outlet needs from its connection. None of the methods blocks, and all may be
// called under locks.
type owner interface {
	slow()                                      // the socket is full, and a frame is half written
	tooSlow()                                   // the connection has to be closed: it has not taken a byte for too long
	alive()                                     // the peer has acknowledged bytes
	resume()                                    // the queue is below its bound again
	resynced(plan string, at protocol.Position) // the connection missed events of the plan up to there, and gets resync
}

// subscription is the outlet's side of a membership: how far the connection has received a plan.
type subscription struct {
	// Owned by the holder of the outlet's token, which changes cur.seq only under outlet.mu: under
	// it, other goroutines may read cur.seq. If the frame of an event has begun, cur is after it.
	cur cursor

	// gone is set under room.mu, once. The outlet looks at it under outlet.mu just before it
	// writes.
	gone atomic.Bool

	// Guarded by outlet.mu.
	ready     bool // the reply to the join is queued or written
	suspended bool // nothing is written, until unsuspend
	dirty     bool // it is in outlet.dirty

	plan   string // fixed at creation
	source source // fixed at creation
}

// source is where an outlet gets the entries of a subscription.
type source interface {
	// fetch adds the entries that come next to b. It reports whether it has to be called again once
	// they have been written. It takes room.mu.
	fetch(b *batch) (more bool)
}

// newOutlet returns the outlet of a connection. With held, the caller holds its token and has to
// call run.
func newOutlet(v *viewer, sink Sink, by owner, shared *outlets, held bool) *outlet {
	o := &outlet{viewer: v, sink: sink, framing: sink.Framing(), owner: by, shared: shared}
	if held {
		o.state = stateWriting
	}
	return o
}

// takeLocked notes that something waits, and takes the token if it is free: the caller then has to
// call run without mu.
func (o *outlet) takeLocked() bool {
	o.waiting = true
	if o.state != stateIdle {
		return false
	}
	o.state = stateWriting
	return true
}

// send queues a reply and writes it if no other goroutine is writing. It does so even at the bound
// of the queue: the worker asks pause before it handles a message, and the other callers are rare.
func (o *outlet) send(r reply) {
	o.put(r)
	o.start()
}

// put queues a reply but does not write it: the caller calls start later. It never blocks. A
// delivery that comes before start writes the reply first.
func (o *outlet) put(r reply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.end < endClosing {
		o.queue.push(r)
		o.waiting = true
	}
}

// start writes what waits if no other goroutine is writing.
func (o *outlet) start() {
	o.mu.Lock()
	run := o.end < endClosed && o.takeLocked()
	o.mu.Unlock()
	if run {
		o.run()
	}
}

// notify is send for an event of Notify. At a bound of the queue it drops the event. full reports
// whether the account of the user was at its bound before.
func (o *outlet) notify(e *userEvent, full bool) (queued, dropped bool) {
	o.mu.Lock()
	if o.end >= endClosing {
		o.mu.Unlock()
		return false, false
	}
	if q := &o.queue; q.bytes >= o.shared.queueBytes || full && q.bytes > 0 {
		o.mu.Unlock()
		return false, true
	}
	o.queue.push(reply{payload: e.payload, event: e})
	o.mu.Unlock()
	o.start()
	return true, false
}

// control queues a control frame of the transport. It replaces one that still waits: of several
// pings only the newest has to be answered (RFC 6455 section 5.5.3).
func (o *outlet) control(frame []byte) {
	o.mu.Lock()
	if o.end < endClosed {
		o.pong = append([]byte(nil), frame...)
	}
	o.mu.Unlock()
	o.start()
}

func (o *outlet) sendPing() {
	o.mu.Lock()
	o.ping = o.end < endClosing
	o.mu.Unlock()
	o.start()
}

// deliver writes one batch of a room's pump to sub, or leaves sub dirty for the holder of the
// token. It reports whether sub has everything of the batch.
func (o *outlet) deliver(sub *subscription, b *batch) (caughtUp bool) {
	o.mu.Lock()
	if o.end >= endClosed || sub.gone.Load() || !sub.ready {
		o.mu.Unlock()
		// Not ready: attach will read the entries from the log; gone: nothing to deliver.
		return true
	}
	// An idle outlet has something waiting between attach or put and start: without the check, the
	// batch would overtake the answer to the join of sub.
	if o.state != stateIdle || o.waiting || !b.nextFor(sub.cur) || b.excepts(o.viewer) || !o.shared.gate.open() {
		o.markDirtyLocked(sub)
		run := o.takeLocked()
		o.mu.Unlock()
		if run {
			o.run()
		}
		return false
	}
	o.state, o.inSink, o.writingOf = stateWriting, true, sub.plan
	o.mu.Unlock()

	n, err := o.tryWrite(b.buf)

	o.mu.Lock()
	o.endCallLocked()
	switch {
	case err != nil:
		o.failLocked()
		o.mu.Unlock()
		o.closeFailed()
		return true
	case n == len(b.buf) && !o.waiting:
		sub.cur = b.to
		o.state = stateIdle
		o.mu.Unlock()
		return true
	case n == len(b.buf):
		sub.cur = b.to
		o.mu.Unlock()
		o.run()
		return true
	}
	if o.end < endClosed {
		o.tookLocked(b, sub, n)
	}
	o.mu.Unlock()
	o.flushLater()
	return false
}

func (o *outlet) markDirtyLocked(sub *subscription) {
	if !sub.dirty {
		sub.dirty = true
		o.dirty = append(o.dirty, sub)
		o.waiting = true
	}
}

// markIfBusy marks sub dirty if a goroutine is writing, and reports whether sub is dirty. It may be
// while the outlet is idle: then it waits for the gate, or for a call of start that follows.
func (o *outlet) markIfBusy(sub *subscription) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if sub.gone.Load() {
		return false
	}
	if o.state != stateIdle {
		o.markDirtyLocked(sub)
	}
	return sub.dirty
}
