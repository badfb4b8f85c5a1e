package transport_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/planrooms/planrooms/transport/transporttest"
)

// cut returns a message in fragments that end at the given offsets.
func cut(message []byte, at ...int) []wire {
	var parts []string
	from := 0
	for _, i := range append(at, len(message)) {
		parts, from = append(parts, string(message[from:i])), i
	}
	return transporttest.Fragments(wireText, parts...)
}

// fragmentationCases test section 5.4.
func fragmentationCases() (cases []conformance) {
	const (
		valid = "5.4: fragments make one message"
		order = "5.4: the fragments of a message must not be interleaved with another message"
		start = "5.4: a continuation frame continues a message"
		inner = "5.4: control frames may be injected in the middle of a fragmented message"
		whole = "5.5: control frames must not be fragmented"
	)
	m := echo("fragments", 0)
	ping := wire{Opcode: wirePing, Payload: []byte("between")}
	pong := wire{Opcode: wirePong, Payload: []byte("between")}
	got := `echo "fragments"`
	every := make([]int, len(m)-1) // a fragment for each byte
	for i := range every {
		every[i] = i + 1
	}
	for n := range 9 {
		cases = append(cases, answered(fmt.Sprintf("cut behind byte %d", n), valid, bytesOf(cut(m, n)...), got))
	}
	last := []wire{{Opcode: wireContinuation}}
	return append(cases,
		answered("three fragments", valid, bytesOf(cut(m, 5, 10)...), got),
		answered("five fragments", valid, bytesOf(cut(m, 3, 9, 17, 20)...), got),
		answered("a fragment for each byte", valid, bytesOf(cut(m, every...)...), got),
		answered("empty first fragment", valid, bytesOf(cut(m, 0)...), got),
		answered("empty fragment in the middle", valid, bytesOf(cut(m, 7, 7)...), got),
		answered("empty last fragment", valid, bytesOf(cut(m, len(m))...), got),
		answered("three empty fragments in the middle", valid, bytesOf(cut(m, 7, 7, 7, 7)...), got),
		answered("empty fragments only", valid, bytesOf(transporttest.Fragments(wireText, "", "", "")...), "error bad_message"),
		answered("two messages", valid, bytesOf(append(cut(m, 5), cut(m, 9)...)...), got, got),
		answered("a whole message, a fragmented one, a whole one", valid, bytesOf(slices.Concat([]wire{textFrame(m)}, cut(m, 5), []wire{textFrame(m)})...), got, got, got),
		answered("long fragments", valid, bytesOf(cut(echo("fragments", 3000), 1000, 2126)...), got),
		answered("fragments of 125, 126 and 127 bytes", valid, bytesOf(cut(echo("fragments", 500), 125, 251, 378)...), got),

		conformance{"ping between fragments", inner, []step{
			{send: bytesOf(cut(m, 5)[0], ping), want: []string{`pong "between"`}},
			{send: bytesOf(cut(m, 5)[1]), want: []string{got}},
		}},
		conformance{"ping between all fragments", inner, []step{
			{send: bytesOf(cut(m, 5, 9)[0], ping), want: []string{`pong "between"`}},
			{send: bytesOf(cut(m, 5, 9)[1], ping), want: []string{`pong "between"`}},
			{send: bytesOf(cut(m, 5, 9)[2]), want: []string{got}},
		}},
		conformance{"ping between empty fragments", inner, []step{
			{send: bytesOf(cut(m, 0)[0], ping), want: []string{`pong "between"`}},
			{send: bytesOf(cut(m, 0)[1]), want: []string{got}},
		}},
		conformance{"ping of 125 bytes between fragments", inner, []step{
			{send: bytesOf(cut(m, 5)[0], wire{Opcode: wirePing, Payload: bytes.Repeat([]byte("p"), 125)}), want: []string{fmt.Sprintf("pong %q", strings.Repeat("p", 125))}},
			{send: bytesOf(cut(m, 5)[1]), want: []string{got}},
		}},
		answered("pong between fragments", inner, bytesOf(between(cut(m, 5), pong)...), got),
		answered("two pongs between fragments", inner, bytesOf(between(cut(m, 5), pong, pong)...), got),
		answered("close between fragments", inner+"; 5.5.1", bytesOf(between(cut(m, 5), closeFrame(1001, "bye"))...), `close 1001 ""`),
		answered("close after the first fragment", "5.5.1: a close frame is answered", bytesOf(cut(m, 5)[0], closeFrame(1000, "")), `close 1000 ""`),
		failed("broken ping between fragments", inner, bytesOf(between(cut(m, 5), wire{Opcode: wirePing, Payload: make([]byte, 126)})...)),

		failed("text inside a message", order, bytesOf(between(cut(m, 5), textFrame(m))...)),
		failed("empty text inside a message", order, bytesOf(between(cut(m, 5), textFrame(nil))...)),
		failed("binary inside a message", order, bytesOf(between(cut(m, 5), wire{Opcode: wireBinary})...)),
		failed("first fragment inside a message", order, bytesOf(between(cut(m, 5), cut(m, 5)[0])...)),
		failed("text after a first fragment and a ping", order, bytesOf(cut(m, 5)[0], pong, textFrame(m))),
		failed("continuation first", start, bytesOf(wire{Opcode: wireContinuation, Payload: m})),
		failed("empty continuation first", start, bytesOf(last...)),
		failed("continuation first, not the last", start, bytesOf(wire{Opcode: wireContinuation, More: true, Payload: m})),
		failed("continuation after a ping", start, bytesOf(pong, last[0])),
		failed("a ping does not begin a message", start, bytesOf(pong, wire{Opcode: wireContinuation, Payload: m})),
		conformance{"continuation after a whole message", start, []step{
			{send: bytesOf(textFrame(m)), want: []string{got}}, {send: bytesOf(last...), want: protocolError},
		}},
		conformance{"continuation after the last fragment", start, []step{
			{send: bytesOf(cut(m, 5)...), want: []string{got}}, {send: bytesOf(last...), want: protocolError},
		}},
		failed("fragmented ping", whole, bytesOf(wire{Opcode: wirePing, More: true, Payload: []byte("p")}, wire{Opcode: wireContinuation, Payload: []byte("q")})),
		failed("fragmented empty ping", whole, bytesOf(wire{Opcode: wirePing, More: true})),
		failed("fragmented pong", whole, bytesOf(wire{Opcode: wirePong, More: true})),
		failed("fragmented close", whole, bytesOf(wire{Opcode: wireClose, More: true, Payload: transporttest.ClosePayload(1000, "")})),
		failed("fragmented ping between fragments", whole, bytesOf(between(cut(m, 5), wire{Opcode: wirePing, More: true})...)),
		failed("first byte of a fragmented ping", whole, bytesOf(wire{Opcode: wirePing, More: true})[:1]),
	)
}

