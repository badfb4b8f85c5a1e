package transport_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// TestOneCloseFrame ends a connection in every way. client.end fails the test on a second close
// frame, on anything after the first, and on an incomplete frame.
func TestOneCloseFrame(t *testing.T) {
	ours := func(code protocol.CloseCode) ending {
		return ending{Code: code, Reason: code.Reason(), Goodbye: code}
	}
	broken := ending{Code: protocol.CloseProtocolError, Reason: protocol.CloseProtocolError.Reason()}
	unmasked := []byte{fin | opText, 2, 'h', 'i'}
	negative := binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, 1<<63)

	cases := []struct {
		name string
		do   func(c *client, s *server)
		want ending
	}{
		{"peer, with reason", func(c *client, _ *server) { c.send(opClose, closePayload(1000, "bye")) }, ending{Code: 1000}},
		{"peer, going away", func(c *client, _ *server) { c.send(opClose, closePayload(1001, "")) }, ending{Code: 1001}},
		{"peer, code of an application", func(c *client, _ *server) { c.send(opClose, closePayload(3999, "x")) }, ending{Code: 3999}},
		{"peer, no code", func(c *client, _ *server) { c.send(opClose, nil) }, ending{Code: 1005}},
		{"peer, longest reason", func(c *client, _ *server) { c.send(opClose, closePayload(1000, strings.Repeat("x", 123))) }, ending{Code: 1000}},
		{"peer, reason not UTF-8", func(c *client, _ *server) { c.send(opClose, closePayload(1000, "\xff")) },
			ending{Code: protocol.CloseInvalidPayload, Reason: protocol.CloseInvalidPayload.Reason()}},
		{"peer, 1002", func(c *client, _ *server) { c.send(opClose, closePayload(1002, "you")) }, broken},
		{"peer, twice", func(c *client, _ *server) {
			c.write(append(clientFrame(fin|opClose, closePayload(1000, "")), clientFrame(fin|opClose, closePayload(1001, ""))...))
		}, ending{Code: 1000}},
		{"peer, then many pings", func(c *client, _ *server) {
			c.write(append(clientFrame(fin|opClose, closePayload(1000, "")), bytes.Repeat(clientFrame(fin|opPing, nil), 200)...))
		}, ending{Code: 1000}},
		{"peer, then a half-close", func(c *client, _ *server) {
			c.send(opClose, closePayload(1000, ""))
			c.closeWrite()
		}, ending{Code: 1000}},
		{"1002, code that must not be sent", func(c *client, _ *server) { c.send(opClose, closePayload(1005, "")) }, broken},
		{"1002, code below 1000", func(c *client, _ *server) { c.send(opClose, closePayload(999, "")) }, broken},
		{"1002, half a code", func(c *client, _ *server) { c.send(opClose, []byte{3}) }, broken},
		{"1002, reserved bit", func(c *client, _ *server) { c.write(clientFrame(fin|0x40|opText, []byte("{}"))) }, broken},
		{"1002, unknown opcode", func(c *client, _ *server) { c.send(0x3, nil) }, broken},
		{"1002, unknown control opcode", func(c *client, _ *server) { c.send(0xB, nil) }, broken},
		{"1002, unmasked", func(c *client, _ *server) { c.write(unmasked) }, broken},
		{"1002, many unmasked pings", func(c *client, _ *server) { c.write(bytes.Repeat([]byte{fin | opPing, 0}, 200)) }, broken},
		{"1002, long form of a length", func(c *client, _ *server) { c.write([]byte{fin | opText, 0x80 | 126, 0, 2}) }, broken},
		{"1002, negative length", func(c *client, _ *server) { c.write(negative) }, broken},
		{"1002, continuation of nothing", func(c *client, _ *server) { c.send(opContinuation, []byte("x")) }, broken},
		{"1002, message within a message", func(c *client, _ *server) {
			c.write(append(clientFrame(opText, []byte("a")), clientFrame(fin|opText, []byte("b"))...))
		}, broken},
		{"1002, fragmented ping", func(c *client, _ *server) { c.write(clientFrame(opPing, nil)) }, broken},
		{"1002, long ping", func(c *client, _ *server) { c.send(opPing, make([]byte, 126)) }, broken},
		{"1003", func(c *client, _ *server) { c.send(opBinary, []byte("x")) }, ours(protocol.CloseUnsupportedData)},
		{"1003, large", func(c *client, _ *server) { c.send(opBinary, make([]byte, 100<<10)) }, ours(protocol.CloseUnsupportedData)},
		{"1007", func(c *client, _ *server) { c.text("{\"type\":\"ping\xff\"}") }, ours(protocol.CloseInvalidPayload)},
		{"1007, split surrogate", func(c *client, _ *server) { c.text("\xed\xa0\x80") }, ours(protocol.CloseInvalidPayload)},
		{"1009", func(c *client, _ *server) { c.text(strings.Repeat(" ", protocol.MaxMessageBytes+1)) }, ours(protocol.CloseTooBig)},
		{"1009, in fragments", func(c *client, _ *server) {
			half := make([]byte, protocol.MaxMessageBytes/2+1)
			c.write(append(clientFrame(opText, half), clientFrame(fin|opContinuation, half)...))
		}, ours(protocol.CloseTooBig)},
		{"4403", func(c *client, s *server) {
			if _, err := s.hub.Disconnect(context.Background(), "ann"); err != nil {
				c.t.Error(err)
			}
		}, ours(protocol.CloseForbidden)},
		{"server, while the peer closes", func(c *client, s *server) {
			c.send(opClose, closePayload(1000, ""))
			// the order of the two is not defined
			_, _ = s.hub.Disconnect(context.Background(), "ann")
		}, ending{}},
	}
	eachKind(t, func(t *testing.T, k kind) {
		s := newServer(t, config{kinds: []kind{k}})
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				conn := dial(t, s.Server, "ann")
				c.do(conn, s)
				got := conn.end()
				if c.want == (ending{}) {
					if got.Code != 1000 && got.Code != protocol.CloseForbidden {
						t.Errorf("closed with %+v, want 1000 or 4403", got)
					}
					return
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("connection ended (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestReplaced(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newServer(t, config{kinds: []kind{k}})
		h := handshake{query: "?client=tab1", token: tokenOf("ann")}
		old := dialWith(t, s.Server, h)
		newer := dialWith(t, s.Server, h)
		code := protocol.CloseReplaced
		if diff := cmp.Diff(ending{code, code.Reason(), code}, old.end()); diff != "" {
			t.Errorf("replaced connection ended (-want +got):\n%s", diff)
		}
		newer.join("p")
	})
}

func TestShutdown(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newServer(t, config{kinds: []kind{k}})
		ann, bob := dial(t, s.Server, "ann"), dial(t, s.Server, "bob")
		done := make(chan error)
		go func() { done <- s.hub.Shutdown(context.Background()) }()
		code := protocol.CloseShutdown
		for _, c := range []*client{ann, bob} {
			if diff := cmp.Diff(ending{code, code.Reason(), code}, c.end()); diff != "" {
				t.Errorf("connection ended (-want +got):\n%s", diff)
			}
		}
		if err := receive(t, done); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if _, resp := open(t, s.Server, handshake{token: tokenOf("ann")}); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("after Shutdown: status %d, want 503", resp.StatusCode)
		}
	})
}

