package transporttest_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/transport/transporttest"
)

// upgraded is the answer of a server to the handshake that the package sends.
const upgraded = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

// fakeServer answers the handshake on one end of a pipe with the bytes of answer, discards
// everything else, and ends the stream. It returns the other end.
func fakeServer(t testing.TB, answer string) net.Conn {
	t.Helper()
	own, peer := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer own.Close()
		r := bufio.NewReader(own)
		if _, err := http.ReadRequest(r); err != nil && !errors.Is(err, io.EOF) {
			return // the test has closed its end, or sent what net/http does not accept
		}
		discarded := make(chan struct{})
		go func() {
			defer close(discarded)
			_, _ = io.Copy(io.Discard, r)
		}()
		_, _ = io.WriteString(own, answer) // the client may have closed
		own.Close()
		<-discarded
	}()
	t.Cleanup(func() { peer.Close(); <-done })
	return peer
}

// converse opens a connection to a server that sends stream after its answer. It reads frames to
// the end.
func converse(t testing.TB, stream []byte) (frames []transporttest.Frame, err error) {
	t.Helper()
	c, _, err := transporttest.NewConn(fakeServer(t, upgraded+string(stream)), "/", "host", nil)
	if err != nil {
		t.Fatal(err)
	}
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return frames, err
		}
		frames = append(frames, f)
	}
}

// server returns the bytes of frames as a server sends them.
func server(frames ...transporttest.Frame) []byte {
	var b []byte
	for _, f := range frames {
		f.Unmasked = true
		b = f.Append(b)
	}
	return b
}

type frame = transporttest.Frame

const (
	opContinuation = transporttest.OpContinuation
	opText         = transporttest.OpText
	opBinary       = transporttest.OpBinary
	opClose        = transporttest.OpClose
	opPing         = transporttest.OpPing
	opPong         = transporttest.OpPong
)

func closing(code uint16, reason string) frame {
	return frame{Opcode: opClose, Payload: transporttest.ClosePayload(code, reason)}
}

// TestViolations violates each rule once. The client must return the frame before the violation,
// and an error with the section.
func TestViolations(t *testing.T) {
	bytesOf := func(n int) []byte { return bytes.Repeat([]byte("x"), n) }
	cases := []struct {
		name    string
		bytes   []byte
		section string
	}{
		{"masked text", frame{Opcode: opText, Payload: []byte("x")}.Append(nil), "5.1"},
		{"masked, empty", frame{Opcode: opText}.Append(nil), "5.1"},
		{"masked ping", frame{Opcode: opPing}.Append(nil), "5.1"},
		{"reserved bit 1", server(frame{Opcode: opText, Reserved: 0x40}), "5.2"},
		{"reserved bit 2", server(frame{Opcode: opText, Reserved: 0x20}), "5.2"},
		{"reserved bit 3", server(frame{Opcode: opText, Reserved: 0x10}), "5.2"},
		{"reserved bit of a ping", server(frame{Opcode: opPing, Reserved: 0x40}), "5.2"},
		{"opcode 3", server(frame{Opcode: 0x3}), "5.2"},
		{"opcode 7", server(frame{Opcode: 0x7}), "5.2"},
		{"opcode B", server(frame{Opcode: 0xB}), "5.2"},
		{"opcode F", server(frame{Opcode: 0xF}), "5.2"},
		{"length 0 in 2 bytes", server(frame{Opcode: opText, LengthBytes: 2}), "5.2"},
		{"length 125 in 2 bytes", server(frame{Opcode: opText, LengthBytes: 2, Payload: bytesOf(125)}), "5.2"},
		{"length 0 in 8 bytes", server(frame{Opcode: opText, LengthBytes: 8}), "5.2"},
		{"length 126 in 8 bytes", server(frame{Opcode: opText, LengthBytes: 8, Payload: bytesOf(126)}), "5.2"},
		{"length 65535 in 8 bytes", server(frame{Opcode: opText, LengthBytes: 8, Payload: bytesOf(65535)}), "5.2"},
		{"length with the highest bit", server(frame{Opcode: opText, LengthBytes: 8, Length: 1 << 63}), "5.2"},
		{"continuation of nothing", server(frame{Opcode: opContinuation}), "5.4"},
		{"continuation after the last fragment", server(append(transporttest.Fragments(opText, "a", "b"), frame{Opcode: opContinuation})...), "5.4"},
		{"text inside a message", server(frame{Opcode: opText, More: true}, frame{Opcode: opText}), "5.4"},
		{"binary inside a message", server(frame{Opcode: opText, More: true}, frame{Opcode: opBinary, More: true}), "5.4"},
		{"fragmented ping", server(frame{Opcode: opPing, More: true}), "5.5"},
		{"fragmented close", server(frame{Opcode: opClose, More: true}), "5.5"},
		{"ping of 126 bytes", server(frame{Opcode: opPing, Payload: bytesOf(126)}), "5.5"},
		{"pong of 65536 bytes", server(frame{Opcode: opPong, Payload: bytesOf(65536)}), "5.5"},
		{"close of 126 bytes", server(closing(1000, strings.Repeat("x", 124))), "5.5"},
		{"text not UTF-8", server(frame{Opcode: opText, Payload: []byte("\xff")}), "8.1"},
		{"text cut inside a rune", server(frame{Opcode: opText, Payload: []byte("\xc3")}), "8.1"},
		{"fragmented text not UTF-8", server(transporttest.Fragments(opText, "\xc3", "x")...), "8.1"},
		{"half a close code", server(frame{Opcode: opClose, Payload: []byte{3}}), "5.5.1"},
		{"close reason not UTF-8", server(closing(1000, "\xff")), "5.5.1"},
		{"close code 0", server(closing(0, "")), "7.4"},
		{"close code 999", server(closing(999, "")), "7.4"},
		{"close code 1004", server(closing(1004, "")), "7.4"},
		{"close code 1005", server(frame{Opcode: opClose, Payload: []byte{0x03, 0xED}}), "7.4"},
		{"close code 1006", server(closing(1006, "")), "7.4"},
		{"close code 1015", server(closing(1015, "")), "7.4"},
		{"close code 2999", server(closing(2999, "")), "7.4"},
		{"close code 5000", server(closing(5000, "")), "7.4"},
		{"two close frames", server(closing(1000, ""), closing(1000, "")), "5.5.1"},
		{"text after close", server(closing(1000, ""), frame{Opcode: opText}), "5.5.1"},
		{"pong after close", server(closing(1000, ""), frame{Opcode: opPong}), "5.5.1"},
		{"a byte after close", append(server(closing(1000, "")), 0), "5.5.1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			frames, err := converse(t, append(server(frame{Opcode: opText, Payload: []byte("before")}), c.bytes...))
			var v *transporttest.ViolationError
			if !errors.As(err, &v) || !transporttest.IsViolation(err) {
				t.Fatalf("error %v, want a violation", err)
			}
			if v.Section != c.section {
				t.Errorf("%v, want section %s", v, c.section)
			}
			if len(frames) == 0 || string(frames[0].Payload) != "before" {
				t.Errorf("frames %v, want the frame before first", frames)
			}
		})
	}
}

