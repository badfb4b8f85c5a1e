package transport_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/transport/transporttest"
)

// handshakeCase is an opening handshake, and the answer that RFC 6455 section 4.2 or HTTP requires.
type handshakeCase struct {
	name  string
	rfc   string
	edit  func(request string) string
	early []byte // sent after the request, in the same write

	// want is the status, if it matters the text of a refusal or the chosen subprotocol, and then
	// header fields that the answer must have.
	want []string
	then []string // what the server does after the handshake
}

// conformingHandshakes are all cases of the handshake.
func conformingHandshakes() []handshakeCase {
	var all []handshakeCase
	for _, cases := range [][]handshakeCase{
		requestLineCases(), upgradeHeaderCases(), versionCases(), keyCases(), subprotocolCases(), extensionCases(), bodyCases(),
		headerFormCases(), headerSizeCases(), pipelinedCases(),
	} {
		all = append(all, cases...)
	}
	return all
}

func TestConformanceOfHandshakes(t *testing.T) {
	plain, secure := conformanceServers(t)
	names := map[string]bool{}
	for i, c := range conformingHandshakes() {
		if names[c.name] {
			t.Errorf("two cases are named %q", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			byHTTP := c.want[0] != "101" && !strings.Contains(c.want[0], " ")
			for _, d := range deliveries {
				if d.early || d.split != nil && byHTTP {
					// net/http may answer before it has read everything, and then cuts a client
					// that is still sending
					continue
				}
				s := plain
				if d.tls {
					s = secure
				}
				runHandshake(t, s, c, d, uint64(i))
			}
		})
	}
}

// runHandshake runs a case.
func runHandshake(t *testing.T, s *server, c handshakeCase, d delivery, seed uint64) {
	t.Helper()
	o := optionsFor(s, fmt.Sprint("hand", seed))
	size := 0
	o.Edit = func(request string) string {
		if c.edit != nil {
			request = c.edit(request)
		}
		size = len(request) + len(c.early)
		return request
	}
	if d.split != nil {
		split := d.split(seed)
		o.Split = func(b []byte) [][]byte {
			if d.most > 0 && size > 600 {
				return [][]byte{b}
			}
			return split(b)
		}
	}
	o.Early = c.early
	conn, resp, err := transporttest.Dial(s.URL+"/ws", o)
	if err != nil {
		t.Fatalf("%s (RFC 6455 section %s): %v", d.name, c.rfc, err)
	}
	defer resp.Body.Close()
	got := fmt.Sprint(resp.StatusCode)
	if conn != nil {
		defer conn.Close()
		got = strings.TrimSpace(got + " " + resp.Header.Get("Sec-WebSocket-Protocol"))
	} else if strings.Contains(c.want[0], " ") {
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatalf("%s: body: %v", d.name, err)
		}
		got += " " + strings.TrimSpace(string(text))
	}
	if got != c.want[0] {
		t.Fatalf("%s (RFC 6455 section %s): answer %q, want %q", d.name, c.rfc, got, c.want[0])
	}
	for _, field := range c.want[1:] {
		if name, value, _ := strings.Cut(field, ": "); resp.Header.Get(name) != value {
			t.Errorf("%s: answer with %s %q, want %q", d.name, name, resp.Header.Values(name), value)
		}
	}
	if conn == nil {
		return
	}
	v := &conversation{t: t, c: conn, what: d.name}
	v.wantAfterGreeting(c.then)
	if !v.closed {
		_ = conn.Send(wire{Opcode: wirePing, Payload: []byte("open")}, closeFrame(1000, ""))
		v.want(`pong "open"`, `close 1000 ""`)
	}
	v.want("EOF")
}

// line returns an edit that replaces the line of a header field with other lines, or removes it.
func line(name string, lines ...string) func(string) string {
	return func(request string) string {
		before, rest, found := strings.Cut(request, "\r\n"+name+": ")
		_, after, _ := strings.Cut(rest, "\r\n")
		if !found {
			panic("no " + name + " in " + request)
		}
		return strings.Join(append(append([]string{before}, lines...), after), "\r\n")
	}
}

// more returns an edit that adds lines to the header.
func more(lines ...string) func(string) string {
	return func(request string) string {
		return strings.TrimSuffix(request, "\r\n") + strings.Join(lines, "\r\n") + "\r\n\r\n"
	}
}

