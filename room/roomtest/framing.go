package roomtest

import (
	"encoding/binary"

	"github.com/planrooms/planrooms/protocol"
)

// framing is the simplest there is: a kind, a length of four bytes, the content.
type framing struct{}

const (
	kindMessage byte = iota + 1
	kindPing
	kindClose
)

const headerBytes = 5

func (framing) AppendMessage(dst, payload []byte) []byte {
	return append(appendHeader(dst, kindMessage, len(payload)), payload...)
}

func (framing) AppendPing(dst []byte) []byte { return appendHeader(dst, kindPing, 0) }

func (framing) AppendClose(dst []byte, code protocol.CloseCode, reason string) []byte {
	dst = appendHeader(dst, kindClose, 2+len(reason))
	return append(binary.BigEndian.AppendUint16(dst, uint16(code)), reason...)
}

func appendHeader(dst []byte, kind byte, n int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, kind), uint32(n))
}

// cutFrame takes the first frame off b. It is false if b holds less than one.
func cutFrame(b []byte) (kind byte, content, rest []byte, ok bool) {
	if len(b) < headerBytes {
		return 0, nil, b, false
	}
	n := int(binary.BigEndian.Uint32(b[1:headerBytes]))
	if len(b) < headerBytes+n {
		return 0, nil, b, false
	}
	return b[0], b[headerBytes : headerBytes+n], b[headerBytes+n:], true
}
