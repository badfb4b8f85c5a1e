package transporttest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// MaxFrame is the maximum payload size that a [Conn] reads, in bytes.
const MaxFrame = 16 << 20

// errTooLarge reports a frame above MaxFrame. RFC 6455 allows it.
var errTooLarge = fmt.Errorf("transporttest: a frame of more than %d bytes", MaxFrame)

// ViolationError reports something that RFC 6455 does not allow a server to send.
type ViolationError struct {
	Section string // of RFC 6455, such as "5.2"
	Text    string // what the server sent
}

func (e *ViolationError) Error() string {
	return fmt.Sprintf("transporttest: %s (RFC 6455 section %s)", e.Text, e.Section)
}

func violation(section, format string, args ...any) error {
	return &ViolationError{Section: section, Text: fmt.Sprintf(format, args...)}
}

// parser reads the frames of a server.
type parser struct {
	r       *bufio.Reader
	message Opcode // opcode of the message in progress; OpContinuation: none
	text    []byte // payload of the message in progress, if it is text
	closed  bool   // the server has sent a close frame
}

// next reads one frame. It returns io.EOF if the stream ends between two frames, and an error that
// wraps [io.ErrUnexpectedEOF] if it ends inside one.
func (p *parser) next() (Frame, error) {
	first, err := p.r.ReadByte()
	if err != nil {
		return Frame{}, err
	}
	f := Frame{Opcode: Opcode(first & 0x0F), More: first&0x80 == 0}
	if err := p.checkFirst(first, f); err != nil {
		return Frame{}, err
	}
	length, err := p.length(f.Opcode)
	if err != nil {
		return Frame{}, incomplete(err)
	}
	f.Payload = make([]byte, length)
	if _, err := io.ReadFull(p.r, f.Payload); err != nil {
		return Frame{}, incomplete(err)
	}
	return f, p.accept(f)
}

// incomplete converts the end of the stream inside a frame into an error that wraps
// io.ErrUnexpectedEOF.
func incomplete(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("transporttest: the stream ends inside a frame: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// checkFirst checks the first byte of a frame.
func (p *parser) checkFirst(first byte, f Frame) error {
	switch {
	case p.closed && f.Opcode == OpClose:
		return violation("5.5.1", "a second close frame")
	case p.closed:
		return violation("5.5.1", "byte %#02x after the close frame", first)
	case first&0x70 != 0:
		return violation("5.2", "reserved bits in first byte %#02x without an extension", first)
	}
	switch f.Opcode {
	case OpContinuation:
		if p.message == OpContinuation {
			return violation("5.4", "a continuation frame without a message to continue")
		}
	case OpText, OpBinary:
		if p.message != OpContinuation {
			return violation("5.4", "a new message inside a fragmented one")
		}
	case OpClose, OpPing, OpPong:
		if f.More {
			return violation("5.5", "a fragmented control frame, opcode %#x", f.Opcode)
		}
	default:
		return violation("5.2", "reserved opcode %#x", f.Opcode)
	}
	return nil
}

// length reads the length of a frame.
func (p *parser) length(opcode Opcode) (uint64, error) {
	second, err := p.r.ReadByte()
	if err != nil {
		return 0, err
	}
	length, extended := uint64(second&0x7F), 0
	switch {
	case second&0x80 != 0:
		return 0, violation("5.1", "a masked frame")
	case opcode.IsControl() && length > 125:
		return 0, violation("5.5", "a control frame with more than 125 bytes of payload")
	case length == 126:
		extended = 2
	case length == 127:
		extended = 8
	default:
		return length, nil
	}
	var b [8]byte
	if _, err := io.ReadFull(p.r, b[8-extended:]); err != nil {
		return 0, err
	}
	length = binary.BigEndian.Uint64(b[:])
	switch {
	case length>>63 != 0:
		return 0, violation("5.2", "a length with the most significant bit set")
	case extended == 2 && length <= 125, extended == 8 && length <= 0xFFFF:
		return 0, violation("5.2", "length %d in %d bytes, which is not the minimal number", length, extended)
	case length > MaxFrame:
		return 0, errTooLarge
	}
	return length, nil
}

// accept checks the payload of a frame and updates the state that later frames depend on.
func (p *parser) accept(f Frame) error {
	switch f.Opcode {
	case OpClose:
		p.closed = true
		return checkClose(f.Payload)
	case OpPing, OpPong:
		return nil
	case OpText, OpBinary:
		p.message = f.Opcode
	}
	text := p.message == OpText
	if text {
		if p.text = append(p.text, f.Payload...); len(p.text) > MaxFrame {
			return errTooLarge
		}
	}
	if f.More {
		return nil
	}
	p.message = OpContinuation
	valid := utf8.Valid(p.text)
	p.text = p.text[:0]
	if text && !valid {
		return violation("8.1", "a text message that is not UTF-8")
	}
	return nil
}

// checkClose checks the payload of a close frame.
func checkClose(payload []byte) error {
	switch {
	case len(payload) == 0:
		return nil
	case len(payload) == 1:
		return violation("5.5.1", "a close frame with half a code")
	case !utf8.Valid(payload[2:]):
		return violation("5.5.1", "a close reason that is not UTF-8")
	}
	if code := binary.BigEndian.Uint16(payload); !serverMaySend(code) {
		return violation("7.4", "close code %d, which a server must not send", code)
	}
	return nil
}

// serverMaySend reports whether a close frame of a server may have the code. The codes are those of
// RFC 6455 section 7.4.1, those registered with IANA since (1012 to 1014), and the ranges for
// libraries and applications (section 7.4.2). Code 1010 is for clients, but a server may echo it.
func serverMaySend(code uint16) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014:
		return true
	}
	return code >= 3000 && code <= 4999
}

// IsViolation reports whether err is or wraps a [*ViolationError].
func IsViolation(err error) bool {
	var v *ViolationError
	return errors.As(err, &v)
}
