package transport

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/planrooms/planrooms/protocol"
)

// checkHandshake refuses a request that is not a WebSocket upgrade as RFC 6455 section 4.2.1 requires
// it, and reports whether it is one. A good request leaves the library nothing to refuse. No refusal
// quotes the request.
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
	case !slices.Equal(r.Header.Values("Sec-Websocket-Version"), []string{"13"}): // one line (section 11.3.5)
		h.Set("Sec-Websocket-Version", "13")
		answer(w, http.StatusBadRequest, "the WebSocket version must be 13")
	case !goodKey(r.Header.Values("Sec-Websocket-Key")):
		answer(w, http.StatusBadRequest, "the Sec-WebSocket-Key is malformed")
	case r.ContentLength != 0:
		answer(w, http.StatusBadRequest, "an upgrade has no body") // it would be read as frames
	case !goodSubprotocols(subprotocols(r)):
		answer(w, http.StatusBadRequest, "none of the subprotocols offered is "+protocol.Subprotocol+": offer it, or none")
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

// goodSubprotocols reports whether a client that offers these subprotocols can be served. A client that
// offers none can. For one that offers only others, a 101 would have to choose none, and browsers then
// fail the connection with 1006 (WHATWG WebSockets, RFC 6455 section 4.1); a 400 says why. A token without
// the subprotocol beside it has its own refusal: errSubprotocol.
func goodSubprotocols(offered []string) bool {
	return len(offered) == 0 || slices.Contains(offered, protocol.Subprotocol) ||
		slices.ContainsFunc(offered, func(p string) bool { return strings.HasPrefix(p, protocol.TokenSubprotocolPrefix) })
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
