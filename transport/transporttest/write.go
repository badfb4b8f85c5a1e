package transporttest

import (
	"math/rand/v2"

	"github.com/planrooms/planrooms/protocol"
)

// Write sends bytes as they are, split by Options.Split. It implements [io.Writer].
//
// A server may close while a client writes. An error therefore often means that the server has sent
// a close frame, which the client can still read.
func (c *Conn) Write(b []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pieces := [][]byte{b}
	if c.split != nil {
		pieces = c.split(b)
	}
	for _, p := range pieces {
		m, err := c.nc.Write(p)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// Send sends frames in one write.
func (c *Conn) Send(frames ...Frame) error {
	var b []byte
	for _, f := range frames {
		b = f.Append(b)
	}
	_, err := c.Write(b)
	return err
}

// SendText sends a text message in one frame.
func (c *Conn) SendText(text string) error {
	return c.Send(Frame{Opcode: OpText, Payload: []byte(text)})
}

// SendBinary sends a binary message in one frame.
func (c *Conn) SendBinary(b []byte) error { return c.Send(Frame{Opcode: OpBinary, Payload: b}) }

// SendPing sends a ping. A server answers with a pong that has the same payload.
func (c *Conn) SendPing(payload string) error {
	return c.Send(Frame{Opcode: OpPing, Payload: []byte(payload)})
}

// SendPong sends a pong. The pong is unsolicited if the server has sent no ping.
func (c *Conn) SendPong(payload string) error {
	return c.Send(Frame{Opcode: OpPong, Payload: []byte(payload)})
}

// SendClose sends a close frame. With code 1005, the frame has no code.
func (c *Conn) SendClose(code protocol.CloseCode, reason string) error {
	return c.Send(Frame{Opcode: OpClose, Payload: ClosePayload(uint16(code), reason)})
}

// Bytes splits b into single bytes, for Options.Split.
func Bytes(b []byte) [][]byte {
	pieces := make([][]byte, len(b))
	for i := range b {
		pieces[i] = b[i : i+1]
	}
	return pieces
}

// Pieces returns a function for Options.Split that splits b into up to n pieces at random places.
// Equal seeds give equal pieces. Connections must not share the function.
func Pieces(n int, seed uint64) func(b []byte) [][]byte {
	r := rand.New(rand.NewPCG(seed, 0))
	return func(b []byte) [][]byte {
		var pieces [][]byte
		for i := 1; i < n && len(b) > 1; i++ {
			at := 1 + r.IntN(len(b)-1)
			pieces, b = append(pieces, b[:at]), b[at:]
		}
		return append(pieces, b)
	}
}