// utf8Cases: "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte
// stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail the WebSocket
// Connection_." (section 8.1). The stream is that of the message: a rune may be split between
// fragments (section 5.6).
func utf8Cases() (cases []conformance) {
	const valid = "8.1, RFC 3629: valid UTF-8"
	const invalid = "8.1: text that is not UTF-8 fails the connection with 1007"
	for _, r := range []struct{ name, text string }{
		{"two bytes", "é"},
		{"words", "κόσμε"},
		{"U+00A0", "\u00a0"},
		{"U+07FF", "\u07ff"},
		{"U+0800", "\u0800"},
		{"U+D7FF, before the surrogates", "\ud7ff"},
		{"U+E000, after the surrogates", "\ue000"},
		{"U+FFFD, the replacement character", "\ufffd"},
		{"U+FFFE, not a character", "\ufffe"},
		{"U+FFFF, not a character", "\uffff"},
		{"U+FEFF, a byte order mark", "\ufeff"},
		{"U+10000", "\U00010000"},
		{"U+1FFFF, not a character", "\U0001ffff"},
		{"U+10FFFF, the last", "\U0010ffff"},
		{"emoji of several runes", "👩\u200d👩\u200d👧"},
		{"combining marks", "a\u0301\u0323"},
		{"right to left", "\u202eשלום"},
		{"private use", "\ue000\uf8ff"},
	} {
		m := echo(r.text, 0)
		want := fmt.Sprintf("echo %q", r.text)
		cases = append(cases, answered(r.name, valid, bytesOf(textFrame(m)), want))
		inside := strings.Index(string(m), r.text) + 1 // between the bytes of the rune
		cases = append(cases, answered(r.name+", split between fragments", "5.6, 8.1: only whole messages must be UTF-8", bytesOf(cut(m, inside)...), want))
	}
	runes := echo("é€😀", 0)
	at := strings.Index(string(runes), "é")
	for i := range len("é€😀") {
		cases = append(cases, conformance{fmt.Sprintf("runes cut behind byte %d, a ping between", i+1), "5.4, 5.6: control frames do not end a rune", []step{
			{send: bytesOf(cut(runes, at+i+1)[0], wire{Opcode: wirePing, Payload: []byte("\xff")}), want: []string{`pong "\xff"`}},
			{send: bytesOf(cut(runes, at+i+1)[1]), want: []string{`echo "é€😀"`}},
		}})
	}
	for _, b := range []struct{ name, text string }{
		{"0x80 alone", "\x80"},
		{"0xBF alone", "\xbf"},
		{"two continuation bytes", "\x80\xbf"},
		{"six continuation bytes", "\x80\xbf\x80\xbf\x80\xbf"},
		{"0xFE", "\xfe"},
		{"0xFF", "\xff"},
		{"UTF-16", "\xff\xfeA\x00"},
		{"overlong NUL in two bytes", "\xc0\x80"},
		{"overlong slash in two bytes", "\xc0\xaf"},
		{"overlong U+007F", "\xc1\xbf"},
		{"overlong slash in three bytes", "\xe0\x80\xaf"},
		{"overlong U+07FF", "\xe0\x9f\xbf"},
		{"overlong slash in four bytes", "\xf0\x80\x80\xaf"},
		{"overlong U+FFFF", "\xf0\x8f\xbf\xbf"},
		{"overlong in five bytes", "\xf8\x87\xbf\xbf\xbf"},
		{"overlong in six bytes", "\xfc\x83\xbf\xbf\xbf\xbf"},
		{"first surrogate U+D800", "\xed\xa0\x80"},
		{"surrogate U+DB7F", "\xed\xad\xbf"},
		{"surrogate U+DC00", "\xed\xb0\x80"},
		{"last surrogate U+DFFF", "\xed\xbf\xbf"},
		{"pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80"},
		{"above U+10FFFF", "\xf4\x90\x80\x80"},
		{"U+1FFFFF", "\xf7\xbf\xbf\xbf"},
		{"five bytes", "\xf8\x88\x80\x80\x80"},
		{"six bytes", "\xfc\x84\x80\x80\x80\x80"},
		{"two bytes without the second", "\xc3"},
		{"three bytes without the third", "\xe2\x82"},
		{"four bytes without the fourth", "\xf0\x9f\x98"},
		{"second byte not a continuation", "\xc3\x28"},
		{"third byte not a continuation", "\xe2\x82\x28"},
		{"fourth byte not a continuation", "\xf0\x9f\x98\x28"},
		{"one bad byte among good runes", "κόσμε\xed\xa0\x80κόσμε"},
		{"two runes, the second cut", "é\xc3"},
	} {
		m := echo(b.text, 0)
		inside := strings.Index(string(m), b.text) + 1
		cases = append(cases,
			answered(b.name, invalid, bytesOf(textFrame(m)), notUTF8...),
			answered(b.name+", split between fragments", invalid, bytesOf(cut(m, inside)...), notUTF8...))
	}
	return append(cases,
		answered("cut at the end of the message", invalid, bytesOf(textFrame([]byte("{}\xe2\x82"))), notUTF8...),
		answered("cut at the end of the last fragment", invalid, bytesOf(transporttest.Fragments(wireText, "{", "}\xe2\x82")...), notUTF8...),
		answered("a valid fragment, an invalid one", invalid, bytesOf(transporttest.Fragments(wireText, "{", "\xff", "}")...), notUTF8...),
		answered("an invalid message and a valid one", invalid, bytesOf(textFrame([]byte("\xff")), textFrame(echo("late", 0))), notUTF8...),
		answered("an invalid message and a close frame", invalid, bytesOf(textFrame([]byte("\xff")), closeFrame(1000, "")), notUTF8...),
	)
}

