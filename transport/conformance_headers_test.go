package transport_test

import (
	"bytes"
	"fmt"
	"strings"
)

// subprotocolCases: the server selects one of the offered subprotocols, or none (section 4.2.2). A
// client that offers some fails the connection if the server selects none, so the server refuses a
// request that does not offer planrooms.v1.
func subprotocolCases() (cases []handshakeCase) {
	const rfc = "4.2.1 item 8, 4.2.2 item 5: one of the subprotocols offered"
	const refused = "400 a client that offers subprotocols must offer planrooms.v1, also beside a token"
	offer := func(values ...string) func(string) string {
		var lines []string
		for _, v := range values {
			lines = append(lines, "Sec-WebSocket-Protocol: "+v)
		}
		return more(lines...)
	}
	bearer := subprotocolOf(tokenOf("ann"))
	for _, o := range []struct {
		name  string
		lines []string
	}{
		{"alone", []string{"planrooms.v1"}},
		{"first", []string{"planrooms.v1, chat"}},
		{"last", []string{"chat, superchat, planrooms.v1"}},
		{"without spaces", []string{"chat,planrooms.v1,x"}},
		{"with tabs", []string{"chat\t,\tplanrooms.v1\t"}},
		{"with empty elements", []string{", ,planrooms.v1,,"}},
		{"first line", []string{"planrooms.v1", "chat"}},
		{"second line", []string{"chat", "planrooms.v1"}},
		{"an empty line before it", []string{"", "planrooms.v1"}},
		{"twice", []string{"planrooms.v1, planrooms.v1"}},
		{"beside a later version", []string{"planrooms.v2, planrooms.v1"}},
		{"beside a token", []string{"planrooms.v1, " + bearer}},
		{"behind a token", []string{bearer + ", planrooms.v1"}},
		{"and a token in another line", []string{bearer, "planrooms.v1"}},
		{"among 100", []string{strings.Repeat("chat, ", 99) + "planrooms.v1"}},
	} {
		cases = append(cases, handshakeCase{name: "subprotocol " + o.name, rfc: rfc, edit: offer(o.lines...), want: []string{"101 planrooms.v1"}})
	}
	for _, o := range []struct {
		name  string
		lines []string
	}{
		{"another", []string{"chat"}},
		{"others", []string{"chat, superchat", "mqtt"}},
		{"in another case", []string{"Planrooms.v1"}},
		{"as a part of another", []string{"planrooms.v10"}},
		{"of a later version", []string{"planrooms.v2"}},
		{"quoted", []string{`"planrooms.v1"`}},
		{"with a parameter", []string{"planrooms.v1;q=1"}},
		{"separated by a space", []string{"chat planrooms.v1"}},
		{"token alone", []string{bearer}},
		{"token beside another", []string{"chat, " + bearer}},
	} {
		cases = append(cases, denied("subprotocol "+o.name, rfc, offer(o.lines...), refused))
	}
	return append(cases,
		upgraded("no subprotocol", "4.2.2 item 5: none is selected", nil),
		upgraded("empty subprotocol", "4.2.2 item 5: none is selected", offer("")),
		upgraded("empty elements as subprotocols", "4.2.2 item 5: none is selected", offer(", ,")),
	)
}

// extensionCases: the server accepts no extension (section 9.1), and must not send one that the
// client has not offered. The test client treats every extension in the answer as a violation.
func extensionCases() (cases []handshakeCase) {
	const rfc = "9.1: a server may ignore extensions"
	for _, v := range []string{
		"", "permessage-deflate", "permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits=10; client_no_context_takeover, permessage-deflate",
		"x-webkit-deflate-frame", "foo, bar; baz=2", `foo; bar="baz"`, "permessage-deflate; ; =, ,", ";", "permessage-deflate; client_max_window_bits=99999999999",
	} {
		cases = append(cases, upgraded(fmt.Sprintf("extensions %q", v), rfc, more("Sec-WebSocket-Extensions: "+v)))
	}
	return append(cases, upgraded("extensions in two lines", rfc, more("Sec-WebSocket-Extensions: foo", "Sec-WebSocket-Extensions: permessage-deflate")))
}

