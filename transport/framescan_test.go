package transport_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/planrooms/planrooms/transport"
)

func TestFrameScan(t *testing.T) {
	frames := func(fs ...[]byte) []byte { return bytes.Join(fs, nil) }
	var (
		text      = clientFrame(fin|opText, []byte("hello"))
		empty     = clientFrame(fin|opText, nil)
		ping      = clientFrame(fin|opPing, nil)
		pong      = clientFrame(fin|opPong, []byte("x"))
		closing   = clientFrame(fin|opClose, nil)
		first     = clientFrame(opText, []byte("h"))
		more      = clientFrame(opContinuation, []byte("e"))
		moreEmpty = clientFrame(opContinuation, nil)
		last      = clientFrame(fin|opContinuation, []byte("o"))
		medium    = clientFrame(fin|opText, make([]byte, 126))
		large     = clientFrame(fin|opText, make([]byte, 1<<16))
		endless   = binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, 1<<62)
		overflow  = binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, 1<<64-1)
	)
	cases := []struct {
		name  string
		bytes []byte
		want  int
	}{
		{"nothing", nil, 0},
		{"messages", frames(text, empty, medium, large, text), 0},
		{"control frames", frames(ping, text, pong, large, ping), 3},
		{"between fragments", frames(first, ping, more, pong, last), 2},
		{"empty fragments", frames(first, moreEmpty, moreEmpty, last), 2},
		{"empty first and last", frames(clientFrame(opText, nil), clientFrame(fin|opContinuation, nil)), 2},
		{"few fragments", frames(first, bytes.Repeat(more, transport.FragmentsPerControl-2)), 0},
		{"many fragments", frames(first, bytes.Repeat(more, 3*transport.FragmentsPerControl-1)), 3},
		{"many fragmented messages", bytes.Repeat(frames(first, last), transport.FragmentsPerControl), 2},
		{"close", frames(ping, closing), 1},
		{"unmasked", frames([]byte{fin | opPing, 0, fin | opPing, 0}), 2},
		{"payload that looks like pings", clientFrame(fin|opText, bytes.Repeat([]byte{0xbe ^ 0x37}, 300)), 0},
		{"endless", frames(endless, bytes.Repeat(ping, 100)), 0},
		{"longer than any number", frames(overflow, bytes.Repeat(ping, 100)), 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, 7, 512, 1 << 20} {
				var s transport.Scanner
				got := 0
				for rest := c.bytes; len(rest) > 0; {
					n := min(size, len(rest))
					got += s.Scan(rest[:n])
					rest = rest[n:]
				}
				if got != c.want {
					t.Errorf("in pieces of %d: %d counted, want %d", size, got, c.want)
				}
			}
		})
	}
}

// FuzzFrameScan splits bytes in two ways, which must not matter.
func FuzzFrameScan(f *testing.F) {
	f.Add(append(clientFrame(opText, []byte("a")), clientFrame(fin|opPing, nil)...), uint8(3))
	f.Add(binary.BigEndian.AppendUint64([]byte{fin | opText, 0xFF}, 1<<63), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		var whole, split transport.Scanner
		want, got := whole.Scan(b), 0
		for rest := b; len(rest) > 0; {
			n := min(int(size)%16+1, len(rest))
			got += split.Scan(rest[:n])
			rest = rest[n:]
		}
		if got != want {
			t.Errorf("%d counted in pieces, %d at once", got, want)
		}
	})
}