// binaryCases: the server accepts only text, and closes with 1003 otherwise (section 7.4.1).
func binaryCases() (cases []conformance) {
	const rfc = "7.4.1: 1003 for a kind of data that is not accepted"
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, 100_000} {
		cases = append(cases, answered(fmt.Sprintf("%d bytes", n), rfc, bytesOf(wire{Opcode: wireBinary, Payload: make([]byte, n)}), notSupported...))
	}
	return append(cases,
		answered("JSON", rfc, bytesOf(wire{Opcode: wireBinary, Payload: echo("x", 0)}), notSupported...),
		answered("two fragments", rfc, bytesOf(transporttest.Fragments(wireBinary, "a", "b")...), notSupported...),
		answered("first fragment alone", rfc, bytesOf(wire{Opcode: wireBinary, More: true}), notSupported...),
		answered("the header alone", rfc, bytesOf(wire{Opcode: wireBinary, Payload: []byte("hello")})[:6], notSupported...),
		answered("text behind it", rfc, bytesOf(wire{Opcode: wireBinary}, textFrame(echo("late", 0))), notSupported...),
		answered("a close frame behind it", rfc, bytesOf(wire{Opcode: wireBinary}, closeFrame(1000, "")), notSupported...),
		answered("broken framing behind it", rfc, bytesOf(wire{Opcode: wireBinary}, wire{Opcode: 3}), notSupported...),
		conformance{"after a text", rfc, []step{
			{send: bytesOf(textFrame(echo("x", 0))), want: []string{`echo "x"`}}, {send: bytesOf(wire{Opcode: wireBinary}), want: notSupported},
		}},
	)
}
