package transport_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/planrooms/planrooms/transport"
)

// scanned is the result of scanning some bytes.
type scanned struct {
	passed  int  // bytes that the library may read
	counted int  // frames that counted
	broken  bool // the next byte begins, or is inside, a frame that violates RFC 6455
	between bool // the bytes passed end at a message boundary
}

// scanIn passes b to a scanner in pieces of at most the given size, like a connection. It passes
// bytes that the scanner does not take again, together with the next piece.
func scanIn(t testing.TB, b []byte, size int) scanned {
	t.Helper()
	var s transport.Scanner
	var got scanned
	for have := 0; have < len(b) && !got.broken; {
		have = min(have+size, len(b))
		for {
			n, counted, err := s.Take(b[got.passed:have])
			if n < 0 || n > have-got.passed || err != nil && (n > 0 || counted) || n == 0 && counted {
				t.Fatalf("take of %d bytes = %d, %v, %v", have-got.passed, n, counted, err)
			}
			got.passed += n
			if counted {
				got.counted++
			}
			if got.broken = err != nil; n == 0 {
				break
			}
		}
		if waiting := have - got.passed; !got.broken && waiting >= transport.MaxClientControl {
			t.Fatalf("%d bytes are kept back, more than a control frame has", waiting)
		}
	}
	got.between = s.Between()
	return got
}

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
		negative  = binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, 1<<63)
	)
	all, broken := -1, true
	cases := []struct {
		name    string
		bytes   []byte
		passed  int
		counted int
		broken  bool
	}{
		{"nothing", nil, all, 0, false},
		{"messages", frames(text, empty, medium, large, text), all, 0, false},
		{"control frames", frames(ping, text, pong, large, ping), all, 3, false},
		{"between fragments", frames(first, ping, more, pong, last), all, 2, false},
		{"empty fragments", frames(first, moreEmpty, moreEmpty, last), all, 2, false},
		{"empty first and last", frames(clientFrame(opText, nil), clientFrame(fin|opContinuation, nil)), all, 2, false},
		{"few fragments", frames(first, bytes.Repeat(more, transport.FragmentsPerControl-2)), all, 0, false},
		{"many fragments", frames(first, bytes.Repeat(more, 3*transport.FragmentsPerControl-1)), all, 3, false},
		{"many fragmented messages", bytes.Repeat(frames(first, last), transport.FragmentsPerControl), all, 2, false},
		{"payload that looks like pings", clientFrame(fin|opText, bytes.Repeat([]byte{0xbe ^ 0x37}, 300)), all, 0, false},
		{"endless", frames(endless, bytes.Repeat(ping, 100)), all, 0, false},
		{"binary", frames(clientFrame(fin|opBinary, []byte("x")), text), all, 0, false},

		{"close", frames(ping, closing), all, 1, false},
		{"pings behind a close", frames(ping, closing, bytes.Repeat(ping, 100)), len(ping) + len(closing), 1, broken},
		{"a byte behind a close", frames(closing, []byte{0}), len(closing), 0, broken},

		{"unmasked", frames(text, []byte{fin | opPing, 0}, bytes.Repeat(ping, 100)), len(text), 0, broken},
		{"unmasked pings", bytes.Repeat([]byte{fin | opPing, 0}, 100), 0, 0, broken},
		{"long ping", clientFrame(fin|opPing, make([]byte, 126)), 0, 0, broken},
		{"fragmented ping", clientFrame(opPing, nil), 0, 0, broken},
		{"reserved bit 1", clientFrame(fin|0x40|opText, nil), 0, 0, broken},
		{"reserved bit 2", clientFrame(fin|0x20|opText, nil), 0, 0, broken},
		{"reserved bit 3", clientFrame(fin|0x10|opPing, nil), 0, 0, broken},
		{"reserved opcode", clientFrame(fin|0x3, nil), 0, 0, broken},
		{"reserved control opcode", clientFrame(fin|0xB, nil), 0, 0, broken},
		{"continuation of nothing", frames(text, last), len(text), 0, broken},
		{"message within a message", frames(first, text), len(first), 0, broken},
		{"16-bit length 125", []byte{fin | opText, 0x80 | 126, 0, 125}, 0, 0, broken},
		{"16-bit length 126", []byte{fin | opText, 0x80 | 126, 0, 126, 1, 2, 3, 4}, all, 0, false},
		{"64-bit length 65535", binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, 0xFFFF), 0, 0, broken},
		{"64-bit length 65536", append(binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, 0x10000), 1, 2, 3, 4), all, 0, false},
		{"negative length", negative, 0, 0, broken},
		{"longest length", binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, 1<<64-1), 0, 0, broken},

		{"half a header", frames(text, text[:5]), len(text), 0, false},
		{"half a control frame", frames(text, pong[:6]), len(text), 0, false},
		{"half a payload", frames(text, text[:8]), len(text) + 8, 0, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.passed == all {
				c.passed = len(c.bytes)
			}
			for _, size := range []int{1, 2, 3, 7, 100, 512, 1 << 20} {
				got := scanIn(t, c.bytes, size)
				if got.passed != c.passed || got.counted != c.counted || got.broken != c.broken {
					t.Errorf("in pieces of %d: %+v, want %d passed, %d counted, broken %v", size, got, c.passed, c.counted, c.broken)
				}
			}
		})
	}
}
