package room

import (
	"errors"
	"os"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// What the holder of a writer's token does, until it gives the token up.

// wroteLocked ends a call of the sink: whoever waits for a frame boundary can look.
func (w *writer) wroteLocked() {
	w.inWrite, w.writingOf = false, ""
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
	w.rest, w.waiting = r, true
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
	case w.pong != nil || w.ping || len(w.queue.answers) > 0:
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
		w.busy, w.waiting = false, false
		w.mu.Unlock()
		return false
	}
}

// takeAnswersLocked moves control frames into c and copies answers, as many as fit a batch. They leave the queue once they have been written.
func (w *writer) takeAnswersLocked(c *chunk) {
	if w.pong != nil {
		c.addRaw(w.pong)
		w.pong = nil
	}
	if w.ping {
		c.addPing()
		w.ping = false
	}
	q := &w.queue
	for q.taken < len(q.answers) && (q.taken == 0 || len(c.buf)+len(q.answers[q.taken].payload) <= batchBytes) {
		c.addAnswer(q.answers[q.taken])
		q.taken++
	}
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
		if m == nil {
			w.putBackLocked(c, i, n-begin)
		} else {
			if n > begin {
				m.cur = f.after
				w.keepLocked(rest{frame: c.whole(i), off: n - begin, m: m, planID: m.room.id})
			}
			w.markDirtyLocked(m)
		}
		break
	}
	if m == nil {
		w.answersWrittenLocked(c, n)
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

// putBackLocked puts back the control frames of a chunk that a full socket has not taken, and keeps the rest of frame i, of
// which off bytes have been written.
func (w *writer) putBackLocked(c *chunk, i, off int) {
	if off > 0 {
		w.keepLocked(rest{frame: c.whole(i), off: off, planID: c.frames[i].answer.planID})
		i++
	}
	for ; i < len(c.frames); i++ {
		switch f := &c.frames[i]; {
		case f.answer.payload != nil:
			return // it is still in the queue, and so are those after it
		case f.ping:
			w.ping = true
		case w.pong == nil:
			w.pong = c.whole(i)
		}
	}
}

// answersWrittenLocked removes the answers of c from the queue that were written, n bytes of c in all, be it in part.
func (w *writer) answersWrittenLocked(c *chunk, n int) {
	q := &w.queue
	done, begin := 0, 0
	for i := range c.frames {
		if c.frames[i].answer.payload != nil && n > begin {
			done++
		}
		begin = c.frames[i].end
	}
	q.taken = 0
	q.drop(0, done)
	w.unpauseLocked()
}
