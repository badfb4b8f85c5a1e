package transporttest

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// sampleKey is the default Sec-WebSocket-Key.
const sampleKey = "dGhlIHNhbXBsZSBub25jZQ=="

// Request returns the bytes that [NewConn] sends: the request of the handshake and Early. A test
// that reads the response on its own can send them, and then call [Upgraded]. A nil o means the
// defaults.
func (o *Options) Request(target, host string) []byte {
	if o == nil {
		o = &Options{}
	}
	return append([]byte(o.request(target, host)), o.Early...)
}

// request returns the opening handshake as the bytes of an HTTP request (RFC 6455 section 4.1).
func (o *Options) request(target, host string) string {
	fields := http.Header{
		"Host":                  {host},
		"Connection":            {"Upgrade"},
		"Upgrade":               {"websocket"},
		"Sec-WebSocket-Version": {"13"},
		"Sec-WebSocket-Key":     {sampleKey},
	}
	for name, values := range o.Header {
		for known := range fields {
			if strings.EqualFold(known, name) {
				delete(fields, known)
			}
		}
		fields[name] = values
	}
	var b strings.Builder
	b.WriteString("GET " + target + " HTTP/1.1\r\n")
	names := slices.Sorted(maps.Keys(fields))
	if i := slices.Index(names, "Host"); i > 0 { // first, as RFC 9110 section 7.2 recommends
		names = slices.Insert(slices.Delete(names, i, i+1), 0, "Host")
	}
	for _, name := range names {
		for _, v := range fields[name] {
			b.WriteString(name + ": " + v + "\r\n")
		}
	}
	b.WriteString("\r\n")
	if o.Edit != nil {
		return o.Edit(b.String())
	}
	return b.String()
}

// fieldsOf returns the method and the header of a request. The request may be malformed, because
// tests may send malformed requests.
func fieldsOf(request string) (method string, header http.Header) {
	lines := strings.Split(strings.TrimLeft(request, "\r\n"), "\n")
	method, _, _ = strings.Cut(lines[0], " ")
	header = http.Header{}
	for _, line := range lines[1:] {
		if line = strings.TrimSuffix(line, "\r"); line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		header.Add(textproto.TrimString(name), textproto.TrimString(value))
	}
	return method, header
}

// readResponse reads the response to a request. It checks a 101, and reads the body of any other
// response.
func readResponse(r *bufio.Reader, request string) (*http.Response, error) {
	method, header := fieldsOf(request)
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, checkUpgrade(header, resp)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// checkUpgrade checks a 101 as RFC 6455 section 4.1 requires of a client.
func checkUpgrade(request http.Header, resp *http.Response) error {
	h := resp.Header
	chosen := h.Values("Sec-WebSocket-Protocol")
	switch {
	case resp.Proto != "HTTP/1.1":
		return violation("4.2.2", "a 101 in %s", resp.Proto)
	case len(h.Values("Upgrade")) != 1 || !strings.EqualFold(h.Get("Upgrade"), "websocket"):
		return violation("4.1", "Upgrade %q in the 101", h.Values("Upgrade"))
	case !slices.ContainsFunc(tokens(h, "Connection"), func(t string) bool { return strings.EqualFold(t, "upgrade") }):
		return violation("4.1", "Connection %q in the 101", h.Values("Connection"))
	case !slices.Equal(h.Values("Sec-WebSocket-Accept"), []string{acceptFor(request.Get("Sec-WebSocket-Key"))}):
		return violation("4.1", "Sec-WebSocket-Accept %q for Sec-WebSocket-Key %q",
			h.Values("Sec-WebSocket-Accept"), request.Get("Sec-WebSocket-Key"))
	case len(chosen) > 1, len(chosen) == 1 && !slices.Contains(tokens(request, "Sec-WebSocket-Protocol"), chosen[0]):
		return violation("4.1", "Sec-WebSocket-Protocol %q, where %q were offered",
			chosen, request.Values("Sec-WebSocket-Protocol"))
	case len(h.Values("Sec-WebSocket-Extensions")) > 0:
		return violation("9.1", "Sec-WebSocket-Extensions %q", h.Values("Sec-WebSocket-Extensions"))
	case len(h.Values("Content-Length")) > 0 || len(resp.TransferEncoding) > 0:
		return violation("4.2.2", "a 101 with a body")
	}
	return nil
}

// acceptFor returns the Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2).
func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// tokens returns the elements of a comma-separated header field.
func tokens(h http.Header, name string) []string {
	var all []string
	for _, v := range h.Values(name) {
		for t := range strings.SplitSeq(v, ",") {
			all = append(all, textproto.TrimString(t))
		}
	}
	return all
}
