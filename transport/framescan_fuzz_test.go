package transport_test

import (
	"encoding/binary"
	"math/bits"
	"testing"

	"github.com/planrooms/planrooms/transport"
)

// reference is a second implementation of frameScan for bytes that are all available. It follows
// the text of RFC 6455.
func reference(b []byte) (want scanned) {
	var message bool // a message has begun and its last fragment has not arrived
	fragments := 0
	for at := 0; ; at = want.passed {
		rest := b[at:]
		want.between = !message
		if len(rest) == 0 {
			return want
		}
		opcode, final := rest[0]&0xF, rest[0]>>7 == 1
		control := opcode >= 8
		known := opcode <= 2 || opcode >= 8 && opcode <= 10
		// 5.2: reserved bits and opcodes; 5.5: control frames are not fragmented; 5.4: order of the
		// fragments.
		if rest[0]>>4&7 != 0 || !known || control && !final || !control && (opcode == 0) != message {
			want.broken = true
			return want
		}
		if len(rest) == 1 {
			return want
		}
		// 5.1: frames are masked; 5.5: at most 125 bytes.
		length, header := uint64(rest[1]&127), 6
		if rest[1]>>7 == 0 || control && length > 125 {
			want.broken = true
			return want
		}
		// 5.2: network byte order, minimal number of bytes, most significant bit 0.
		if extra := map[uint64]int{126: 2, 127: 8}[length]; extra > 0 {
			if len(rest) < 2+extra {
				return want
			}
			length, header = binary.BigEndian.Uint64(append(make([]byte, 8-extra), rest[2:2+extra]...)), header+extra
			least := map[int]uint64{2: 126, 8: 1 << 16}[extra]
			if length < least || bits.LeadingZeros64(length) == 0 {
				want.broken = true
				return want
			}
		}
		if len(rest) < header {
			return want
		}
		whole := length <= uint64(len(rest)-header)
		if control {
			if !whole {
				return want
			}
			want.passed += header + int(length)
			if opcode == 8 {
				want.broken = len(b) > want.passed // 5.5.1: nothing may follow
				return want
			}
			want.counted++
			continue
		}
		if message = !final; opcode == 0 || !final { // a fragment
			if length > 0 {
				fragments++
			}
			if length == 0 || fragments == transport.FragmentsPerControl {
				want.counted++
			}
			fragments %= transport.FragmentsPerControl
		}
		if !whole {
			want.passed, want.between = len(b), false
			return want
		}
		want.passed += header + int(length)
	}
}

// FuzzFrameScan compares frameScan with reference, for bytes that arrive at once and in pieces.
func FuzzFrameScan(f *testing.F) {
	f.Add(append(clientFrame(opText, []byte("a")), clientFrame(fin|opPing, nil)...), uint8(3))
	f.Add(append(clientFrame(fin|opClose, nil), clientFrame(fin|opPing, nil)...), uint8(200))
	f.Add(append(clientFrame(fin|opBinary, make([]byte, 300)), fin|opPing, 0), uint8(0))
	f.Add(binary.BigEndian.AppendUint64([]byte{fin | opText, 0xFF}, 1<<63), uint8(1))
	f.Add(append(clientFrame(opText, make([]byte, 1<<16)), clientFrame(opContinuation, nil)...), uint8(255))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		want := reference(b)
		for _, size := range []int{int(size) + 1, len(b) + 1} {
			if got := scanIn(t, b, size); got != want {
				t.Errorf("%x in pieces of %d: %+v, want %+v", b, size, got, want)
			}
		}
	})
}
