package transport_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/planrooms/planrooms/protocol"
)

// testTimeout ends a test that hangs. No test waits for it.
const testTimeout = 30 * time.Second

// Opcodes of RFC 6455.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
	fin            = 0x80
)

// client is a strict WebSocket client. One goroutine may read; any number may write.
type client struct {
	t      testing.TB
	nc     net.Conn
	br     *bufio.Reader
	closed bool // the server has sent a close frame, which must be the last
	pongs  [][]byte
	pings  int
}

// frame is one frame as received.
type frame struct {
	opcode  byte
	payload []byte
}

// handshake describes a request. The zero value describes a client that is not a browser.
type handshake struct {
	query   string
	token   string // as Authorization: Bearer
	headers http.Header
	after   []byte // sent in one write with the request
	// size of the receive buffer, which the kernel then does not change; 0: the default
	buffer int
}

// open sends a handshake and returns the response. It closes the connection unless the status is
// 101.
func open(t testing.TB, srv *httptest.Server, h handshake) (*client, *http.Response) {
	t.Helper()
	c, resp, err := tryOpen(t, srv, h)
	if err != nil {
		t.Fatalf("handshake: %v", err)
	}
	return c, resp
}

func tryOpen(t testing.TB, srv *httptest.Server, h handshake) (*client, *http.Response, error) {
	nc, err := tryConnect(t, srv, h)
	if err != nil {
		return nil, nil, err
	}
	if err := tryHandshake(nc, h); err != nil {
		return nil, nil, err
	}
	c := &client{t: t, nc: nc, br: bufio.NewReader(nc)}
	resp, err := http.ReadResponse(c.br, nil)
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, nil, err
		}
		resp.Body = io.NopCloser(strings.NewReader(string(body)))
		return c, resp, nc.Close()
	}
	if got, want := resp.Header.Get("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
		return nil, nil, fmt.Errorf("Sec-WebSocket-Accept = %q, want %q", got, want)
	}
	return c, resp, nil
}

// connect opens a connection to srv and sends nothing.
func connect(t testing.TB, srv *httptest.Server, h handshake) net.Conn {
	t.Helper()
	nc, err := tryConnect(t, srv, h)
	if err != nil {
		t.Fatal(err)
	}
	return nc
}

func tryConnect(t testing.TB, srv *httptest.Server, h handshake) (net.Conn, error) {
	addr := srv.Listener.Addr()
	nc, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = nc.Close() })
	if h.buffer > 0 {
		if err := nc.(interface{ SetReadBuffer(bytes int) error }).SetReadBuffer(h.buffer); err != nil {
			return nil, err
		}
	}
	if srv.TLS != nil {
		nc = tls.Client(nc, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	}
	return nc, nc.SetDeadline(time.Now().Add(testTimeout))
}

// writeHandshake sends a handshake.
func writeHandshake(t testing.TB, nc net.Conn, h handshake) {
	t.Helper()
	if err := tryHandshake(nc, h); err != nil {
		t.Fatal(err)
	}
}

func tryHandshake(nc net.Conn, h handshake) error {
	var req strings.Builder
	host := nc.RemoteAddr().String()
	if nc.RemoteAddr().Network() == "unix" {
		host = "unix"
	}
	fmt.Fprintf(&req, "GET /ws%s HTTP/1.1\r\nHost: %s\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n", h.query, host)
	fmt.Fprintf(&req, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
	if h.token != "" {
		fmt.Fprintf(&req, "Authorization: Bearer %s\r\n", h.token)
	}
	if err := h.headers.Write(&req); err != nil {
		return err
	}
	req.WriteString("\r\n")
	_, err := nc.Write(append([]byte(req.String()), h.after...))
	return err
}

// dial connects as user and reads the hello.
func dial(t testing.TB, srv *httptest.Server, user string) *client {
	t.Helper()
	return dialWith(t, srv, handshake{token: tokenOf(user)})
}

func dialWith(t testing.TB, srv *httptest.Server, h handshake) *client {
	t.Helper()
	c, resp := open(t, srv, h)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: status %d, want 101", resp.StatusCode)
	}
	if m := c.next(); m.Type != protocol.TypePong {
		t.Fatalf("first message is %q, want the hello", m.Type)
	}
	return c
}

// clientFrame returns a masked frame.
func clientFrame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, mask[:]...)
	for i, x := range payload {
		b = append(b, x^mask[i%4])
	}
	return b
}

func closePayload(code protocol.CloseCode, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

// write sends raw bytes. It ignores the error: the server may have closed, which the reader checks.
func (c *client) write(b []byte) { _, _ = c.nc.Write(b) }

func (c *client) send(opcode byte, payload []byte) { c.write(clientFrame(fin|opcode, payload)) }

// closeWrite ends the sending direction of the connection.
func (c *client) closeWrite() { _ = c.nc.(interface{ CloseWrite() error }).CloseWrite() }

func (c *client) text(message string) { c.send(opText, []byte(message)) }

// join joins a plan and reads until the answer.
func (c *client) join(planID string) protocol.JoinAnswer {
	c.t.Helper()
	b, err := protocol.EncodeRequest(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: planID})
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(opText, b)
	for {
		m := c.next()
		switch m.Type {
		case protocol.TypeJoinPlan:
			return decodeData[protocol.JoinAnswer](c.t, m)
		case protocol.TypeError:
			c.t.Fatalf("join %q: %s", planID, m.Data)
		}
	}
}

