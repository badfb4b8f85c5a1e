package transport

import (
	"encoding/binary"
	"errors"
)

// fragmentsPerControl is the number of non-empty message fragments that count as one control frame.
// A client that sends messages of 32 KiB in fragments of 512 bytes stays within the limit of
// control frames. A client that sends each byte as a fragment does not.
const fragmentsPerControl = 64

// maskKey is the size of the masking key that every frame of a client has (RFC 6455 section 5.3).
const maskKey = 4

// maxClientControl is the size of the largest control frame of a client.
const maxClientControl = maxControlFrame + maskKey

// errFraming reports a frame that RFC 6455 does not allow a client without extensions to send, or
// any byte after a close frame.
var errFraming = errors.New("transport: broken WebSocket framing")

// frameScan checks the frames of a client. The connection handles most frames itself: see
// conn.frame. For the others, frameScan decides how many bytes the WebSocket library may read at a
// time. The library therefore sees only valid headers, and each control frame as a whole. Without
// frameScan, the library would accept lengths that are not minimal, would send no close frame after
// an unmasked frame, and would drop a connection whose control frame takes more than five seconds
// to arrive.
//
// The zero value expects the first byte of a connection.
type frameScan struct {
	remaining uint64 // payload bytes of the current data frame not yet taken
	fragments uint8  // non-empty fragments since the last one that counted
	partial   bool   // a message has begun and its final fragment is missing
	closed    bool   // the client's close frame has been taken
}

// between reports whether the bytes taken so far end at a message boundary: after a message, or
// after a control frame that is not inside a message.
func (s *frameScan) between() bool { return s.remaining == 0 && !s.partial }

// take returns how many bytes of b the library may read. b starts where the bytes of the previous
// call ended. The result covers the header of one data frame, one control frame, or part of a
// payload. It is 0 if b ends inside the header or the control frame.
//
// counted reports a frame that costs the server something without being a message: a control frame,
// an empty fragment, or one of many small fragments.
func (s *frameScan) take(b []byte) (n int, counted bool, err error) {
	if s.remaining > 0 {
		n = int(min(s.remaining, uint64(len(b))))
		s.remaining -= uint64(n)
		return n, false, nil
	}
	h, err := s.header(b)
	switch {
	case err != nil || h.size == 0:
		return 0, false, err
	case h.opcode < opClose:
		s.remaining, s.partial = h.length, !h.final
		return h.size, s.countFragment(h), nil
	}
	if n = h.size + int(h.length); len(b) < n {
		return 0, false, nil
	}
	s.closed = h.opcode == opClose
	return n, !s.closed, nil
}

// clientHeader is the header of a frame from a client.
type clientHeader struct {
	opcode byte
	final  bool
	length uint64 // of the payload
	size   int    // of the header; 0 if it is incomplete
}

// fits reports whether a frame needs no library: it is a control frame or an unfragmented text
// message, and a connection's read buffer holds it.
func (h clientHeader) fits() bool {
	return h.opcode >= opClose || h.opcode == opText && h.final && h.length <= readBufSize-uint64(h.size)
}

// header parses the header at the start of b (RFC 6455 sections 5.1 to 5.5). It reports a violation
// as soon as the offending byte has arrived, because the client may send nothing after it.
func (s *frameScan) header(b []byte) (clientHeader, error) {
	if len(b) == 0 {
		return clientHeader{}, nil
	}
	h := clientHeader{opcode: b[0] & 0x0F, final: b[0]&0x80 != 0}
	if s.closed || b[0]&0x70 != 0 || !s.allows(h) {
		return clientHeader{}, errFraming
	}
	if len(b) < 2 {
		return clientHeader{}, nil
	}
	length, extended := b[1]&0x7F, 0
	switch {
	case b[1]&0x80 == 0, h.opcode >= opClose && length > maxControlPayload:
		return clientHeader{}, errFraming
	case length == 126:
		extended = 2
	case length == 127:
		extended = 8
	}
	if len(b) < 2+extended {
		return clientHeader{}, nil
	}
	switch extended {
	case 0:
		h.length = uint64(length)
	case 2:
		if h.length = uint64(binary.BigEndian.Uint16(b[2:])); h.length <= maxControlPayload {
			return clientHeader{}, errFraming
		}
	case 8:
		if h.length = binary.BigEndian.Uint64(b[2:]); h.length <= 0xFFFF || h.length>>63 != 0 {
			return clientHeader{}, errFraming
		}
	}
	if size := 2 + extended + maskKey; len(b) >= size {
		h.size = size
	}
	return h, nil
}

// allows reports whether a frame may come at this point. That depends on its opcode, its FIN bit,
// and whether a message has begun.
func (s *frameScan) allows(h clientHeader) bool {
	switch h.opcode {
	case opContinuation:
		return s.partial
	case opText, opBinary:
		return !s.partial
	case opClose, opPing, opPong:
		return h.final
	}
	return false
}

// countFragment reports whether a data frame counts as a control frame.
func (s *frameScan) countFragment(h clientHeader) bool {
	switch {
	case h.final && h.opcode != opContinuation:
		return false // an unfragmented message, which the session counts
	case h.length == 0:
		return true
	}
	s.fragments++
	if s.fragments < fragmentsPerControl {
		return false
	}
	s.fragments = 0
	return true
}
