package transport

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// First bytes of the frames that a server sends (RFC 6455 section 5.2): the FIN bit and the opcode.
// A server does not mask.
const (
	frameText  = 0x80 | opText
	frameClose = 0x80 | opClose
	framePing  = 0x80 | opPing
	framePong  = 0x80 | opPong
)

const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// closeNoStatus means that a close frame has no code (RFC 6455 section 7.1.5). It is never sent.
const closeNoStatus protocol.CloseCode = 1005

const (
	maxControlPayload = 125
	// maxControlFrame is the size of the largest control frame that a server sends.
	maxControlFrame = 2 + maxControlPayload
)

// framing frames messages for clients as RFC 6455 requires. An unmasked frame is the same for every
// client, so the hub frames each event once.
type framing struct{}

var _ room.Framing = framing{}

// AppendMessage appends payload as one text frame.
func (framing) AppendMessage(dst, payload []byte) []byte {
	switch n := len(payload); {
	case n <= maxControlPayload:
		dst = append(dst, frameText, byte(n))
	case n <= 0xFFFF:
		dst = binary.BigEndian.AppendUint16(append(dst, frameText, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, frameText, 127), uint64(n))
	}
	return append(dst, payload...)
}

// AppendPing appends a ping without a payload.
func (framing) AppendPing(dst []byte) []byte { return append(dst, framePing, 0) }

// AppendClose appends a close frame. It cuts a reason that is too long at a rune boundary.
func (framing) AppendClose(dst []byte, code protocol.CloseCode, reason string) []byte {
	const room = maxControlPayload - 2
	if len(reason) > room {
		n := room
		for !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	dst = append(dst, frameClose, byte(2+len(reason)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}

// controlFrame reports whether b is exactly one unmasked control frame. If so, it returns the
// opcode and the payload.
func controlFrame(b []byte) (opcode byte, payload []byte, ok bool) {
	if len(b) < 2 || b[1] > maxControlPayload || len(b) != 2+int(b[1]) {
		return 0, nil, false
	}
	switch b[0] {
	case frameClose, framePing, framePong:
		return b[0] &^ 0x80, b[2:], true
	}
	return 0, nil, false
}

// closeAnswer returns the code and the close frame to send instead of the frame that the WebSocket
// library wants to write. If the library answers the peer, the frame has the peer's code without
// its reason. If the library has found invalid framing, the frame has a fixed reason.
func closeAnswer(payload []byte) (protocol.CloseCode, []byte) {
	if len(payload) < 2 {
		return closeNoStatus, []byte{frameClose, 0} // the peer's frame has no code either
	}
	code := protocol.CloseCode(binary.BigEndian.Uint16(payload))
	switch {
	case code == protocol.CloseProtocolError:
		return code, appendClose(nil, code)
	case !utf8.Valid(payload[2:]):
		return code, appendClose(nil, protocol.CloseInvalidPayload)
	}
	return code, framing{}.AppendClose(nil, code, "")
}

// appendClose appends a close frame with the default reason of the code.
func appendClose(dst []byte, code protocol.CloseCode) []byte {
	return framing{}.AppendClose(dst, code, code.Reason())
}
