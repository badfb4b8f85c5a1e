package tap

import "encoding/binary"

// scanner finds the text messages in the bytes of one direction of a connection. See RFC 6455,
// section 5.2. It expects a peer that keeps the rules: another one is found by the client.
type scanner struct {
	text    func([]byte)
	buf     []byte // begins with a frame that is not complete
	message []byte // the fragments of a message so far
}

const (
	opContinuation = 0
	opControl      = 8 // this one and those above it
)

func (s *scanner) scan(b []byte) {
	s.buf = append(s.buf, b...)
	rest := s.buf
	for {
		f, n := parse(rest)
		if n == 0 {
			break
		}
		rest = rest[n:]
		if f.op >= opControl {
			continue // it may come between the fragments of a message
		}
		if f.op != opContinuation {
			s.message = s.message[:0]
		}
		s.message = append(s.message, f.payload...)
		if f.fin {
			s.text(s.message)
		}
	}
	if len(rest) < len(s.buf) {
		s.buf = append(s.buf[:0], rest...)
	}
}

// frame is one frame.
type frame struct {
	fin     bool
	op      byte
	payload []byte
}

// parse returns the first frame in b, without its mask, and its length. 0 means that it is not
// complete.
func parse(b []byte) (f frame, n int) {
	const mask = 4
	if len(b) < 2 {
		return f, 0
	}
	f.fin, f.op = b[0]&0x80 != 0, b[0]&0x0f
	masked, length := b[1]&0x80 != 0, uint64(b[1]&0x7f)
	n = 2
	switch {
	case length == 126 && len(b) >= n+2:
		length, n = uint64(binary.BigEndian.Uint16(b[n:])), n+2
	case length == 127 && len(b) >= n+8:
		length, n = binary.BigEndian.Uint64(b[n:]), n+8
	case length >= 126:
		return f, 0
	}
	var key [mask]byte
	if masked {
		if len(b) < n+mask {
			return f, 0
		}
		n += copy(key[:], b[n:n+mask])
	}
	if uint64(len(b)-n) < length {
		return f, 0
	}
	f.payload = append([]byte(nil), b[n:n+int(length)]...)
	if masked {
		for i := range f.payload {
			f.payload[i] ^= key[i%mask]
		}
	}
	return f, n + int(length)
}
