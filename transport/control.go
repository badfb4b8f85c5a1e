package transport

import (
	"encoding/binary"

	"github.com/planrooms/planrooms/protocol"
)

// peerClosed ends reading after a close frame of the peer.
type peerClosed struct{ code protocol.CloseCode }

func (peerClosed) Error() string { return "transport: the peer has sent a close frame" }

// control handles a control frame that is not inside a fragmented message. payload is unmasked. It
// is the end of frame, which also holds the two bytes before the payload: control overwrites them
// with the header of the answer.
func (c *conn) control(opcode byte, payload, frame []byte) error {
	switch opcode {
	case opPing:
		c.session.ControlFrame()
		frame[0], frame[1] = framePong, byte(len(payload))
		c.session.WriteControl(frame)
	case opPong:
		c.session.ControlFrame()
	case opClose:
		if !validClose(payload) {
			return errFraming
		}
		code, answer := closeAnswer(payload)
		c.session.CloseFrame(code, answer)
		return peerClosed{code}
	}
	return nil
}

// isPong reports whether b is exactly one valid pong of a client.
func isPong(b []byte) bool {
	const header, masked = 2 + maskKey, 0x80
	return len(b) >= header && b[0] == framePong && b[1] == masked|byte(len(b)-header) && len(b) <= maxClientControl
}

// validClose reports whether a client may send a close frame with the given payload (RFC 6455
// sections 5.5.1 and 7.4). closeAnswer checks the reason.
func validClose(payload []byte) bool {
	if len(payload) < 2 {
		return len(payload) == 0
	}
	switch code := binary.BigEndian.Uint16(payload); {
	case code >= 1004 && code <= 1006: // reserved, or never sent
		return false
	case code >= 1000 && code <= 1014: // registered with IANA
		return true
	default:
		return code >= 3000 && code <= 4999
	}
}

// unmask removes the mask of a client's payload (RFC 6455 section 5.3).
func unmask(payload, key []byte) {
	for i := range payload {
		payload[i] ^= key[i%maskKey]
	}
}
