package room

import (
	"bytes"
	"errors"
	"os"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// What the holder of a writer's token does, until it gives the token up.

// wroteLocked ends a call of the sink. It wakes the goroutines that wait for a frame boundary.
func (w *writer) wroteLocked() {
	w.inWrite, w.writingOf = false, ""
	for _, c := range w.boundary {
		close(c)
	}
	w.boundary = nil
}

// failLocked ends the connection after an error of the sink. The holder of the token calls it; it
// gives the token up and releases mu.
func (w *writer) failLocked() {
	w.killLocked()
	w.busy = false
	w.mu.Unlock()
	_ = w.sink.Close()
	w.closeDone()
}

// keepLocked keeps what a full socket left of a frame, and reports a slow connection.
func (w *writer) keepLocked(r remainder) {
	if w.dead {
		return
	}
	w.rest, w.waiting = r, true
	w.slowSince = time.Now()
	h := w.s.hub
	h.stats.slow.Add(1)
	if f := h.opts.Observer.Slow; f != nil {
		// In a goroutine: an Observer must not run under mu, or while the token is held.
		h.wg.Go(func() { h.observe(w.s, func() { f(w.s.Info()) }) })
	}
}

// flushLater hands the token to a new goroutine.
func (w *writer) flushLater() { w.s.hub.wg.Go(w.flush) }

// run writes without blocking until nothing is left or the socket is full. The holder of the token
// calls it.
func (w *writer) run() {
	if !w.step(false) {
		return
	}
	// One chunk was written inline. The caller has other connections to serve, so after a few more
	// a goroutine writes what is left.
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

// step writes the next chunk. It reports false when it has given up the token or handed it on.
func (w *writer) step(block bool) (more bool) {
	w.mu.Lock()
	switch {
	case w.dead:
		w.wroteLocked() // it may have ended between two parts of a frame
		w.busy = false
		w.mu.Unlock()
		w.closeDone()
		return false
	case w.rest.left() > 0:
		return w.writeRest(block)
	case w.pong != nil || w.ping || len(w.queue.answers) > 0:
		w.encodeJoinsLocked()
		c := newChunk(w.framing)
		if w.takeAnswersLocked(c); len(c.frames) == 0 { // all were dropped meanwhile
			w.mu.Unlock()
			c.release()
			return true
		}
		return w.writeChunk(c, nil, block)
	case len(w.dirty) > 0:
		m := w.dirty[0]
		w.dirty[0] = nil
		w.dirty = w.dirty[1:]
		if len(w.dirty) == 0 {
			w.dirty = nil // hold no array while idle
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
		w.rest = remainder{head: w.last, farewell: true}
		w.last = nil
		return w.writeRest(block)
	default:
		w.busy, w.waiting = false, false
		w.mu.Unlock()
		return false
	}
}

// takeAnswersLocked moves control frames into c and copies as many answers as fit into a batch.
// Answers leave the queue when they have been written.
func (w *writer) takeAnswersLocked(c *chunk) {
	if w.pong != nil {
		c.addControl(w.pong)
		w.pong = nil
	}
	if w.ping {
		c.addPing()
		w.ping = false
	}
	q := &w.queue
	for q.taken < len(q.answers) {
		a := &q.answers[q.taken]
		if len(c.frames) > 0 && len(c.buf)+len(a.payload) > batchBytes || a.payload == nil {
			return
		}
		c.add(a.payload, cursor{})
		q.taken++
	}
}

// shortestWait is the duration from which a Write counts as one that had to wait for the peer, on a
// connection whose TryWrite never takes anything. Writes of 16 KiB that are shorter mean a peer
// that takes 160 KB/s or more: a ping gets through what is in the way, and is answered, within
// seconds.
const shortestWait = 100 * time.Millisecond

// putLocked writes b. The holder of the token calls it with mu held, and has mu when it returns;
// meanwhile mu is released.
func (w *writer) putLocked(b []byte, block bool) (n int, err error) {
	w.inWrite = true
	by := time.Now().Add(w.s.hub.opts.WriteTimeout)
	if w.ending || w.tooSlow {
		by = w.lastBy
	}
	w.mu.Unlock()
	n, err = w.sink.TryWrite(b)
	w.tries = w.tries || n > 0
	if n == 0 && err == nil && block {
		start := time.Now()
		n, err = w.sink.Write(b, by)
		if waited := w.tries || time.Since(start) >= shortestWait; n > 0 && waited {
			w.s.Seen() // the peer has acknowledged earlier bytes
		}
	}
	w.mu.Lock()
	if between := err == nil && n == len(b) && w.rest.left() > n; !between {
		w.wroteLocked()
	} // otherwise the next part of the same frame follows: there is no boundary here
	return n, err
}

// writeRest writes the remainder of a frame, or the next part of it. It is called with mu held and
// releases it.
func (w *writer) writeRest(block bool) (more bool) {
	b := w.rest.next()
	w.writingOf = w.rest.planID
	n, err := w.putLocked(b, block)
	if !w.dead {
		w.rest.off += n
	}
	switch {
	case w.dead:
	case errors.Is(err, os.ErrDeadlineExceeded),
		err == nil && n < len(b) && !w.slowSince.IsZero() && time.Since(w.slowSince) > frameTimeout:
		return w.tooSlowLocked()
	case err != nil:
		w.failLocked()
		return false
	case n < len(b):
		if !block {
			w.mu.Unlock()
			w.flushLater()
			return false
		}
	case w.rest.left() > 0: // the next part of the frame
	case w.rest.farewell:
		w.flushed = true
		w.killLocked()
		w.busy = false
		w.mu.Unlock()
		w.sink.Finish()
		w.closeDone()
		return false
	default:
		w.rest, w.slowSince = remainder{}, time.Time{}
	}
	w.mu.Unlock()
	return true
}

// tooSlowLocked ends a connection that has not taken a byte for too long. The connection has one
// more second to take its last frames. The holder of the token calls it; it releases mu.
func (w *writer) tooSlowLocked() (more bool) {
	if w.ending || w.tooSlow {
		w.failLocked()
		return false
	}
	w.tooSlow, w.lastBy = true, time.Now().Add(closeTimeout)
	w.mu.Unlock()
	// In a goroutine: an Observer must not run while the token is held.
	w.s.closeLater(protocol.CloseTooSlow)
	return true
}

// writeChunk writes c: entries of m or, if m is nil, control frames and answers. It is called with mu
// held and releases it.
func (w *writer) writeChunk(c *chunk, m *member, block bool) (more bool) {
	if m != nil {
		w.writingOf = m.room.id
	}
	if block && c.large() {
		w.keepLargeLocked(c, m)
		c.release()
		return w.writeRest(block) // which may take long, and holds the shared payload alone
	}
	defer c.release()
	n, err := w.putLocked(c.buf, block)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		w.failLocked()
		return false
	}
	if w.dead {
		w.mu.Unlock()
		return true
	}
	w.wroteChunkLocked(c, m, n)
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

// keepLargeLocked makes the one message of c the remainder.
func (w *writer) keepLargeLocked(c *chunk, m *member) {
	planID := w.writingOf
	if m == nil {
		planID = w.queue.answers[0].planID
	}
	w.rest, w.slowSince = c.remainder(0, 0, planID), time.Now()
	w.wroteChunkLocked(c, m, len(c.buf))
}

// wroteChunkLocked records that n bytes of c have been written: it moves the cursor of m or, if m
// is nil, removes answers from the queue. It keeps a frame that was written in part as the
// remainder. Those after it are written again, from the log or the queue.
func (w *writer) wroteChunkLocked(c *chunk, m *member, n int) {
	answers, begin := 0, 0
	for i := range c.frames {
		f := &c.frames[i]
		if n > begin { // at least in part
			planID := ""
			switch {
			case m != nil:
				m.cur, planID = f.after, m.room.id
			case f.payload != nil:
				planID = w.queue.answers[answers].planID
				answers++
			}
			if n < f.end {
				w.keepLocked(c.remainder(i, n-begin, planID))
			}
		} else if f.payload == nil {
			w.putBackLocked(c, i)
		}
		begin = f.end
	}
	if m == nil {
		w.queue.taken = 0
		w.queue.drop(0, answers)
		w.unpauseLocked()
	} else if n < len(c.buf) {
		w.markDirtyLocked(m)
	}
}

// putBackLocked puts back a control frame that a full socket has not taken, unless a newer one
// replaced it.
func (w *writer) putBackLocked(c *chunk, i int) {
	switch {
	case c.frames[i].ping:
		w.ping = true
	case w.pong == nil:
		w.pong = bytes.Clone(c.frame(i))
	}
}
