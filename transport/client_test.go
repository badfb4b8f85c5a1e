package transport_test

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// testTimeout ends a test that hangs. No test waits for it.
const testTimeout = 30 * time.Second

// Parts of the first byte of a frame (RFC 6455 section 5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
	fin            = 0x80
)

// client is the strict client of package transporttest. In addition, it accepts no fragments, which
// the server does not send. One goroutine may read; any number may write.
type client struct {
	*transporttest.Client
	t  testing.TB
	nc net.Conn
}

type frame = transporttest.Frame

func newClient(t testing.TB, c *transporttest.Conn) *client {
	return &client{transporttest.NewClient(t, c), t, c.NetConn()}
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
	c, resp, err := transporttest.NewConn(nc, h.target(), hostOf(nc), h.options())
	if err != nil || c == nil {
		return nil, resp, err
	}
	return newClient(t, c), resp, nil
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
	_, err := nc.Write(h.options().Request(h.target(), hostOf(nc)))
	return err
}

func hostOf(nc net.Conn) string {
	if nc.RemoteAddr().Network() == "unix" {
		return "unix"
	}
	return nc.RemoteAddr().String()
}

func (h handshake) target() string { return "/ws" + h.query }

func (h handshake) options() *transporttest.Options {
	header := http.Header{"Connection": {"keep-alive, Upgrade"}}
	if h.token != "" {
		header.Set("Authorization", "Bearer "+h.token)
	}
	for name, values := range h.headers {
		header[name] = values
	}
	return &transporttest.Options{Header: header, Early: h.after, Timeout: testTimeout}
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
	return frame{
		Opcode: transporttest.Opcode(first & 0xF), Reserved: first & 0x70, More: first&fin == 0, Payload: payload,
	}.Append(nil)
}

func closePayload(code protocol.CloseCode, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

// write sends raw bytes. It ignores the error: the server may have closed, which the reader checks.
func (c *client) write(b []byte) { _, _ = c.Write(b) }

func (c *client) send(opcode byte, payload []byte) { c.write(clientFrame(fin|opcode, payload)) }

// closeWrite ends the sending direction of the connection.
func (c *client) closeWrite() { _ = c.CloseWrite() }

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
		switch {
		case m.Type == protocol.TypeJoinPlan && m.PlanID == planID: // otherwise it is a notice
			return decodeData[protocol.JoinAnswer](c.t, m)
		case m.Type == protocol.TypeError:
			c.t.Fatalf("join %q: %s", planID, m.Data)
		}
	}
}

// frame reads one frame. It returns an error if RFC 6455 does not allow a server to send it, and
// for a fragment.
func (c *client) frame() (frame, error) {
	f, err := c.ReadFrame()
	if err == nil && f.More {
		err = fmt.Errorf("fragment of opcode %#x", f.Opcode)
	}
	return f, err
}

// read returns the next text or close frame. It answers pings, and keeps pongs.
func (c *client) read() (frame, error) { return c.ReadMessage() }

// next reads the next message.
func (c *client) next() protocol.Message {
	c.t.Helper()
	return c.Next()
}

// pong reads until a pong arrives.
func (c *client) pong() string {
	c.t.Helper()
	for {
		f, err := c.frame()
		if err != nil {
			c.t.Fatalf("waiting for a pong: %v", err)
		}
		if f.Opcode == opPong {
			return string(f.Payload)
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
	e, err := c.End()
	if err != nil || e.Code == protocol.CloseAbnormal {
		c.t.Fatalf("end of the connection: %+v, %v", e, err)
	}
	return ending{e.Code, e.Reason, e.Goodbye}
}
