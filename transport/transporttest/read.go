package transporttest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/planrooms/planrooms/protocol"
)

// ReadFrame reads the next frame. Errors:
//
//   - io.EOF: the stream has ended between two frames, over TLS after a close_notify alert
//   - [*ViolationError]: RFC 6455 does not allow what the server sent; the connection must not be
//     read any further
//   - io.ErrUnexpectedEOF: the stream has ended between two frames, over TLS without close_notify.
//     Only a connection of [Dial] detects this; for others, package tls reports io.EOF
//   - an error that wraps [io.ErrUnexpectedEOF]: the stream has ended inside a frame
//   - other errors of the connection, such as a reset or a deadline
func (c *Conn) ReadFrame() (Frame, error) {
	f, err := c.parser.next()
	if err == io.EOF && c.below != nil && c.below.ended {
		err = io.ErrUnexpectedEOF
	}
	return f, err
}

// ReadMessage reads the next message, joins its fragments, and returns it as one frame. If a close
// frame comes first, it returns that. It answers pings, and keeps pongs for [Conn.Pongs]. It
// returns the errors of ReadFrame.
func (c *Conn) ReadMessage() (Frame, error) {
	var message Frame
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return Frame{}, err
		}
		switch f.Opcode {
		case OpPing:
			c.pings++
			_ = c.SendPong(string(f.Payload)) // if the server has closed, the next read fails
			continue
		case OpPong:
			c.pongs = append(c.pongs, f.Payload)
			continue
		case OpClose:
			return f, nil
		case OpContinuation:
			message.Payload = append(message.Payload, f.Payload...)
		default:
			message = f
		}
		if !f.More {
			message.More = false
			return message, nil
		}
	}
}

// Pongs returns the payloads of the pongs that ReadMessage has read, in order.
func (c *Conn) Pongs() []string {
	all := make([]string, len(c.pongs))
	for i, p := range c.pongs {
		all[i] = string(p)
	}
	return all
}

// Pings returns how many pings ReadMessage has answered.
func (c *Conn) Pings() int { return c.pings }

// Ending describes how a connection ended.
type Ending struct {
	Code    protocol.CloseCode // of the server's close frame; 1005: without a code; 1006: no frame
	Reason  string             // of the close frame
	Goodbye protocol.CloseCode // of the goodbye message; 0: no goodbye
	EOF     bool               // the stream ended properly and was not reset
}

// End reads to the end of the connection, answers the server's close frame, and closes the
// connection. It skips messages before the end.
//
// A reset, or over TLS an end without close_notify, is not an error; Ending.EOF is then false. An
// incomplete frame is an error, and so is a message after a goodbye.
func (c *Conn) End() (Ending, error) {
	e := Ending{Code: protocol.CloseAbnormal}
	err := c.end(&e)
	_ = c.Close() // everything has been read
	return e, err
}

func (c *Conn) end(e *Ending) error {
	for {
		f, err := c.ReadMessage()
		if err == io.EOF {
			e.EOF = true
			return nil
		}
		if err != nil {
			// not wrapped: the stream ended between two frames
			if isReset(err) || err == io.ErrUnexpectedEOF {
				return nil
			}
			return err
		}
		switch {
		case f.Opcode == OpClose:
			e.Code = protocol.CloseNoStatus
			if len(f.Payload) >= 2 {
				e.Code, e.Reason = protocol.CloseCode(binary.BigEndian.Uint16(f.Payload)), string(f.Payload[2:])
			}
			_ = c.Send(Frame{Opcode: OpClose, Payload: f.Payload}) // the server may have closed
		case e.Goodbye != 0:
			return fmt.Errorf("transporttest: message %.200q after the goodbye", f.Payload)
		case f.Opcode == OpText:
			if e.Goodbye, err = goodbyeOf(f.Payload); err != nil {
				return err
			}
		}
	}
}

// isReset reports whether err means that either side has closed or reset the connection.
func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

// goodbyeOf returns the code of a goodbye message, or 0 for any other message.
func goodbyeOf(message []byte) (protocol.CloseCode, error) {
	m, err := protocol.Decode(message)
	if err != nil || m.Type != protocol.TypeGoodbye {
		return 0, nil // a message of another server may use another protocol
	}
	var g protocol.Goodbye
	if err := json.Unmarshal(m.Data, &g); err != nil {
		return 0, fmt.Errorf("transporttest: goodbye %.200q: %w", message, err)
	}
	return g.Code, nil
}
