package room

import "bytes"

// remainder is what a full socket left of a frame. It shares the payload with all other connections to which it is being
// written. The zero value is none.
type remainder struct {
	head    []byte // of the frame, before the payload
	payload []byte
	tail    []byte // after the payload
	off     int    // how many bytes of the three have been written

	planID   string // the plan that the frame concerns; "" if none
	farewell bool   // the frame is the last of the connection
}

// maxHead is how many bytes a Framing puts before a payload, at the most. A frame with more of them is copied.
const maxHead = 16

// newRemainder returns what is left of a frame after off bytes. The frame is copied but for the payload in it.
func newRemainder(frame, payload []byte, off int, planID string) remainder {
	r := remainder{off: off, planID: planID}
	for head := 0; head <= maxHead && head+len(payload) <= len(frame); head++ {
		if end := head + len(payload); bytes.Equal(frame[head:end], payload) {
			r.head, r.payload, r.tail = bytes.Clone(frame[:head]), payload, bytes.Clone(frame[end:])
			return r
		}
	}
	r.head = bytes.Clone(frame) // the framing does not keep the payload in one piece
	return r
}

// left is how many bytes have not been written.
func (r *remainder) left() int { return len(r.head) + len(r.payload) + len(r.tail) - r.off }

// next returns the bytes to write next, not always all that are left.
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