// replace returns an edit that replaces part of the request.
func replace(old, new string) func(string) string {
	return func(request string) string {
		if !strings.Contains(request, old) {
			panic("no " + old + " in " + request)
		}
		return strings.Replace(request, old, new, 1)
	}
}

// upgraded and refused are the outcomes of a case.
func upgraded(name, rfc string, edit func(string) string) handshakeCase {
	return handshakeCase{name: name, rfc: rfc, edit: edit, want: []string{"101"}}
}

func denied(name, rfc string, edit func(string) string, want ...string) handshakeCase {
	return handshakeCase{name: name, rfc: rfc, edit: edit, want: want}
}

// requestLineCases: "an HTTP/1.1 or higher GET request, including a "Request-URI"" (section 4.2.1).
func requestLineCases() (cases []handshakeCase) {
	const rfc = "4.2.1 item 1: a GET request of HTTP/1.1 or higher"
	for _, method := range []string{"POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "Get", "WEBSOCKET"} {
		cases = append(cases, denied("method "+method, rfc, replace("GET ", method+" "), "405", "Allow: GET"))
	}
	for version, status := range map[string]string{"1.0": "426 a WebSocket is opened over HTTP/1.1", "2.0": "505", "0.9": "505", "3.0": "505", "1.10": "400", "x": "400"} {
		cases = append(cases, denied("HTTP/"+version, rfc, replace("HTTP/1.1", "HTTP/"+version), status))
	}
	return append(cases,
		upgraded("GET", rfc, nil),
		upgraded("query", rfc, replace("/ws ", "/ws?client=tab-1&x=%20 ")),
		upgraded("absolute form", "RFC 9112 section 3.2.2", replace("/ws ", "http://127.0.0.1/ws ")),
		denied("malformed client id", "wire", replace("/ws ", "/ws?client=a.b "), "400 malformed client id"),
		denied("two client ids", "wire", replace("/ws ", "/ws?client=a&client=b "), "400 malformed client id"),
		denied("no request target", rfc, replace("/ws ", ""), "400"),
		denied("space in the request target", rfc, replace("/ws ", "/w s "), "400"),
		denied("bytes that are not HTTP", rfc, func(string) string { return "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n" }, "400"),
	)
}

// upgradeHeaderCases are about Host, Upgrade and Connection (section 4.2.1 items 2 to 4).
func upgradeHeaderCases() (cases []handshakeCase) {
	const (
		host       = "4.2.1 item 2: a Host header field"
		upgrade    = `4.2.1 item 3: an Upgrade header field with the value "websocket", in any case`
		connection = `4.2.1 item 4: a Connection header field with the token "Upgrade", in any case`
		text       = "426 this is a WebSocket endpoint: connect with a WebSocket client"
	)
	for _, v := range []string{"websocket", "WebSocket", "WEBSOCKET", " websocket\t", "h2c, websocket", "websocket,h2c", ", websocket"} {
		cases = append(cases, upgraded(fmt.Sprintf("Upgrade: %q", v), upgrade, line("Upgrade", "Upgrade: "+v)))
	}
	for _, v := range []string{"h2c", "web socket", "websocket/13", "websockets", "xwebsocket", `"websocket"`, "websocket;q=1", "TLS/1.0"} {
		cases = append(cases, denied(fmt.Sprintf("Upgrade: %q", v), upgrade, line("Upgrade", "Upgrade: "+v), text, "Upgrade: websocket"))
	}
	for _, v := range []string{"Upgrade", "upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade,keep-alive", "keep-alive,\tupgrade ,", " Upgrade "} {
		cases = append(cases, upgraded(fmt.Sprintf("Connection: %q", v), connection, line("Connection", "Connection: "+v)))
	}
	for _, v := range []string{"", "keep-alive", "close", "Upgrades", "x-upgrade", "Upgrade;q=1", `"Upgrade"`, "keep-alive Upgrade"} {
		want := []string{text, "Upgrade: websocket", "Connection: Upgrade"}
		if v == "close" {
			want = want[:2] // net/http adds its own Connection
		}
		cases = append(cases, denied(fmt.Sprintf("Connection: %q", v), connection, line("Connection", "Connection: "+v), want...))
	}
	return append(cases,
		denied("no Upgrade", upgrade, line("Upgrade"), text),
		denied("an empty Upgrade", upgrade, line("Upgrade", "Upgrade:"), text),
		denied("no Connection", connection, line("Connection"), text),
		upgraded("Upgrade in two lines", upgrade, line("Upgrade", "Upgrade: h2c", "Upgrade: websocket")),
		upgraded("Connection in two lines", connection, line("Connection", "Connection: keep-alive", "Connection: Upgrade")),
		denied("no Host", host, line("Host"), "400"),
		denied("two Hosts", host, line("Host", "Host: a", "Host: b"), "400"),
		denied("Host with a space", host, line("Host", "Host: a b"), "400"),
		upgraded("another Host", host, line("Host", "Host: plans.example:8443")),
	)
}

