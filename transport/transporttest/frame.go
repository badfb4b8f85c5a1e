package transporttest

import "encoding/binary"

// Opcode is the kind of a frame (RFC 6455 section 5.2).
type Opcode byte

// The opcodes of RFC 6455. All others are reserved.
const (
	OpContinuation Opcode = 0x0
	OpText         Opcode = 0x1
	OpBinary       Opcode = 0x2
	OpClose        Opcode = 0x8
	OpPing         Opcode = 0x9
	OpPong         Opcode = 0xA
)

// IsControl reports whether o is the opcode of a control frame (RFC 6455 section 5.5).
func (o Opcode) IsControl() bool { return o >= OpClose }

// Frame is one WebSocket frame. With the zero values of its fields, it is a frame that a client may
// send. The fields below Payload are used only for sending.
type Frame struct {
	Opcode  Opcode
	More    bool // FIN is not set: the next fragment of the message follows
	Payload []byte

	Reserved    byte    // reserved bits, as in the first byte of the frame: 0x40, 0x20, 0x10
	Unmasked    bool    // without a mask, which a client must not send
	Mask        [4]byte // masking key; the zero value means a fixed key
	ZeroMask    bool    // mask with four zero bytes; Mask is ignored
	LengthBytes int     // 2 or 8: encode the length in so many bytes, even if fewer are enough
	Length      uint64  // unless 0: encode this length instead of len(Payload)
}

// defaultMask is the masking key of RFC 6455 section 5.7. A browser must use unpredictable keys, so
// that scripts cannot choose the bytes on the wire. Tests must be repeatable.
var defaultMask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// Append appends the bytes of the frame to dst.
func (f Frame) Append(dst []byte) []byte {
	first := byte(f.Opcode) | f.Reserved
	if !f.More {
		first |= 0x80
	}
	length := f.Length
	if length == 0 {
		length = uint64(len(f.Payload))
	}
	var masked byte
	if !f.Unmasked {
		masked = 0x80
	}
	switch {
	case f.LengthBytes == 0 && length <= 125:
		dst = append(dst, first, masked|byte(length))
	case f.LengthBytes == 2 || f.LengthBytes == 0 && length <= 0xFFFF:
		dst = binary.BigEndian.AppendUint16(append(dst, first, masked|126), uint16(length))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, first, masked|127), length)
	}
	if f.Unmasked {
		return append(dst, f.Payload...)
	}
	mask := f.Mask
	switch {
	case f.ZeroMask:
		mask = [4]byte{}
	case mask == [4]byte{}:
		mask = defaultMask
	}
	dst = append(dst, mask[:]...)
	for i, b := range f.Payload {
		dst = append(dst, b^mask[i%4])
	}
	return dst
}

// Fragments returns the frames of one fragmented message, one frame per piece.
func Fragments(opcode Opcode, pieces ...string) []Frame {
	frames := make([]Frame, len(pieces))
	for i, p := range pieces {
		frames[i] = Frame{Opcode: OpContinuation, More: i < len(pieces)-1, Payload: []byte(p)}
	}
	if len(frames) > 0 {
		frames[0].Opcode = opcode
	}
	return frames
}

// ClosePayload returns the payload of a close frame. For code 1005, which is never sent, the
// payload is empty.
func ClosePayload(code uint16, reason string) []byte {
	if code == 1005 {
		return nil
	}
	return append(binary.BigEndian.AppendUint16(nil, code), reason...)
}
