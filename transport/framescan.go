package transport

// fragmentsPerControl is how many fragments of messages count as one control frame. A client that sends messages of
// 32 KiB in pieces of 512 bytes stays within the limit; one that sends them byte by byte does not.
const fragmentsPerControl = 64

// scanState is the part of a frame that the next byte belongs to.
type scanState uint8

const (
	scanFirst  scanState = iota // FIN and opcode
	scanSecond                  // mask bit and length
	scanLength                  // extended length
	scanBody                    // masking key and payload
)

// frameScan follows the frame headers in the bytes that come from a client, however they are split. The WebSocket
// library answers pings and joins fragments without telling anybody, at a cost of its own for each; frameScan is how
// they are counted. It does not judge: broken framing is found by the library, which then reads no further.
//
// The zero value expects the first byte of a connection.
type frameScan struct {
	remaining uint64 // of the current frame's body; while its header is read, the length so far
	first     byte   // first byte of the current frame
	second    byte   // second byte of the current frame
	need      uint8  // bytes of the extended length that are still to come
	fragments uint8  // since the last that was counted
	partial   bool   // a message has begun, and its last fragment not
	state     scanState
}

// between reports whether what was read ends where a message does, or where a control frame does that stands between two.
func (s *frameScan) between() bool { return s.state == scanFirst && !s.partial }

// scan reads p and returns how many frames in it are to be counted: control frames, and fragments as far as they are
// empty or many.
func (s *frameScan) scan(p []byte) (counted int) {
	for len(p) > 0 {
		if s.state == scanBody {
			n := min(s.remaining, uint64(len(p)))
			p = p[n:]
			if s.remaining -= n; s.remaining > 0 {
				return counted
			}
			s.state = scanFirst
			continue
		}
		b := p[0]
		p = p[1:]
		switch s.state {
		case scanFirst:
			s.first, s.state = b, scanSecond
			continue
		case scanSecond:
			s.second, s.remaining, s.state = b, 0, scanLength
			switch length := b & 0x7F; length {
			case 127:
				s.need = 8
			case 126:
				s.need = 2
			default:
				s.remaining, s.need = uint64(length), 0
			}
		case scanLength:
			s.remaining = s.remaining<<8 | uint64(b)
			s.need--
		}
		if s.need == 0 && s.endHeader() {
			counted++
		}
	}
	return counted
}

// endHeader is called when the length of a frame is known. It reports whether the frame is to be counted.
func (s *frameScan) endHeader() (count bool) {
	opcode, final, empty := s.first&0x0F, s.first&0x80 != 0, s.remaining == 0
	switch {
	case opcode >= opClose:
		count = opcode != opClose // after a close frame nothing comes
	case final && opcode != opContinuation:
		// A whole message: the session counts it.
	case empty:
		count = true
	default:
		if s.fragments++; s.fragments == fragmentsPerControl {
			s.fragments, count = 0, true
		}
	}
	if opcode < opClose { // a control frame may stand between two fragments
		s.partial = !final
	}
	const maskKey = 4
	if s.second&0x80 != 0 && s.remaining+maskKey > s.remaining {
		s.remaining += maskKey
	}
	s.state = scanBody
	if s.remaining == 0 {
		s.state = scanFirst
	}
	return count
}