// bodyCases: an upgrade has no body, because bytes after its header are frames.
func bodyCases() []handshakeCase {
	const rfc = "4.2.1: a GET request; what follows it are frames"
	const refused = "400 an upgrade has no body"
	with := func(body string, lines ...string) func(string) string {
		return func(request string) string { return more(lines...)(request) + body }
	}
	return []handshakeCase{
		upgraded("Content-Length: 0", rfc, with("", "Content-Length: 0")),
		denied("body", rfc, with("hello", "Content-Length: 5"), refused),
		denied("body that looks like a frame", rfc, with("\x89\x80\x00\x00\x00\x00", "Content-Length: 6"), refused),
		denied("chunked body", rfc, with("5\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), refused),
		denied("empty chunked body", rfc, with("0\r\n\r\n", "Transfer-Encoding: chunked"), refused),
		denied("body and Expect", rfc, with("hello", "Content-Length: 5", "Expect: 100-continue"), refused),
		denied("Content-Length not a number", "RFC 9112 section 6.3", with("", "Content-Length: x"), "400"),
		denied("negative Content-Length", "RFC 9112 section 6.3", with("", "Content-Length: -1"), "400"),
		denied("two Content-Lengths", "RFC 9112 section 6.3", with("", "Content-Length: 0", "Content-Length: 5"), "400"),
		denied("unknown Transfer-Encoding", "RFC 9112 section 6.1", with("", "Transfer-Encoding: gzip"), "501"),
		upgraded("Expect: 100-continue without a body", "RFC 9110 section 10.1.1", more("Expect: 100-continue")),
		denied("unknown expectation", "RFC 9110 section 10.1.1", more("Expect: 200-ok"), "417"),
	}
}

// headerFormCases test HTTP syntax: field names are case-insensitive, and lines have one form (RFC
// 9110 section 5.1, RFC 9112 section 5).
func headerFormCases() []handshakeCase {
	const rfc = "4.2.1; RFC 9110 section 5.1: names of header fields have no case"
	const form = "4.2.1; RFC 9112 sections 2 and 5: the form of a request"
	names := func(change func(string) string) func(string) string {
		return func(request string) string {
			lines := strings.Split(request, "\r\n")
			for i, l := range lines[1:] {
				if name, value, ok := strings.Cut(l, ":"); ok {
					lines[i+1] = change(name) + ":" + value
				}
			}
			return strings.Join(lines, "\r\n")
		}
	}
	return []handshakeCase{
		upgraded("names in lower case", rfc, names(strings.ToLower)),
		upgraded("names in upper case", rfc, names(strings.ToUpper)),
		upgraded("names in mixed case", rfc, names(func(s string) string { return strings.ToLower(s[:1]) + strings.ToUpper(s[1:]) })),
		upgraded("no space behind the colon", form, func(r string) string { return strings.ReplaceAll(r, ": ", ":") }),
		upgraded("white space around the values", form, func(r string) string {
			return strings.ReplaceAll(strings.ReplaceAll(r, ": ", ": \t "), "13\r\n", "13 \t\r\n")
		}),
		upgraded("unknown fields", form, more("X-Forwarded-For: 127.0.0.1", "DNT: 1", "Pragma: no-cache")),
		upgraded("lines that end with LF", form, func(r string) string { return strings.ReplaceAll(r, "\r\n", "\n") }),
		denied("space before a colon", form, replace("Upgrade:", "Upgrade :"), "400"),
		denied("folded line", form, replace("Sec-WebSocket-Key: ", "Sec-WebSocket-Key:\r\n : "), "400"),
		denied("line without a colon", form, more("nonsense"), "400"),
		denied("NUL in a value", form, more("X: a\x00b"), "400"),
		denied("control character in a value", form, more("X: a\x01b"), "400"),
		denied("space in a name", form, more("X Y: z"), "400"),
		denied("empty name", form, more(": z"), "400"),
		denied("name that is not ASCII", form, more("Ü: z"), "400"),
	}
}

// headerSizeCases: net/http accepts headers of up to 1 MiB, and a token may have up to 8 KiB.
func headerSizeCases() []handshakeCase {
	const rfc = "4.2.1; 10.4: limits of the implementation"
	many := make([]string, 500)
	for i := range many {
		many[i] = fmt.Sprintf("X-Field-%d: %d", i, i)
	}
	token := func(n int) func(string) string {
		return line("Authorization", "Authorization: Bearer "+tokenOf(strings.Repeat("u", n-len(tokenOf("")))))
	}
	return []handshakeCase{
		upgraded("field of 4 KiB", rfc, more("Cookie: a="+strings.Repeat("x", 4<<10))),
		upgraded("field of 64 KiB", rfc, more("Cookie: a="+strings.Repeat("x", 64<<10))),
		upgraded("field of 1,000,000 bytes", rfc, more("Cookie: a="+strings.Repeat("x", 1_000_000))),
		upgraded("500 fields", rfc, more(many...)),
		denied("header of more than 1 MiB", rfc, more("Cookie: a="+strings.Repeat("x", 1<<20+4<<10)), "431"),
		denied("token of 8 KiB and one byte", rfc, token(8<<10+1), "401 unauthorized", "WWW-Authenticate: Bearer"),
		denied("no token", rfc, line("Authorization"), "401 unauthorized", "WWW-Authenticate: Bearer"),
		denied("empty token", rfc, line("Authorization", "Authorization: Bearer "), "401 unauthorized", "WWW-Authenticate: Bearer"),
	}
}

// pipelinedCases send frames in one write with the request. A client may send frames only after the
// answer (section 4.1), but the server must not lose early bytes.
func pipelinedCases() (cases []handshakeCase) {
	const rfc = "4.2.2: the connection is open when the answer has been sent"
	text, ping := bytesOf(textFrame(echo("early", 0))), bytesOf(wire{Opcode: wirePing, Payload: []byte("early")})
	got := `echo "early"`
	for _, p := range []struct {
		name  string
		bytes []byte
		then  []string
	}{
		{"a text", text, []string{got}},
		{"three texts", bytes.Repeat(text, 3), []string{got, got, got}},
		{"a text of 3,000 bytes", bytesOf(textFrame(echo("early", 3000))), []string{got}},
		{"a text of 5,000 bytes", bytesOf(textFrame(echo("early", 5000))), []string{got}},
		{"the largest text", bytesOf(textFrame(echo("early", 32768))), []string{got}},
		{"a fragmented text", bytesOf(cut(echo("early", 0), 3, 9)...), []string{got}},
		{"a ping", ping, []string{`pong "early"`}},
		{"a close frame", bytesOf(closeFrame(1000, "")), []string{`close 1000 ""`}},
		{"a text and a close frame without code", bytesOf(wire{Opcode: wireClose}), []string{"close"}},
		{"a reserved opcode", bytesOf(wire{Opcode: 3}), protocolError},
		{"an unmasked frame", bytesOf(wire{Opcode: wireText, Unmasked: true}), protocolError},
		{"a binary message", bytesOf(wire{Opcode: wireBinary}), notSupported},
		{"the largest text and one byte", bytesOf(textFrame(echo("early", 32769))), tooBig},
	} {
		cases = append(cases, handshakeCase{name: p.name + " behind the request", rfc: rfc, early: p.bytes, want: []string{"101"}, then: p.then})
	}
	return cases
}
