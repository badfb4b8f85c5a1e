package load

import (
	"encoding/binary"
	"errors"
)

type opcode byte

// Of RFC 6455, section 5.2.
const (
	opText   opcode = 1
	opBinary opcode = 2
	opClose  opcode = 8
	opPing   opcode = 9
	opPong   opcode = 10
)

var (
	errFragment = errors.New("load: a fragment or a compressed frame, which no server here sends")
	errMasked   = errors.New("load: a masked frame from a server")
	errTooLong  = errors.New("load: a frame over 1 MiB")
)

// maxFrame bounds the payload that is accepted.
const maxFrame = 1 << 20

// frame is one from a server. Its payload is part of the bytes that it was cut from.
type frame struct {
	op      opcode
	payload []byte
	size    int // header included
}

// cutFrame takes the first frame off b. complete is false if more bytes are needed.
func cutFrame(b []byte) (f frame, rest []byte, complete bool, err error) {
	if len(b) < 2 {
		return frame{}, b, false, nil
	}
	if b[0]&0xf0 != 0x80 || b[0]&0x0f == 0 {
		return frame{}, b, false, errFragment
	}
	if b[1]&0x80 != 0 {
		return frame{}, b, false, errMasked
	}
	n, header := int64(b[1]), 2
	switch n {
	case 126:
		if len(b) < 4 {
			return frame{}, b, false, nil
		}
		n, header = int64(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		if len(b) < 10 {
			return frame{}, b, false, nil
		}
		n, header = int64(min(binary.BigEndian.Uint64(b[2:]), maxFrame+1)), 10
	}
	if n > maxFrame {
		return frame{}, b, false, errTooLong
	}
	size := header + int(n)
	if len(b) < size {
		return frame{}, b, false, nil
	}
	return frame{opcode(b[0] & 0x0f), b[header:size], size}, b[size:], true, nil
}

// clientFrame is a final frame of a client. Its mask is zero, which leaves the payload as it is.
// payload must be shorter than 64 KiB.
func clientFrame(op opcode, payload []byte) []byte {
	b := []byte{0x80 | byte(op)}
	if len(payload) < 126 {
		b = append(b, 0x80|byte(len(payload)))
	} else {
		b = append(b, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, payload...)
}
