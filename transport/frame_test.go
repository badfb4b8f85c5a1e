package transport_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport"
)

func TestFraming(t *testing.T) {
	f := transport.ServerFraming()
	if f != transport.ServerFraming() {
		t.Error("two framings differ: every event would be framed for each connection")
	}
	dst := []byte("before")
	long, huge := bytes.Repeat([]byte("x"), 126), bytes.Repeat([]byte("x"), 1<<16)
	cases := []struct {
		name string
		got  []byte
		want []byte
	}{
		{"empty message", f.AppendMessage(nil, nil), []byte{0x81, 0}},
		{"message", f.AppendMessage(dst, []byte("hi")), []byte("before\x81\x02hi")},
		{"message of 125", f.AppendMessage(nil, long[:125]), append([]byte{0x81, 125}, long[:125]...)},
		{"message of 126", f.AppendMessage(nil, long), append([]byte{0x81, 126, 0, 126}, long...)},
		{"message of 65535", f.AppendMessage(nil, huge[1:]), append([]byte{0x81, 126, 0xFF, 0xFF}, huge[1:]...)},
		{"message of 65536", f.AppendMessage(nil, huge), append([]byte{0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}, huge...)},
		{"ping", f.AppendPing(dst), []byte("before\x89\x00")},
		{"close", f.AppendClose(dst, 4401, "why"), []byte("before\x88\x05\x11\x31why")},
		{"close, no reason", f.AppendClose(nil, 1000, ""), []byte{0x88, 2, 0x03, 0xE8}},
		{"close, longest reason", f.AppendClose(nil, 1000, strings.Repeat("x", 123)), []byte("\x88\x7d\x03\xe8" + strings.Repeat("x", 123))},
		{"close, cut reason", f.AppendClose(nil, 1000, strings.Repeat("x", 122)+"é"), []byte("\x88\x7c\x03\xe8" + strings.Repeat("x", 122))},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !bytes.Equal(c.got, c.want) {
				t.Errorf("got %.40x… (%d bytes), want %.40x… (%d bytes)", c.got, len(c.got), c.want, len(c.want))
			}
		})
	}
}

func TestCloseAnswer(t *testing.T) {
	own := func(code protocol.CloseCode) string {
		return string(transport.ServerFraming().AppendClose(nil, code, code.Reason()))
	}
	cases := []struct {
		payload string
		code    protocol.CloseCode
		frame   string
	}{
		{"", 1005, "\x88\x00"},
		{"\x03\xe8bye", 1000, "\x88\x02\x03\xe8"},
		{"\x03\xearead limited at 3 bytes", 1002, own(protocol.CloseProtocolError)},
		{"\x03\xe8\xff", 1000, own(protocol.CloseInvalidPayload)},
	}
	for _, c := range cases {
		code, frame := transport.CloseAnswer([]byte(c.payload))
		if code != c.code || string(frame) != c.frame {
			t.Errorf("closeAnswer(%q) = %d, %q, want %d, %q", c.payload, code, frame, c.code, c.frame)
		}
	}
}
