package room

import (
	"sync"
	"time"
)

// writer is the sending side of one connection. One goroutine at a time holds its token (busy) and
// writes: a room's pump, a goroutine that answers the connection, or, once the socket is full, a
// goroutine of the connection that ends when everything has been written. A goroutine that finds
// the token taken queues its work under mu and goes on; the holder gives the token up only after it
// saw, under mu, that the queues are empty. So no goroutine but the connection's own waits for its
// peer.
//
// The order is: the remainder of a frame, control frames, answers, entries of the rooms in turn (a
// resync in its place among them), and the last frames.
type writer struct {
	// A pump that comes to one of ten thousand connections finds nothing of it in the processor's
	// caches. What it needs to write to an idle one stands together, down to boundary: two cache
	// lines rather than five.

	s       *Session
	sink    Sink    // fixed at creation
	framing Framing // fixed at creation

	mu        sync.Mutex // guards the following
	busy      bool       // a goroutine holds the token
	waiting   bool       // something of what follows may have to be written: the holder looks
	inWrite   bool       // the holder is in a call of the sink
	ending    bool       // finish was called
	dead      bool       // nothing is written any more
	flushed   bool       // the last frames have been taken whole
	tooSlow   bool       // 4508 was decided; lastBy holds
	writingOf string     // the plan whose entries, or whose remainder, the holder writes
	boundary  []chan struct{}

	dirty     []*member // members with entries to write, in turn
	queue     outbound
	pong      []byte // control frame of the transport; only the newest is kept
	ping      bool
	rest      remainder
	last      []byte    // goodbye and close frame, written when all else is
	lastBy    time.Time // when the last frames must have been taken
	slowSince time.Time // when the frame in rest was begun

	// tries reports that TryWrite has taken bytes, so that one that takes none says that the
	// connection is full. Owned by the holder of the token.
	tries bool

	done chan struct{} // closed when dead and the token is free
}

// newWriter returns the writer of a connection. With held, the caller holds its token and has to
// call run.
func newWriter(s *Session, sink Sink, held bool) *writer {
	return &writer{s: s, sink: sink, framing: sink.Framing(), busy: held, done: make(chan struct{})}
}

// answer queues a message for this connection and writes it if no other goroutine is writing. It
// does so even at the bound of the queue: the worker asks pause before it handles a message, and
// the other callers are rare.
func (w *writer) answer(a answer) {
	w.mu.Lock()
	if w.dead || w.ending {
		w.mu.Unlock()
		return
	}
	w.queue.push(a)
	w.startLocked()
}

// put queues a message as answer does, but does not write it: start does. It never blocks.
func (w *writer) put(a answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.dead && !w.ending {
		w.queue.push(a)
		w.waiting = true
	}
}

// start writes what waits if no other goroutine is writing.
func (w *writer) start() {
	w.mu.Lock()
	if w.dead {
		w.mu.Unlock()
		return
	}
	w.startLocked()
}

// notify is answer for an event of Notify. It reports whether it queued the event; at a bound it
// drops and counts it. full reports whether the account of the user was at its bound before.
func (w *writer) notify(e *userEvent, full bool) (queued bool) {
	w.mu.Lock()
	if w.dead || w.ending {
		w.mu.Unlock()
		return false
	}
	if q := &w.queue; q.bytes >= w.s.hub.opts.QueuePerConnection || full && q.bytes > 0 {
		w.mu.Unlock()
		w.s.hub.stats.notifiesDropped.Add(1)
		return false
	}
	w.queue.push(answer{payload: e.payload, event: e})
	w.startLocked()
	return true
}

// control queues a control frame of the transport. It replaces one that still waits: of several
// pings only the newest has to be answered (RFC 6455 section 5.5.3).
func (w *writer) control(frame []byte) {
	w.mu.Lock()
	if w.dead || w.flushed {
		w.mu.Unlock()
		return
	}
	w.pong = append([]byte(nil), frame...)
	w.startLocked()
}

func (w *writer) sendPing() {
	w.mu.Lock()
	if w.dead || w.ending {
		w.mu.Unlock()
		return
	}
	w.ping = true
	w.startLocked()
}