// versionCases: "A Sec-WebSocket-Version header field, with a value of 13" (section 4.2.1 item 6),
// once (section 11.3.5).
func versionCases() (cases []handshakeCase) {
	const rfc = "4.2.1 item 6, 4.4, 11.3.5: version 13, in one line; the answer names it otherwise"
	refused := []string{"400 the WebSocket version must be 13", "Sec-WebSocket-Version: 13"}
	version := func(values ...string) func(string) string {
		var lines []string
		for _, v := range values {
			lines = append(lines, "Sec-WebSocket-Version: "+v)
		}
		return line("Sec-WebSocket-Version", lines...)
	}
	for _, v := range []string{"", "0", "7", "8", "12", "14", "25", "130", "013", "+13", "13.0", "0xD", "thirteen", "13, 8", "8, 13", "13,13", "13;", "-13", "１３"} {
		cases = append(cases, denied(fmt.Sprintf("version %q", v), rfc, version(v), refused...))
	}
	return append(cases,
		upgraded("version 13", rfc, version("13")),
		upgraded("version 13 with white space", "RFC 9110 section 5.5", version(" \t13 \t")),
		denied("no version", rfc, version(), refused...),
		denied("versions 13 and 8", rfc, version("13", "8"), refused...),
		denied("versions 8 and 13", rfc, version("8", "13"), refused...),
		denied("version 13 twice", rfc, version("13", "13"), refused...),
		denied("version 13 and an empty one", rfc, version("13", ""), refused...),
	)
}

// keyCases: "A Sec-WebSocket-Key header field with a base64-encoded value that, when decoded, is 16
// bytes in length." (section 4.2.1 item 5), once (section 11.3.1).
func keyCases() (cases []handshakeCase) {
	const rfc = "4.2.1 item 5, 11.3.1: base64 of 16 bytes, in one line"
	const refused = "400 the Sec-WebSocket-Key is malformed"
	key := func(values ...string) func(string) string {
		var lines []string
		for _, v := range values {
			lines = append(lines, "Sec-WebSocket-Key: "+v)
		}
		return line("Sec-WebSocket-Key", lines...)
	}
	const sample = "dGhlIHNhbXBsZSBub25jZQ=="
	for _, k := range []struct{ name, value string }{
		{"zeros", "AAAAAAAAAAAAAAAAAAAAAA=="}, {"ones", "/////////////////////w=="}, {"plus and slash", "+/+/+/+/+/+/+/+/+/+/+w=="},
		{"white space around it", "  " + sample + "\t"},
	} {
		cases = append(cases, upgraded("key: "+k.name, rfc, key(k.value)))
	}
	for _, k := range []struct{ name, value string }{
		{"empty", ""}, {"15 bytes", "dGhlIHNhbXBsZSBub25j"}, {"17 bytes", "dGhlIHNhbXBsZSBub25jZWQ="}, {"8 bytes", "dGhlIHNhbXA="},
		{"without padding", "dGhlIHNhbXBsZSBub25jZQ"}, {"half of the padding", "dGhlIHNhbXBsZSBub25jZQ="}, {"too much padding", sample + "="},
		{"base64url", "-_-_-_-_-_-_-_-_-_-_-w=="}, {"not base64", "the sample nonce!!!!!!=="}, {"16 plain bytes", "0123456789abcdef"},
		{"space inside", "dGhlIHNhbXBs ZSBub25jZQ=="}, {"quoted", `"` + sample + `"`}, {"two in one line", sample + ", " + sample},
		{"4,000 bytes", strings.Repeat("A", 4000)}, {"hexadecimal", "000102030405060708090a0b0c0d0e0f"},
	} {
		cases = append(cases, denied("key: "+k.name, rfc, key(k.value), refused))
	}
	return append(cases,
		denied("no key", rfc, key(), refused),
		denied("two keys", rfc, key(sample, "AAAAAAAAAAAAAAAAAAAAAA=="), refused),
		denied("the same key twice", rfc, key(sample, sample), refused),
	)
}
