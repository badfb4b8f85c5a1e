package transport_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// closeCodeCases: "When sending a Close frame in response, the endpoint typically echos the status
// code it received" (section 5.5.1), for the codes that section 7.4 allows on the wire and IANA has
// registered since.
func closeCodeCases() (cases []conformance) {
	const valid = "5.5.1, 7.4: the code is echoed"
	const invalid = "7.4: a code that must not be on the wire fails the connection"
	for _, code := range []uint16{1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4401, 4503, 4999} {
		echoed := fmt.Sprintf(`close %d ""`, code)
		cases = append(cases,
			answered(fmt.Sprint(code), valid, bytesOf(closeFrame(code, "")), echoed),
			answered(fmt.Sprintf("%d with a reason", code), valid, bytesOf(closeFrame(code, "because")), echoed))
	}
	for _, code := range []uint16{0, 1, 999, 1004, 1006, 1015, 1016, 1099, 1100, 1999, 2000, 2999, 5000, 5001, 65535} {
		cases = append(cases,
			failed(fmt.Sprint(code), invalid, bytesOf(closeFrame(code, ""))),
			failed(fmt.Sprintf("%d with a reason", code), invalid, bytesOf(closeFrame(code, "because"))))
	}
	noStatus := wire{Opcode: wireClose, Payload: []byte{0x03, 0xED}}
	return append(cases,
		failed("1005", invalid, bytesOf(noStatus)),
		answered("1002", "7.1.7: the server has failed the connection with the same code", bytesOf(closeFrame(1002, "you")), protocolError...),
		answered("no code", "5.5.1: the answer has no code either", bytesOf(wire{Opcode: wireClose}), "close"),
		failed("half a code", "5.5.1: if there is a body, its first two bytes are the code", bytesOf(wire{Opcode: wireClose, Payload: []byte{3}})),
		failed("half a code, zero", "5.5.1: if there is a body, its first two bytes are the code", bytesOf(wire{Opcode: wireClose, Payload: []byte{0}})),
	)
}

// closingCases test sections 5.5.1, 7.1 and 1.4.
func closingCases() (cases []conformance) {
	const (
		answer = "5.5.1: a close frame is answered with one, and the TCP connection is closed"
		reason = "5.5.1: the reason is UTF-8"
		after  = "1.4, 5.5.1: data after a close frame is ignored"
		ours   = "5.5.1: no more frames after the server's close frame, and one close frame only"
		both   = "7.1.1: the server closes TCP when both close frames are there, or after a time"
	)
	bye := bytesOf(closeFrame(1000, "bye"))
	text := bytesOf(textFrame(echo("late", 0)))
	binary := bytesOf(wire{Opcode: wireBinary, Payload: []byte{1}})
	ping := bytesOf(wire{Opcode: wirePing, Payload: []byte("late")})
	for _, r := range []struct {
		name, text string
		valid      bool
	}{
		{"reason of one byte", "x", true},
		{"longest reason", strings.Repeat("x", 123), true},
		{"reason of runes", "κόσμε 😀", true},
		{"reason with NUL", "\x00", true},
		{"reason not UTF-8", "\xff", false},
		{"reason with a surrogate", "\xed\xa0\x80", false},
		{"reason cut inside a rune", strings.Repeat("x", 121) + "\xe2\x82", false},
		{"reason with an overlong byte", "\xc0\x80", false},
	} {
		want := []string{`close 1000 ""`}
		if !r.valid {
			want = []string{`close 1007 "text is not valid UTF-8"`}
		}
		cases = append(cases, answered(r.name, reason, bytesOf(closeFrame(1000, r.text)), want...))
	}
	for _, late := range []struct {
		name  string
		bytes []byte
	}{
		{"text", text},
		{"a ping", ping},
		{"300 pings", bytes.Repeat(ping, 300)},
		{"200 empty fragments", bytes.Repeat(bytesOf(wire{Opcode: wireContinuation, More: true}), 200)},
		{"binary", binary},
		{"a close frame", bytesOf(closeFrame(1001, ""))},
		{"a close frame without code", bytesOf(wire{Opcode: wireClose})},
		{"an unmasked frame", bytesOf(wire{Opcode: wireText, Unmasked: true})},
		{"a reserved opcode", bytesOf(wire{Opcode: 3})},
		{"half a frame", text[:7]},
		{"bytes that are not frames", []byte("GET / HTTP/1.1\r\n\r\n")},
		{"100,000 bytes", bytes.Repeat([]byte{0xFF}, 100_000)},
	} {
		cases = append(cases, answered("then "+late.name, after, append(bytes.Clone(bye), late.bytes...), `close 1000 ""`))
	}
	for _, end := range []struct {
		name  string
		bytes []byte
		want  []string
	}{
		{"1003", binary, notSupported},
		{"1007", bytesOf(textFrame([]byte("\xff"))), notUTF8},
		{"1009", bytesOf(textFrame(echo("", 40_000))), tooBig},
		{"1002", bytesOf(wire{Opcode: 3}), protocolError},
	} {
		closed := step{send: end.bytes, want: end.want}
		cases = append(cases,
			conformance{"pings after the server's " + end.name, ours, []step{closed, {send: bytes.Repeat(ping, 5)}}},
			conformance{"text after the server's " + end.name, ours, []step{closed, {send: text}}},
			conformance{"binary after the server's " + end.name, ours, []step{closed, {send: binary}}},
			conformance{"broken framing after the server's " + end.name, ours, []step{closed, {send: bytesOf(wire{Opcode: 3})}}},
			conformance{"late answer to the server's " + end.name, both, []step{closed, {send: slices.Concat(ping, text, bye)}}},
			conformance{"two answers to the server's " + end.name, both, []step{closed, {send: slices.Concat(bye, bye)}}},
			conformance{"invalid answer to the server's " + end.name, both, []step{closed, {send: bytesOf(closeFrame(1005, ""), closeFrame(1006, ""))}}},
			conformance{"end of the stream after the server's " + end.name, both, []step{closed, {half: true}}},
			conformance{"half a frame, and the end of the stream, after the server's " + end.name, both, []step{closed, {send: text[:7], half: true}}},
		)
	}
	return append(cases,
		answered("close", answer, bye, `close 1000 ""`),
		conformance{"close after a text and its answer", answer, []step{{send: text, want: []string{`echo "late"`}}, {send: bye, want: []string{`close 1000 ""`}}}},
		conformance{"close in two parts", answer, []step{{send: bye[:3]}, {send: bye[3:], want: []string{`close 1000 ""`}}}},
		conformance{"header and payload of a close apart", answer, []step{{send: bye[:6]}, {send: bye[6:], want: []string{`close 1000 ""`}}}},
		conformance{"close behind half a message", answer, []step{{send: bytesOf(cut(echo("x", 0), 5)[0], closeFrame(1000, "")), want: []string{`close 1000 ""`}}}},
		failed("invalid code and a reason that is not UTF-8", "7.4", bytesOf(closeFrame(999, "\xff"))),
	)
}

