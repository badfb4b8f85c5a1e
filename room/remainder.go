package room

import (
	"bytes"
	"time"
)

// remainder is what a full socket left of a frame. It shares the payload with the log and with
// other connections.
type remainder struct {
	head    []byte // the frame before the payload
	payload []byte
	tail    []byte // the frame after the payload
	off     int    // number of bytes of the three that have been written

	plan     string    // the plan that the frame concerns; "" if none
	entry    bool      // it is an entry of the plan
	since    time.Time // when the frame was begun
	farewell bool      // the frame is the last of the connection, which outlet.farewellBy limits
}

// maxHead is the largest number of bytes that a Framing is expected to put before a payload. Where
// a frame has more, the remainder is a copy.
const maxHead = 16

// newRemainder returns what is left of a frame after off bytes. It refers to payload, and copies
// the bytes of the frame around it.
func newRemainder(frame, payload []byte, off int, plan string) *remainder {
	r := &remainder{off: off, plan: plan, since: time.Now()}
	for head := 0; head <= maxHead && head+len(payload) <= len(frame); head++ {
		if end := head + len(payload); bytes.Equal(frame[head:end], payload) {
			r.head, r.payload, r.tail = bytes.Clone(frame[:head]), payload, bytes.Clone(frame[end:])
			return r
		}
	}
	r.head = bytes.Clone(frame) // the frame does not contain the payload in one piece
	return r
}

// paused stops the time that the peer has for the frame, and resumed starts it again.
func (r *remainder) paused() {
	if r != nil {
		r.since = time.Time{}
	}
}

func (r *remainder) resumed() {
	if r.since.IsZero() {
		r.since = time.Now()
	}
}

// overdue reports whether the peer has taken longer than frameTimeout for the frame.
func (r *remainder) overdue(now time.Time) bool {
	return !r.farewell && now.Sub(r.since) > frameTimeout
}

// left returns the number of bytes that have not been written.
func (r *remainder) left() int { return len(r.head) + len(r.payload) + len(r.tail) - r.off }

// next returns the bytes to write next: those that are left of the head, the payload, or the tail.
func (r *remainder) next() []byte {
	off := r.off
	for _, part := range [...][]byte{r.head, r.payload, r.tail} {
		if off < len(part) {
			return part[off:]
		}
		off -= len(part)
	}
	return nil
}

// take records that n more bytes have been written.
func (r *remainder) take(n int) { r.off += n }