// TestFrames reads what a server may send.
func TestFrames(t *testing.T) {
	bytesOf := func(n int) []byte { return bytes.Repeat([]byte("x"), n) }
	sent := []frame{
		{Opcode: opText, Payload: []byte("é")},
		{Opcode: opText, Payload: []byte{}},
		{Opcode: opBinary, Payload: []byte("\xff")},
		{Opcode: opText, Payload: bytesOf(125)},
		{Opcode: opText, Payload: bytesOf(126)},
		{Opcode: opText, Payload: bytesOf(65535)},
		{Opcode: opText, Payload: bytesOf(65536)},
		{Opcode: opText, More: true, Payload: []byte("\xc3")},
		{Opcode: opPing, Payload: bytesOf(125)},
		{Opcode: opPong, Payload: []byte("\xff")},
		{Opcode: opContinuation, More: true, Payload: []byte{}},
		{Opcode: opContinuation, Payload: []byte("\xa9")},
		{Opcode: opBinary, More: true, Payload: []byte{}},
		{Opcode: opContinuation, Payload: []byte("\xff")},
		{Opcode: opText, Payload: []byte("next")},
		closing(4999, strings.Repeat("x", 123)),
	}
	got, err := converse(t, server(sent...))
	if err != io.EOF {
		t.Errorf("error %v, want io.EOF", err)
	}
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Errorf("frames (-sent +read):\n%s", diff)
	}
	for _, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		if _, err := converse(t, server(closing(code, "why"))); err != io.EOF {
			t.Errorf("close code %d: %v, want io.EOF", code, err)
		}
	}
	if _, err := converse(t, server(closing(1005, ""))); err != io.EOF {
		t.Errorf("close frame without code: %v, want io.EOF", err)
	}
}

// TestIncomplete ends the stream at each position inside a frame.
func TestIncomplete(t *testing.T) {
	whole := server(frame{Opcode: opText, Payload: bytes.Repeat([]byte("x"), 130)})
	for n := 1; n < len(whole); n++ {
		_, err := converse(t, whole[:n])
		if !errors.Is(err, io.ErrUnexpectedEOF) || err == io.ErrUnexpectedEOF || transporttest.IsViolation(err) {
			t.Errorf("after %d bytes: %v, want a wrapped io.ErrUnexpectedEOF", n, err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	huge := server(frame{Opcode: opText, LengthBytes: 8, Length: transporttest.MaxFrame + 1})
	if _, err := converse(t, huge); err == nil || transporttest.IsViolation(err) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a frame above MaxFrame: %v, want an error that is not a violation", err)
	}
}

// FuzzFrames reads arbitrary bytes. If the accepted frames are written again, the result must be
// the same bytes, so that one stream has one meaning. Reading byte by byte must give the same
// frames.
func FuzzFrames(f *testing.F) {
	f.Add(server(frame{Opcode: opText, Payload: []byte("é")}, closing(1000, "bye")))
	f.Add(server(append(transporttest.Fragments(opText, "\xc3", "\xa9"), frame{Opcode: opPing})...))
	f.Add(server(frame{Opcode: opBinary, LengthBytes: 2, Payload: []byte("x")}))
	f.Add(server(frame{Opcode: opBinary, Payload: make([]byte, 300)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		read := func(r io.Reader) (frames []frame, err error) {
			p := transporttest.NewParser(r)
			for {
				f, err := p.Next()
				if err != nil {
					return frames, err
				}
				frames = append(frames, f)
			}
		}
		frames, err := read(bytes.NewReader(b))
		again := server(frames...)
		if !bytes.HasPrefix(b, again) || err == io.EOF && len(again) < len(b) {
			t.Errorf("%x was read as %v, which is %x", b, frames, again)
		}
		slowly, slowErr := read(iotest.OneByteReader(bytes.NewReader(b)))
		if diff := cmp.Diff(frames, slowly); diff != "" || err.Error() != slowErr.Error() {
			t.Errorf("%x byte by byte: %v instead of %v\n%s", b, slowErr, err, diff)
		}
	})
}