// frame reads one frame. It returns an error if RFC 6455 does not allow a server without extensions
// to send it.
func (c *client) frame() (frame, error) {
	var h [2]byte
	if _, err := io.ReadFull(c.br, h[:1]); err != nil {
		return frame{}, err
	}
	if c.closed {
		return frame{}, errors.New("bytes after the close frame")
	}
	if _, err := io.ReadFull(c.br, h[1:]); err != nil {
		return frame{}, fmt.Errorf("incomplete frame: %w", err)
	}
	f := frame{opcode: h[0] & 0x0F}
	n := uint64(h[1])
	switch {
	case h[0]&0x70 != 0:
		return f, fmt.Errorf("reserved bits in %#x", h[0])
	case h[0]&fin == 0:
		return f, fmt.Errorf("fragment %#x", h[0])
	case h[1]&0x80 != 0:
		return f, errors.New("masked frame")
	case f.opcode >= opClose && n > 125:
		return f, errors.New("long control frame")
	case n == 126:
		var b [2]byte
		if _, err := io.ReadFull(c.br, b[:]); err != nil {
			return f, fmt.Errorf("incomplete frame: %w", err)
		}
		if n = uint64(binary.BigEndian.Uint16(b[:])); n <= 125 {
			return f, errors.New("length not minimal")
		}
	case n == 127:
		var b [8]byte
		if _, err := io.ReadFull(c.br, b[:]); err != nil {
			return f, fmt.Errorf("incomplete frame: %w", err)
		}
		if n = binary.BigEndian.Uint64(b[:]); n <= 0xFFFF || n > 1<<24 {
			return f, fmt.Errorf("length %d", n)
		}
	}
	f.payload = make([]byte, n)
	if _, err := io.ReadFull(c.br, f.payload); err != nil {
		return f, fmt.Errorf("incomplete frame: %w", err)
	}
	switch f.opcode {
	case opText:
		if !utf8.Valid(f.payload) {
			return f, errors.New("text is not UTF-8")
		}
	case opClose:
		c.closed = true
		if n == 1 || n > 2 && !utf8.Valid(f.payload[2:]) {
			return f, fmt.Errorf("close payload %q", f.payload)
		}
	case opPing, opPong:
	default:
		return f, fmt.Errorf("opcode %#x", f.opcode)
	}
	return f, nil
}

// read returns the next text or close frame. It answers pings, and keeps pongs.
func (c *client) read() (frame, error) {
	for {
		f, err := c.frame()
		if err != nil {
			return f, err
		}
		switch f.opcode {
		case opPing:
			c.pings++
			c.send(opPong, f.payload)
		case opPong:
			c.pongs = append(c.pongs, f.payload)
		default:
			return f, nil
		}
	}
}

// next reads the next message.
func (c *client) next() protocol.Message {
	c.t.Helper()
	f, err := c.read()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	if f.opcode != opText {
		c.t.Fatalf("close frame %q, want a message", f.payload)
	}
	m, err := protocol.Decode(f.payload)
	if err != nil {
		c.t.Fatalf("Decode(%s): %v", f.payload, err)
	}
	return m
}

// pong reads until the pong with the payload arrives.
func (c *client) pong() []byte {
	c.t.Helper()
	for {
		f, err := c.frame()
		if err != nil {
			c.t.Fatalf("waiting for a pong: %v", err)
		}
		if f.opcode == opPong {
			return f.payload
		}
	}
}

// ending describes how a connection ended.
type ending struct {
	Code    protocol.CloseCode // of the close frame; 1006: none received
	Reason  string
	Goodbye protocol.CloseCode // 0: none received
}

// end reads to the end of the connection and closes it. It answers the close frame. It fails the
// test unless there is exactly one close frame and nothing after it.
func (c *client) end() ending {
	c.t.Helper()
	defer func() { _ = c.nc.Close() }()
	e, err := c.endOrError()
	if err != nil {
		c.t.Fatalf("end of connection: %v", err)
	}
	return e
}

func (c *client) endOrError() (ending, error) {
	e := ending{Code: protocol.CloseAbnormal}
	for {
		f, err := c.read()
		if e.Code == protocol.CloseAbnormal && err != nil {
			return e, err
		}
		if err != nil {
			// After the close frame, the server may end the connection with FIN or RST.
			var op *net.OpError
			if err != io.EOF && !errors.As(err, &op) || errors.As(err, &op) && op.Timeout() {
				return e, err
			}
			return e, nil
		}
		switch f.opcode {
		case opText:
			m, err := protocol.Decode(f.payload)
			if err != nil {
				return e, err
			}
			if e.Goodbye != 0 {
				return e, fmt.Errorf("%s after goodbye", m.Type)
			}
			if m.Type == protocol.TypeGoodbye {
				e.Goodbye = decodeData[protocol.Goodbye](c.t, m).Code
			}
		case opClose:
			e.Code = 1005
			if len(f.payload) >= 2 {
				e.Code, e.Reason = protocol.CloseCode(binary.BigEndian.Uint16(f.payload)), string(f.payload[2:])
			}
			c.send(opClose, f.payload)
		}
	}
}
