package transporttest

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/planrooms/planrooms/protocol"
)

// Client is a [Conn] to a plan room in a test. Its methods fail the test on an error, so only the
// goroutine of the test may call them.
type Client struct {
	*Conn
	t testing.TB

	// Hello is the data of the server's first message.
	Hello protocol.Hello
}

// Connect opens a connection to a URL and reads the server's first message. It fails the test if
// the server refuses. The connection is closed when the test ends.
func Connect(t testing.TB, rawURL string, o *Options) *Client {
	t.Helper()
	c, resp, err := Dial(rawURL, o)
	if err != nil {
		t.Fatalf("handshake: %v", err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: status %d, want 101", resp.StatusCode)
	}
	client := NewClient(t, c)
	client.Want(protocol.TypePong, &client.Hello)
	return client
}

// NewClient returns a client that uses c. It reads nothing.
func NewClient(t testing.TB, c *Conn) *Client {
	t.Cleanup(func() { _ = c.Close() }) // ignore an error: the test may have closed it
	return &Client{Conn: c, t: t}
}

// Request sends a message.
func (c *Client) Request(r protocol.Request) {
	c.t.Helper()
	b, err := protocol.EncodeRequest(r)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = c.SendText(string(b)) // if the server has closed, the next read fails
}

// NextText reads the next message, as it is on the wire.
func (c *Client) NextText() string {
	c.t.Helper()
	f, err := c.ReadMessage()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	if f.Opcode != OpText {
		c.t.Fatalf("frame of opcode %#x with %q, want a text message", f.Opcode, f.Payload)
	}
	return string(f.Payload)
}

// Next reads the next message.
func (c *Client) Next() protocol.Message {
	c.t.Helper()
	text := c.NextText()
	m, err := protocol.Decode([]byte(text))
	if err != nil {
		c.t.Fatalf("Decode(%s): %v", text, err)
	}
	return m
}

// Want reads the next message, which must have the given type. It decodes the message's data into
// data, unless data is nil.
func (c *Client) Want(typ protocol.Type, data any) protocol.Message {
	c.t.Helper()
	m := c.Next()
	if m.Type != typ {
		c.t.Fatalf("message %q with data %s, want %q", m.Type, m.Data, typ)
	}
	if data != nil {
		if err := json.Unmarshal(m.Data, data); err != nil {
			c.t.Fatalf("data of %q: %v", m.Type, err)
		}
	}
	return m
}

// WantPong sends a ping and reads until its pong. It skips messages before the pong, and keeps
// nothing for [Conn.Pongs].
//
// A server may answer a ping before it writes earlier events, so a pong does not show that there
// are none. Package roomtest can show that: see its Member.Silent.
func (c *Client) WantPong(payload string) {
	c.t.Helper()
	_ = c.SendPing(payload) // if the server has closed, the next read fails
	for {
		f, err := c.ReadFrame()
		switch {
		case err != nil:
			c.t.Fatalf("waiting for a pong: %v", err)
		case f.Opcode == OpClose:
			c.t.Fatalf("close frame %q, want a pong", f.Payload)
		case f.Opcode == OpPong && string(f.Payload) == payload:
			return
		}
	}
}

// WantEnd reads to the end of the connection: see [Conn.End]. It fails the test unless the server
// closes with code and ends the stream properly. If the server sends a goodbye, it must have the
// same code.
func (c *Client) WantEnd(code protocol.CloseCode) {
	c.t.Helper()
	e, err := c.End()
	if err != nil {
		c.t.Fatalf("end of the connection: %v", err)
	}
	if e.Code != code || e.Goodbye != 0 && e.Goodbye != code || !e.EOF {
		c.t.Fatalf("the connection ended with %+v, want code %d", e, code)
	}
}