// TestPeerGone ends connections without a close frame from the client.
func TestPeerGone(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		codes := make(chan protocol.CloseCode, 1)
		s := newServer(t, config{kinds: []kind{k}, hub: room.Options{Observer: room.Observer{
			Disconnect: func(i room.DisconnectInfo) { codes <- i.Code },
		}}})
		for _, c := range []struct {
			name string
			do   func(c *client)
			want protocol.CloseCode
		}{
			{"at rest", func(c *client) { _ = c.nc.Close() }, protocol.CloseAbnormal},
			{"half-close", func(c *client) { c.closeWrite() }, protocol.CloseAbnormal},
			{"in a header", func(c *client) { c.write([]byte{fin | opText}); _ = c.nc.Close() }, protocol.CloseAbnormal},
			{"in a message", func(c *client) { c.write(clientFrame(fin|opText, []byte("hello"))[:8]); _ = c.nc.Close() }, protocol.CloseAbnormal},
			{"between fragments", func(c *client) { c.write(clientFrame(opText, []byte("hello"))); _ = c.nc.Close() }, protocol.CloseAbnormal},
			{"with a close frame", func(c *client) { c.send(opClose, closePayload(1001, "")); _ = c.nc.Close() }, protocol.CloseGoingAway},
		} {
			t.Run(c.name, func(t *testing.T) {
				conn := dial(t, s.Server, "ann")
				c.do(conn)
				if got := receive(t, codes); got != c.want {
					t.Errorf("disconnected with %d, want %d", got, c.want)
				}
				_, _ = io.Copy(io.Discard, conn.nc)
			})
		}
	})
}

// TestCloseAnsweredLate sends pings after the server's close frame before it answers the close
// frame.
func TestCloseAnsweredLate(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newServer(t, config{kinds: []kind{k}})
		c := dial(t, s.Server, "ann")
		c.send(opBinary, nil)
		for {
			f, err := c.frame()
			if err != nil {
				t.Fatal(err)
			}
			if f.Opcode == opClose {
				break
			}
		}
		for range 10 {
			c.send(opPing, []byte("late"))
			c.text(`{"type":"ping"}`)
		}
		c.send(opClose, closePayload(1003, ""))
		if f, err := c.frame(); err == nil {
			t.Errorf("opcode %#x after the close frame", f.Opcode)
		}
	})
}
