package room

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// writer is the sending side of one connection. At most one goroutine at a time holds its token (busy) and writes: a
// room's pump, whoever answers the connection, or, once the socket was full, a goroutine of the connection's own that ends
// when everything has been written. Who finds the token taken leaves what is to be done under mu and goes on; the
// holder gives the token up only after it saw, under mu, that nothing is left. So nobody ever waits for a reader.
//
// The order is: the rest of a frame that was begun, control frames, answers, entries of the rooms in turn (a
// resync in its place among them), and the last frames.
type writer struct {
	s       *Session
	sink    Sink    // fixed at creation
	framing Framing // fixed at creation

	mu        sync.Mutex // guards the following
	busy      bool       // somebody holds the token
	inWrite   bool       // the holder is in a call of the sink
	writing   *chunk     // what it writes, if that is a chunk of answers
	writingOf string     // the plan of which it writes entries, or the rest of a frame
	dirty     []*member  // members with entries to write, in turn
	answers   []answer
	pong      []byte // control frame of the transport; only the newest is kept
	ping      bool
	rest      rest
	last      []byte    // goodbye and close frame, written when all else is
	lastBy    time.Time // when the last frames must have been taken
	ending    bool      // finish was called
	dead      bool      // nothing is written any more
	flushed   bool      // the last frames have been taken whole
	boundary  []chan struct{}
	slowSince time.Time // when the frame in rest was begun
	tooSlow   bool      // 4508 was decided; lastBy holds

	done chan struct{} // closed when dead and nobody holds the token any more
}

// answer is a message to this connection alone.
type answer struct {
	payload []byte
	planID  string // the plan it tells of; "" if none
}

// rest is what a full socket left of a frame.
type rest struct {
	frame  []byte // the whole frame; nil if there is none
	off    int    // how much of it has been written
	m      *member
	planID string
	last   bool
}

func newWriter(s *Session, sink Sink) *writer {
	return &writer{s: s, sink: sink, framing: sink.Framing(), done: make(chan struct{})}
}

// answer queues a message to this connection and writes it if nobody else is writing.
func (w *writer) answer(a answer) {
	w.mu.Lock()
	if w.dead || w.ending {
		w.mu.Unlock()
		return
	}
	if len(w.answers) >= maxAnswers {
		w.mu.Unlock()
		w.s.Close(protocol.CloseTooSlow)
		return
	}
	w.answers = append(w.answers, a)
	w.startLocked()
}

// control queues a control frame of the transport, in place of one that still waits: of several pings only the
// newest has to be answered (RFC 6455 section 5.5.3).
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

// admit makes m ready for entries, after its join answer a. It reports false if the connection or the membership ended meanwhile.
func (w *writer) admit(m *member, a answer) bool {
	w.mu.Lock()
	m.ready = true
	if w.dead || w.ending || m.gone.Load() {
		w.mu.Unlock()
		return false
	}
	if len(w.answers) >= maxAnswers {
		w.mu.Unlock()
		w.s.Close(protocol.CloseTooSlow)
		return false
	}
	w.answers = append(w.answers, a)
	w.markDirtyLocked(m)
	w.startLocked()
	return true
}

