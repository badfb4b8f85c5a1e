package transport_test

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// lengthCases: "Note that in all cases, the minimal number of bytes MUST be used to encode the
// length", "the most significant bit MUST be 0" (section 5.2), and "All control frames MUST have a
// payload length of 125 bytes or less" (section 5.5).
func lengthCases() (cases []conformance) {
	const valid = "5.2: a length in the minimal number of bytes is valid"
	for _, n := range []int{33, 64, 125, 126, 127, 128, 255, 256, 511, 512, 513, 1000, 4095, 4096, 4097, 16383, 16384, 16385} {
		cases = append(cases, answered(fmt.Sprintf("text of %d bytes", n), valid, bytesOf(textFrame(echo("n", n))), `echo "n"`))
	}
	cases = append(cases,
		answered("text of 0 bytes", valid, bytesOf(textFrame(nil)), "error bad_message"),
		answered("text of 1 byte", valid, bytesOf(textFrame([]byte("x"))), "error bad_message"),
	)

	const minimal = "5.2: the minimal number of bytes MUST be used"
	first := wire{Opcode: wireText, More: true, Payload: []byte("{")}
	for _, form := range []struct {
		bytes   int
		lengths []int
	}{{2, []int{0, 1, 2, 124, 125}}, {8, []int{0, 1, 125, 126, 127, 65534, 65535}}} {
		for _, n := range form.lengths {
			payload := bytes.Repeat([]byte("x"), n)
			name := func(kind string) string { return fmt.Sprintf("%s of %d bytes, length in %d", kind, n, form.bytes) }
			cases = append(cases,
				failed(name("text"), minimal, bytesOf(wire{Opcode: wireText, Payload: payload, LengthBytes: form.bytes})),
				failed(name("binary"), minimal, bytesOf(wire{Opcode: wireBinary, Payload: payload, LengthBytes: form.bytes})),
				failed(name("continuation"), minimal, bytesOf(first, wire{Opcode: wireContinuation, Payload: payload, LengthBytes: form.bytes})))
		}
	}
	for _, op := range []transporttest.Opcode{wirePing, wirePong, wireClose} {
		for _, n := range []int{2, 8} {
			cases = append(cases, failed(fmt.Sprintf("control opcode %X, length in %d bytes", op, n), minimal,
				bytesOf(wire{Opcode: op, Payload: transporttest.ClosePayload(1000, "bye"), LengthBytes: n})))
		}
		for _, n := range []int{126, 127, 65535, 65536} {
			cases = append(cases, failed(fmt.Sprintf("control opcode %X with %d bytes", op, n), "5.5: at most 125 bytes",
				bytesOf(wire{Opcode: op, Payload: append(transporttest.ClosePayload(1000, ""), make([]byte, n-2)...)})))
		}
		cases = append(cases, failed(fmt.Sprintf("the first two bytes of control opcode %X with 126 bytes", op), "5.5: at most 125 bytes",
			bytesOf(wire{Opcode: op, Payload: make([]byte, 126)})[:2]))
	}

	const high = "5.2: the most significant bit MUST be 0"
	for _, length := range []uint64{1 << 63, 1<<63 | 5, 1<<64 - 1} {
		cases = append(cases, failed(fmt.Sprintf("length %#x", length), high,
			bytesOf(wire{Opcode: wireText, LengthBytes: 8, Length: length, Payload: []byte("hello")})))
	}
	return append(cases,
		failed("length with the highest bit, without a key", high, bytesOf(wire{Opcode: wireText, LengthBytes: 8, Length: 1 << 63})[:10]),
		answered("longest length", "5.2: 63 bits are valid; 10.4: the message limit holds", bytesOf(
			wire{Opcode: wireText, LengthBytes: 8, Length: 1<<63 - 1, Payload: bytes.Repeat([]byte(" "), protocol.MaxMessageBytes+1)}), tooBig...),
	)
}

// limitCases: "Implementations that have implementation- and/or platform-specific limitations
// regarding the frame size or total message size after reassembly from multiple frames MUST protect
// themselves against exceeding those limits." (section 10.4). The limit is 32,768 bytes.
func limitCases() []conformance {
	const rfc = "10.4, 7.4.1: a message that is too big closes with 1009"
	const most = protocol.MaxMessageBytes
	pieces := func(sizes ...int) []byte {
		total := 0
		for _, n := range sizes {
			total += n
		}
		rest := string(echo("n", total))
		parts := make([]string, len(sizes))
		for i, n := range sizes {
			parts[i], rest = rest[:n], rest[n:]
		}
		return bytesOf(transporttest.Fragments(wireText, parts...)...)
	}
	repeat := func(n, size int) []int { return slices.Repeat([]int{size}, n) }
	one := func(n int) []byte { return bytesOf(textFrame(echo("n", n))) }
	return []conformance{
		answered("one byte below", rfc, one(most-1), `echo "n"`),
		answered("exactly", rfc, one(most), `echo "n"`),
		answered("exactly, twice", rfc, append(one(most), one(most)...), `echo "n"`, `echo "n"`),
		answered("one byte above", rfc, one(most+1), tooBig...),
		answered("65535 bytes", rfc, one(65535), tooBig...),
		answered("65536 bytes", rfc, one(65536), tooBig...),
		answered("131072 bytes", rfc, one(131072), tooBig...),
		answered("one byte below, two fragments", rfc, pieces(most/2, most/2-1), `echo "n"`),
		answered("exactly, two fragments", rfc, pieces(most/2, most/2), `echo "n"`),
		answered("exactly, eight fragments", rfc, pieces(repeat(8, most/8)...), `echo "n"`),
		answered("exactly, 64 fragments", rfc, pieces(repeat(64, most/64)...), `echo "n"`),
		answered("exactly, and an empty fragment", rfc, pieces(most, 0), `echo "n"`),
		answered("an empty fragment, then exactly", rfc, pieces(0, most), `echo "n"`),
		answered("exactly, with a first fragment of a byte", rfc, pieces(1, most-1), `echo "n"`),
		answered("exactly, with a last fragment of a byte", rfc, pieces(most-1, 1), `echo "n"`),
		answered("one byte above, two fragments", rfc, pieces(most/2, most/2+1), tooBig...),
		answered("one byte above in the last fragment", rfc, pieces(most, 1), tooBig...),
		answered("one byte above, with a first fragment of a byte", rfc, pieces(1, most), tooBig...),
		answered("one byte above, eight fragments", rfc, pieces(append(repeat(8, most/8), 1)...), tooBig...),
		answered("above in the first fragment alone", rfc,
			bytesOf(wire{Opcode: wireText, More: true, Payload: echo("n", most+1)}), tooBig...),
		answered("above in the second fragment, without the last", rfc, bytesOf(
			wire{Opcode: wireText, More: true, Payload: echo("n", most)}, wire{Opcode: wireContinuation, More: true, Payload: []byte(" ")}), tooBig...),
		answered("above, and a valid message behind it", rfc, append(one(most+1), one(100)...), tooBig...),
		answered("above, and a pong behind it", rfc, append(one(most+1), bytesOf(wire{Opcode: wirePong, Payload: []byte("late")})...), tooBig...),
		answered("above before it is found not to be UTF-8", rfc, bytesOf(textFrame(bytes.Repeat([]byte{0xFF}, most+1))), tooBig...),
	}
}
