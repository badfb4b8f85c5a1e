package transport

import (
	"bytes"
	"crypto/sha1" // required by RFC 6455; security does not depend on it
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// headBytes is the capacity for the answer to a handshake and the greeting after it.
const headBytes = 640

// switchingProtocols returns the answer to a handshake that checkHandshake has accepted (RFC 6455
// section 4.2.2). It chooses no subprotocol but planrooms.v1, because others may hold a token.
func switchingProtocols(r *http.Request) []byte {
	const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // from RFC 6455 section 1.3
	b := make([]byte, 0, headBytes)
	accept := sha1.Sum(append(append(b, r.Header.Get("Sec-Websocket-Key")...), guid...))
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	b = base64.StdEncoding.AppendEncode(b, accept[:])
	if slices.Contains(subprotocols(r), protocol.Subprotocol) {
		b = append(b, "\r\nSec-WebSocket-Protocol: "+protocol.Subprotocol...)
	}
	return append(b, "\r\n\r\n"...)
}

// plainAnswer returns an HTTP answer for a hijacked connection. The connection closes after it.
func plainAnswer(status int, header http.Header, text string) []byte {
	header = header.Clone()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat)) // RFC 9110 section 6.6.1
	answer := http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: header, Close: true,
		Body: io.NopCloser(strings.NewReader(text + "\n")), ContentLength: int64(len(text) + 1),
	}
	var b bytes.Buffer
	_ = answer.Write(&b) // cannot fail: from memory to memory
	return b.Bytes()
}