// finish writes last after everything that waits and then lets the sink go. If the members have left their
// rooms before, no entry is written any more. The first call wins.
func (w *writer) finish(last []byte) {
	w.mu.Lock()
	if w.dead || w.ending {
		w.mu.Unlock()
		return
	}
	w.ending, w.last, w.lastBy = true, last, time.Now().Add(closeTimeout)
	w.s.hub.timers.after(closeTimeout, w.cutUnlessFlushed)
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

// killLocked drops all that waits.
func (w *writer) killLocked() {
	w.dead = true
	w.dirty, w.answers, w.pong, w.rest, w.last = nil, nil, nil, rest{}, nil
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

// offer writes one pass of a room's pump to m, or leaves m dirty for the holder of the token. It reports whether m has
// everything of the pass.
func (w *writer) offer(m *member, p *pass) (caughtUp bool) {
	w.mu.Lock()
	if w.dead || m.gone.Load() || !m.ready {
		w.mu.Unlock()
		return true // admit finds the entries, or nobody is to have them
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
		if w.idleLocked() {
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
				w.keepLocked(rest{frame: p.entries[i].frame(w.framing), off: n - begin, m: m, planID: m.room.id})
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
	}
}

// startLocked takes the token if it is free and writes what waits. It releases mu.
func (w *writer) startLocked() {
	if w.busy {
		w.mu.Unlock()
		return
	}
	w.busy = true
	w.mu.Unlock()
	w.run()
}

func (w *writer) idleLocked() bool {
	return !w.dead && w.rest.frame == nil && len(w.dirty) == 0 && len(w.answers) == 0 && w.pong == nil && !w.ping && w.last == nil
}

// wroteLocked ends a call of the sink: whoever waits for a frame boundary can look.
func (w *writer) wroteLocked() {
	w.inWrite, w.writing, w.writingOf = false, nil, ""
	for _, c := range w.boundary {
		close(c)
	}
	w.boundary = nil
}

// failLocked ends the connection after an error of the sink. It is called by the holder of the token, which it gives up.
// It releases mu.
func (w *writer) failLocked() {
	w.killLocked()
	w.busy = false
	w.mu.Unlock()
	_ = w.sink.Close()
	w.closeDone()
}

// keepLocked keeps what a full socket left of a frame.
func (w *writer) keepLocked(r rest) {
	if w.dead {
		return
	}
	w.rest = r
	w.slowSince = time.Now()
	h := w.s.hub
	h.stats.slow.Add(1)
	if f := h.opts.Observer.Slow; f != nil {
		// Not here: this is the token's holder, under mu.
		h.wg.Go(func() { h.observe(w.s, func() { f(w.s.Info()) }) })
	}
}

// flushLater hands the token to a goroutine of the connection's own.
func (w *writer) flushLater() { w.s.hub.wg.Go(w.flush) }

// run writes without blocking until nothing is left or the socket is full. It is called by the holder of the token.
func (w *writer) run() {
	if !w.step(false) {
		return
	}
	// One chunk was written inline; whoever came here has others to serve, so what is left is for a goroutine.
	for range 3 {
		if !w.step(false) {
			return
		}
	}
	w.flushLater()
}

// flush writes, blocking, until nothing is left.
func (w *writer) flush() {
	for w.step(true) {
	}
}

// step writes the next chunk. It reports false when the token was given up or handed on.
func (w *writer) step(block bool) (more bool) {
	w.mu.Lock()
	switch {
	case w.dead:
		w.busy = false
		w.mu.Unlock()
		w.closeDone()
		return false
	case w.rest.frame != nil:
		return w.writeRest(block)
	case w.pong != nil || w.ping || len(w.answers) > 0:
		c := newChunk(w.framing)
		w.takeAnswersLocked(c)
		return w.writeChunk(c, nil, block)
	case len(w.dirty) > 0:
		m := w.dirty[0]
		w.dirty[0] = nil
		w.dirty = w.dirty[1:]
		if len(w.dirty) == 0 {
			w.dirty = nil // hold no array while at rest
		}
		m.dirty = false
		if m.gone.Load() {
			w.mu.Unlock()
			return true
		}
		w.mu.Unlock()
		c := newChunk(w.framing)
		more := m.fetch(c)
		w.mu.Lock()
		if more && !w.dead {
			w.markDirtyLocked(m)
		}
		if w.dead || m.gone.Load() || len(c.frames) == 0 {
			w.mu.Unlock()
			c.release()
			return true
		}
		return w.writeChunk(c, m, block)
	case w.last != nil:
		w.rest = rest{frame: w.last, last: true}
		w.last = nil
		return w.writeRest(block)
	default:
		w.busy = false
		w.mu.Unlock()
		return false
	}
}

// takeAnswersLocked moves control frames and answers into c.
func (w *writer) takeAnswersLocked(c *chunk) {
	if w.pong != nil {
		c.addRaw(w.pong)
		w.pong = nil
	}
	if w.ping {
		c.addPing()
		w.ping = false
	}
	for _, a := range w.answers {
		c.addAnswer(a)
	}
	w.answers = nil
}

// putLocked writes b. It is called by the holder of the token with mu held, and returns with mu held.
func (w *writer) putLocked(b []byte, block bool) (n int, err error) {
	w.inWrite = true
	by := time.Now().Add(w.s.hub.opts.WriteTimeout)
	if w.ending || w.tooSlow {
		by = w.lastBy
	}
	w.mu.Unlock()
	n, err = w.sink.TryWrite(b)
	if n == 0 && err == nil && block {
		if n, err = w.sink.Write(b, by); n > 0 {
			w.s.Seen() // the peer has acknowledged bytes that were in the way
		}
	}
	w.mu.Lock()
	w.wroteLocked()
	return n, err
}

// writeRest goes on with a frame that was begun. It is called with mu held and releases it.
func (w *writer) writeRest(block bool) (more bool) {
	r := w.rest
	w.writingOf = r.planID
	n, err := w.putLocked(r.frame[r.off:], block)
	switch {
	case w.dead:
	case errors.Is(err, os.ErrDeadlineExceeded) || err == nil && n < len(r.frame)-r.off && !w.slowSince.IsZero() && time.Since(w.slowSince) > frameTimeout:
		w.rest.off += n
		return w.tooSlowLocked()
	case err != nil:
		w.failLocked()
		return false
	case n < len(r.frame)-r.off:
		w.rest.off += n
		if !block {
			w.mu.Unlock()
			w.flushLater()
			return false
		}
	default:
		w.rest, w.slowSince = rest{}, time.Time{}
		if r.last {
			w.flushed = true
			w.killLocked()
			w.busy = false
			w.mu.Unlock()
			w.sink.Finish()
			w.closeDone()
			return false
		}
	}
	w.mu.Unlock()
	return true
}

// tooSlowLocked ends a connection that has not taken a byte for too long: it gets one more second, for its last frames. It is
// called by the holder of the token and releases mu.
func (w *writer) tooSlowLocked() (more bool) {
	if w.ending || w.tooSlow {
		w.failLocked()
		return false
	}
	w.tooSlow, w.lastBy = true, time.Now().Add(closeTimeout)
	w.mu.Unlock()
	// Not here: closing calls observers, and this is the token's holder.
	w.s.closeLater(protocol.CloseTooSlow)
	return true
}

// writeChunk writes c, entries of m or, if m is nil, answers. It is called with mu held and releases it.
func (w *writer) writeChunk(c *chunk, m *member, block bool) (more bool) {
	defer c.release()
	if m != nil {
		w.writingOf = m.room.id
	} else {
		w.writing = c
	}
	n, err := w.putLocked(c.buf, block)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		w.failLocked()
		return false
	}
	if w.dead {
		w.mu.Unlock()
		return true
	}
	begin := 0
	for i := range c.frames {
		f := &c.frames[i]
		if n >= f.end {
			begin = f.end
			if m != nil {
				m.cur = f.after
			}
			continue
		}
		if m == nil { // answers are gone from the queue: keep them all
			w.keepAnswersLocked(c, i, n-begin)
		} else {
			if n > begin {
				m.cur = f.after
				w.keepLocked(rest{frame: c.whole(i), off: n - begin, m: m, planID: m.room.id})
			}
			w.markDirtyLocked(m)
		}
		break
	}
	if err != nil {
		return w.tooSlowLocked()
	}
	w.mu.Unlock()
	if n < len(c.buf) && !block {
		w.flushLater()
		return false
	}
	return true
}

// keepAnswersLocked keeps what a full socket left of a chunk of control frames and answers: frame i, of which off bytes
// have been written, and those after it.
func (w *writer) keepAnswersLocked(c *chunk, i, off int) {
	if off > 0 {
		w.keepLocked(rest{frame: c.whole(i), off: off, planID: c.frames[i].answer.planID})
		i++
	}
	var back []answer
	for ; i < len(c.frames); i++ {
		switch f := &c.frames[i]; {
		case f.answer.payload != nil:
			back = append(back, f.answer)
		case f.ping:
			w.ping = true
		case w.pong == nil:
			w.pong = c.whole(i)
		}
	}
	w.answers = append(back, w.answers...)
}

// confine makes sure that nothing of a plan that the connection is no longer in is written any more, or of any plan if planID is
// "": it drops what waits, and lets a write of the plan that is under way end. If that takes longer than until,
// or a frame of the plan is half written, it cuts the connection and waits for the writer to be gone.
func (w *writer) confine(planID string, until time.Time) {
	w.mu.Lock()
	w.answers = dropPlan(w.answers, planID)
	telling := w.tellsLocked(planID)
	w.mu.Unlock()
	if !telling {
		return
	}
	w.settle(until)
	w.mu.Lock()
	w.answers = dropPlan(w.answers, planID) // a short write gives back what it did not write
	half := w.tellsLocked(planID)
	w.mu.Unlock()
	if half {
		w.cutAndWait()
	}
}

// tellsLocked reports whether something of the plan is being written or half written.
func (w *writer) tellsLocked(planID string) bool {
	if w.rest.frame != nil && concerns(w.rest.planID, planID) || w.inWrite && concerns(w.writingOf, planID) {
		return true
	}
	if w.writing != nil {
		for i := range w.writing.frames {
			if concerns(w.writing.frames[i].answer.planID, planID) {
				return true
			}
		}
	}
	return false
}

// concerns reports whether what tells of the plan told, if that is not "", is about the plan asked for, where "" asks for any.
func concerns(told, asked string) bool { return told != "" && (asked == "" || told == asked) }

// settle waits until a write that was under way when it was called is over, and cuts the connection if that takes longer
// than until.
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

func dropPlan(answers []answer, planID string) []answer {
	kept := answers[:0]
	for _, a := range answers {
		if !concerns(a.planID, planID) {
			kept = append(kept, a)
		}
	}
	clear(answers[len(kept):])
	return kept
}
