package transport

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/planrooms/planrooms/protocol"
)

// checkHandshake answers a request that is not an upgrade to WebSocket as RFC 6455 section 4.2.1 wants it, and reports
// whether it is one. After it the library finds nothing to refuse, so a connection can be admitted before it is
// upgraded, and no answer quotes the request.
func checkHandshake(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	switch {
	case r.Method != http.MethodGet:
		h.Set("Allow", http.MethodGet)
		answer(w, http.StatusMethodNotAllowed, "a WebSocket is opened with GET")
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		// The headers that name an upgrade are forbidden in HTTP/2 (RFC 9113 section 8.2.2).
		answer(w, http.StatusUpgradeRequired, "a WebSocket is opened over HTTP/1.1")
	case !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", "websocket")
		answer(w, http.StatusUpgradeRequired, "this is a WebSocket endpoint: connect with a WebSocket client")
	case r.Header.Get("Sec-Websocket-Version") != "13":
		h.Set("Sec-Websocket-Version", "13")
		answer(w, http.StatusBadRequest, "the WebSocket version must be 13")
	case !goodKey(r.Header.Values("Sec-Websocket-Key")):
		answer(w, http.StatusBadRequest, "the Sec-WebSocket-Key is malformed")
	case r.ContentLength != 0:
		answer(w, http.StatusBadRequest, "an upgrade has no body") // it would be read as frames
	default:
		return true
	}
	return false
}

// answer writes an HTTP answer with a fixed text.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, text, status)
}

func hasToken(h http.Header, name, token string) bool {
	return slices.ContainsFunc(headerTokens(h, name), func(t string) bool { return strings.EqualFold(t, token) })
}

func goodKey(keys []string) bool {
	if len(keys) != 1 {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(keys[0])
	return err == nil && len(key) == 16
}

// bareHandshake returns a request with nothing but what the library needs to answer it. The subprotocol that it chooses is a piece
// of the header it was offered in and lives as long as the connection, and that header may hold a token.
func bareHandshake(r *http.Request) *http.Request {
	bare := &http.Request{
		Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Connection":            {"Upgrade"},
			"Upgrade":               {"websocket"},
			"Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key":     r.Header.Values("Sec-Websocket-Key"),
		},
	}
	if slices.Contains(subprotocols(r), protocol.Subprotocol) {
		bare.Header.Set("Sec-Websocket-Protocol", protocol.Subprotocol)
	}
	return bare
}