// endCases end the sending direction of the client. If TCP is closed without a close frame, the
// code is 1006 (section 7.1.5), and the server must close too.
func endCases() (cases []conformance) {
	const rfc = "7.1.5, 7.2.1: the end of the stream without a close frame"
	gone := []string{"gone"}
	text, ping := bytesOf(textFrame(echo("x", 0))), bytesOf(wire{Opcode: wirePing, Payload: []byte("ping")})
	long := bytesOf(textFrame(echo("x", 1000)))
	fragments := bytesOf(cut(echo("x", 0), 5)...)
	bye := bytesOf(closeFrame(1000, "bye"))
	for _, part := range []struct {
		name  string
		bytes []byte
	}{
		{"at the start", nil},
		{"in the first byte of a frame", text[:1]},
		{"before the key", text[:2]},
		{"in the key", text[:4]},
		{"before the payload", text[:6]},
		{"in the payload", text[:10]},
		{"before the last byte", text[:len(text)-1]},
		{"in an extended length", long[:3]},
		{"behind an extended length", long[:4]},
		{"in a long payload", long[:500]},
		{"between fragments", fragments[:11]},
		{"in the second fragment", fragments[:13]},
		{"in the header of a ping", ping[:3]},
		{"in a ping", ping[:8]},
		{"in a ping between fragments", append(bytes.Clone(fragments[:11]), ping[:8]...)},
		{"in a close frame", bye[:7]},
		{"in a close frame before its payload", bye[:6]},
	} {
		cases = append(cases, conformance{part.name, rfc, []step{{send: part.bytes, half: true, want: gone}}})
	}
	return append(cases,
		conformance{"after a message and its answer", rfc, []step{{send: text, want: []string{`echo "x"`}}, {half: true, want: gone}}},
		conformance{"after a ping and its answer", rfc, []step{{send: ping, want: []string{`pong "ping"`}}, {half: true, want: gone}}},
		conformance{"behind a close frame", "5.5.1: the close frame is answered", []step{{send: bye, half: true, want: []string{`close 1000 ""`}}}},
		conformance{"behind a close frame and half another", "5.5.1: the close frame is answered", []step{{send: append(bytes.Clone(bye), text[:5]...), half: true, want: []string{`close 1000 ""`}}}},
		conformance{"behind broken framing", "7.1.7: the server sends a close frame", []step{{send: bytesOf(wire{Opcode: 3}), half: true, want: protocolError}}},
		conformance{"behind a binary message", "7.1.7: the server sends a close frame", []step{{send: bytesOf(wire{Opcode: wireBinary}), half: true, want: notSupported}}},
		conformance{"after a close frame in parts", "5.5.1: the close frame is answered", []step{{send: bye[:4]}, {send: bye[4:], half: true, want: []string{`close 1000 ""`}}}},
	)
}