// admit makes m ready for entries, after the answer j to its join. Where m replaces old, it drops
// the answer to the join of old if that still waits. It reports false if the connection or the
// membership has ended.
func (w *writer) admit(m, old *member, j *joinAnswer) bool {
	w.mu.Lock()
	m.ready = true
	if w.dead || w.ending || m.gone.Load() {
		w.mu.Unlock()
		return false
	}
	if old != nil {
		w.queue.dropJoin(old)
	}
	w.queue.push(answer{planID: m.room.id, join: j})
	w.markDirtyLocked(m)
	w.startLocked()
	return true
}

// finish writes last after everything that waits and then finishes the sink. If the members have
// left their rooms before, no more entries are written. The first call wins.
func (w *writer) finish(last []byte) {
	w.mu.Lock()
	if w.dead || w.ending {
		w.mu.Unlock()
		return
	}
	w.ending, w.last, w.lastBy = true, last, time.Now().Add(closeTimeout)
	w.s.hub.timers.after(closeTimeout, w.cutUnlessFlushed)
	w.unpauseLocked()
	w.startLocked()
}

// drain is finish with all entries of the members' rooms before last.
func (w *writer) drain(members []*member, last []byte) {
	w.mu.Lock()
	for _, m := range members {
		if m.ready && !m.gone.Load() {
			w.markDirtyLocked(m)
		}
	}
	w.mu.Unlock()
	w.finish(last)
}

// cutUnlessFlushed cuts a connection that did not take its last frames in time.
func (w *writer) cutUnlessFlushed() {
	w.mu.Lock()
	flushed := w.flushed
	w.mu.Unlock()
	if !flushed {
		w.cut()
	}
}

// cut ends the connection at once.
func (w *writer) cut() {
	w.mu.Lock()
	w.killLocked()
	idle := !w.busy
	w.mu.Unlock()
	_ = w.sink.Close() // nothing is left to be done about a socket that does not close
	if idle {
		w.closeDone()
	}
}

// killLocked drops everything that waits.
func (w *writer) killLocked() {
	w.dead, w.waiting = true, true // its holder has to find out
	w.dirty, w.pong, w.rest, w.last = nil, nil, remainder{}, nil
	w.queue.taken = 0
	w.queue.drop(0, len(w.queue.answers))
	w.queue.account.forget(w)
	w.unpauseLocked()
}

func (w *writer) closeDone() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.done:
	default:
		close(w.done)
	}
}

// offer writes one pass of a room's pump to m, or leaves m dirty for the holder of the token. It
// reports whether m has everything of the pass.
func (w *writer) offer(m *member, p *pass) (caughtUp bool) {
	w.mu.Lock()
	if w.dead || m.gone.Load() || !m.ready {
		w.mu.Unlock()
		return true // not ready: admit will read the entries from the log; gone: nothing to deliver
	}
	if w.busy || m.cur.next != p.from || m.cur.events > p.from || m.cur.notices > p.from || p.excepts(w.s) {
		w.markDirtyLocked(m)
		w.startLocked()
		return false
	}
	w.busy, w.inWrite, w.writingOf = true, true, m.room.id
	w.mu.Unlock()

	buf, ends := p.frames(w.framing)
	n, err := w.sink.TryWrite(buf)

	w.mu.Lock()
	w.wroteLocked()
	if err != nil {
		w.failLocked()
		return true
	}
	if n == len(buf) {
		m.cur.next = p.to
		if !w.waiting {
			w.busy = false
			w.mu.Unlock()
			return true
		}
		w.mu.Unlock()
		w.run()
		return true
	}
	for i, end := range ends {
		if n < end {
			begin := 0
			if i > 0 {
				begin = ends[i-1]
			}
			m.cur.next = p.entries[i].index
			if n > begin {
				m.cur.next++
				w.keepLocked(newRemainder(buf[begin:end], p.entries[i].payload, n-begin, m.room.id))
			}
			break
		}
	}
	if !w.dead {
		w.markDirtyLocked(m)
	}
	w.mu.Unlock()
	w.flushLater()
	return false
}

func (w *writer) markDirtyLocked(m *member) {
	if !m.dirty {
		m.dirty = true
		w.dirty = append(w.dirty, m)
		w.waiting = true
	}
}

// startLocked takes the token if it is free, and writes what waits. It releases mu.
func (w *writer) startLocked() {
	w.waiting = true
	if w.busy {
		w.mu.Unlock()
		return
	}
	w.busy = true
	w.mu.Unlock()
	w.run()
}
