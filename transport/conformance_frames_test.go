package transport_test

import (
	"bytes"
	"fmt"

	"github.com/planrooms/planrooms/transport/transporttest"
)

// opcodeCases: "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket
// Connection_" (section 5.2).
func opcodeCases() (cases []conformance) {
	const rfc = "5.2: an unknown opcode fails the connection"
	for _, op := range []transporttest.Opcode{3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF} {
		f := wire{Opcode: op}
		full := wire{Opcode: op, Payload: []byte("hello")}
		more := wire{Opcode: op, Payload: []byte("hello"), More: true}
		cases = append(cases,
			failed(fmt.Sprintf("opcode %X, empty", op), rfc, bytesOf(f)),
			failed(fmt.Sprintf("opcode %X with payload", op), rfc, bytesOf(full)),
			failed(fmt.Sprintf("opcode %X, first fragment", op), rfc, bytesOf(more)),
			failed(fmt.Sprintf("opcode %X between fragments", op), rfc,
				bytesOf(between(transporttest.Fragments(wireText, "{", "}"), f)...)),
		)
	}
	return append(cases,
		failed("a valid message behind an unknown opcode", rfc, bytesOf(wire{Opcode: 3}, textFrame(echo("late", 0)))),
		failed("200 pings behind an unknown opcode", rfc,
			append(bytesOf(wire{Opcode: 3}), bytes.Repeat(bytesOf(wire{Opcode: wirePing}), 200)...)),
		answered("opcode 1", "5.6: text", bytesOf(textFrame(echo("x", 0))), `echo "x"`),
		answered("opcode 9", "5.5.2: a ping is answered with a pong", bytesOf(wire{Opcode: wirePing}), `pong ""`),
		answered("opcode A", "5.5.3: an unsolicited pong is not answered", bytesOf(wire{Opcode: wirePong})),
		answered("opcode 8", "5.5.1: a close frame is answered with a close frame", bytesOf(wire{Opcode: wireClose}), "close"),
	)
}

// reservedBitCases: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero
// values. If a nonzero value is received and none of the negotiated extensions defines the meaning
// of such a nonzero value, the receiving endpoint MUST _Fail the WebSocket Connection_" (section
// 5.2).
func reservedBitCases() (cases []conformance) {
	const rfc = "5.2: a reserved bit without an extension fails the connection"
	for bits := byte(1); bits < 8; bits++ {
		r := bits << 4
		first := wire{Opcode: wireText, More: true, Payload: []byte("{")}
		for _, f := range []struct {
			name   string
			frames []wire
		}{
			{"text", []wire{{Opcode: wireText, Payload: echo("x", 0), Reserved: r}}},
			{"empty text", []wire{{Opcode: wireText, Reserved: r}}},
			{"binary", []wire{{Opcode: wireBinary, Payload: []byte{1}, Reserved: r}}},
			{"continuation", []wire{first, {Opcode: wireContinuation, Payload: []byte("}"), Reserved: r}}},
			{"ping", []wire{{Opcode: wirePing, Reserved: r}}},
			{"pong", []wire{{Opcode: wirePong, Reserved: r}}},
			{"close", []wire{{Opcode: wireClose, Payload: transporttest.ClosePayload(1000, ""), Reserved: r}}},
		} {
			cases = append(cases, failed(fmt.Sprintf("%03b in %s", bits, f.name), rfc, bytesOf(f.frames...)))
		}
	}
	return cases
}

// maskingCases: "The server MUST close the connection upon receiving a frame that is not masked."
// (section 5.1), and the algorithm of section 5.3.
func maskingCases() (cases []conformance) {
	const rfc = "5.1: a frame that is not masked closes the connection"
	first := wire{Opcode: wireText, More: true, Payload: []byte("{")}
	for _, f := range []struct {
		name   string
		frames []wire
	}{
		{"text", []wire{{Opcode: wireText, Payload: echo("x", 0), Unmasked: true}}},
		{"empty text", []wire{{Opcode: wireText, Unmasked: true}}},
		{"long text", []wire{{Opcode: wireText, Payload: echo("x", 300), Unmasked: true}}},
		{"binary", []wire{{Opcode: wireBinary, Payload: []byte{1}, Unmasked: true}}},
		{"binary of 65536 bytes", []wire{{Opcode: wireBinary, Payload: make([]byte, 65536), Unmasked: true}}},
		{"first fragment", []wire{{Opcode: wireText, More: true, Payload: []byte("{"), Unmasked: true}}},
		{"continuation", []wire{first, {Opcode: wireContinuation, Payload: []byte("}"), Unmasked: true}}},
		{"ping", []wire{{Opcode: wirePing, Payload: []byte("p"), Unmasked: true}}},
		{"empty ping", []wire{{Opcode: wirePing, Unmasked: true}}},
		{"ping between fragments", []wire{first, {Opcode: wirePing, Unmasked: true}}},
		{"pong", []wire{{Opcode: wirePong, Unmasked: true}}},
		{"close", []wire{{Opcode: wireClose, Payload: transporttest.ClosePayload(1000, "bye"), Unmasked: true}}},
		{"empty close", []wire{{Opcode: wireClose, Unmasked: true}}},
		{"masked text behind an unmasked one", []wire{{Opcode: wireText, Payload: echo("x", 0), Unmasked: true}, textFrame(echo("y", 0))}},
	} {
		cases = append(cases, failed("unmasked "+f.name, rfc, bytesOf(f.frames...)))
	}
	cases = append(cases,
		failed("100 unmasked pings", rfc, bytes.Repeat(bytesOf(wire{Opcode: wirePing, Unmasked: true}), 100)),
		failed("the header of an unmasked frame", rfc, bytesOf(wire{Opcode: wireText, Payload: []byte("x"), Unmasked: true})[:2]),
	)

	const key = "5.3: any masking key is valid"
	for _, mask := range [][4]byte{{1}, {0, 0, 0, 1}, {0xFF, 0xFF, 0xFF, 0xFF}, {0x80, 0x7F, 0x00, 0xFE}, {'{', '"', 't', 'y'}} {
		cases = append(cases, answered(fmt.Sprintf("key %x", mask), key,
			bytesOf(wire{Opcode: wireText, Payload: echo("masked", 0), Mask: mask}), `echo "masked"`))
	}
	for n := range 9 { // each remainder of the division by four
		id := "abcdefghi"[:n+1]
		cases = append(cases, answered(fmt.Sprintf("text with %d more bytes", n), "5.3: the key is repeated over the payload",
			bytesOf(textFrame(echo(id, 0))), fmt.Sprintf("echo %q", id)))
	}
	return append(cases,
		answered("key of zeros, text", key, bytesOf(wire{Opcode: wireText, Payload: echo("z", 0), ZeroMask: true}), `echo "z"`),
		answered("key of zeros, ping", key, bytesOf(wire{Opcode: wirePing, Payload: []byte("z"), ZeroMask: true}), `pong "z"`),
		answered("key of zeros, close", key, bytesOf(wire{Opcode: wireClose, Payload: transporttest.ClosePayload(1000, ""), ZeroMask: true}), `close 1000 ""`),
		answered("another key in each fragment", "5.3: each frame has its own key", bytesOf(
			wire{Opcode: wireText, More: true, Payload: echo("m", 0)[:10], Mask: [4]byte{9, 8, 7, 6}},
			wire{Opcode: wireContinuation, More: true, Payload: echo("m", 0)[10:15], ZeroMask: true},
			wire{Opcode: wireContinuation, Payload: echo("m", 0)[15:]}), `echo "m"`),
	)
}
