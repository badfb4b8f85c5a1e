package transport

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/planrooms/planrooms/protocol"
)

// checkHandshake returns an error if the request is not a valid WebSocket upgrade (RFC 6455 section
// 4.2.1). The error holds the answer. checkHandshake sets the headers of the answer in header. No
// answer quotes the request.
func checkHandshake(header http.Header, r *http.Request) error {
	switch {
	case r.Method != http.MethodGet:
		header.Set("Allow", http.MethodGet)
		return &handshakeError{http.StatusMethodNotAllowed, "a WebSocket is opened with GET"}
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return &handshakeError{http.StatusUpgradeRequired, "a WebSocket is opened over HTTP/1.1"}
	case !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		// A 426 has an Upgrade header (RFC 9110 section 15.5.22), unless the request has none. A
		// request without the header may have reached a proxy over HTTP/2, which forbids it (RFC
		// 9113 section 8.2.2). nginx would forward the header, and the client would get
		// PROTOCOL_ERROR.
		if r.Header.Get("Upgrade") != "" {
			header.Set("Connection", "Upgrade")
			header.Set("Upgrade", "websocket")
		}
		return &handshakeError{http.StatusUpgradeRequired, "this is a WebSocket endpoint: connect with a WebSocket client"}
	// The header must be a single line (section 11.3.5).
	case !slices.Equal(r.Header.Values("Sec-Websocket-Version"), []string{"13"}):
		header.Set("Sec-Websocket-Version", "13")
		return badHandshake("the WebSocket version must be 13")
	case !goodKey(r.Header.Values("Sec-Websocket-Key")):
		return badHandshake("the Sec-WebSocket-Key is malformed")
	case r.ContentLength != 0:
		return badHandshake("an upgrade has no body") // the server would read it as frames
	}
	offered := subprotocols(r)
	if len(offered) > 0 && !slices.Contains(offered, protocol.Subprotocol) {
		// A 101 could choose none of them, and browsers would fail the connection with 1006.
		return badHandshake("a client that offers subprotocols must offer " + protocol.Subprotocol + ", also beside a token")
	}
	return nil
}

// handshakeError is the answer to a request that is not a valid WebSocket upgrade.
type handshakeError struct {
	status int
	text   string
}

func (e *handshakeError) Error() string { return "transport: " + e.text }

// badHandshake returns an error for status 400 with a fixed text.
func badHandshake(text string) error { return &handshakeError{http.StatusBadRequest, text} }

func hasToken(h http.Header, name, token string) bool {
	for t := range headerTokens(h, name) {
		if strings.EqualFold(t, token) {
			return true
		}
	}
	return false
}

func goodKey(keys []string) bool {
	const size = 16
	if len(keys) != 1 || len(keys[0]) > 2*size {
		return false
	}
	var buf [2 * size]byte
	key, err := base64.StdEncoding.AppendDecode(buf[:0], []byte(keys[0]))
	return err == nil && len(key) == size
}
