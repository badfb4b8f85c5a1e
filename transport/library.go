//lint:file-ignore SA1019 nhooyr.io/websocket is the library in use; its successor is a change of one import line here.

//nolint:staticcheck // as above, for golangci-lint
package transport

import (
	"context"
	"errors"
	"io"
	"net/http"

	"nhooyr.io/websocket"

	"github.com/planrooms/planrooms/protocol"
)

// This is the only file that imports the WebSocket library.

// socket reads a connection that has been upgraded. It answers pings and close frames by itself and writes nothing else.
type socket struct{ ws *websocket.Conn }

// accept answers the handshake of a request that checkHandshake found good. It hijacks w, and afterwards holds neither
// w nor r.
func accept(w http.ResponseWriter, r *http.Request) (socket, error) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{protocol.Subprotocol},
		InsecureSkipVerify: true, // of the origin, which the handler has checked, scheme and port included
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return socket{}, err
	}
	ws.SetReadLimit(-1) // the limit is ours, for a goodbye before the close frame
	return socket{ws}, nil
}

// renew makes the library ready to read from c, whose handshake has been answered: the library makes a connection in no other
// way than by answering one. It can't fail on a handshake that is always the same.
func renew(c *conn) (socket, error) { return accept(renewal{c, make(http.Header, 4)}, fixedHandshake) }

// fixedHandshake is what renew has the library answer. It is never modified.
var fixedHandshake = bareHandshake(&http.Request{Header: http.Header{"Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}}})

// next waits for the next message. The message must be read to its end before the next call.
func (s socket) next() (binary bool, r io.Reader, err error) {
	// A context that can end would cost an exchange with the library's own goroutine per read, and kill the connection.
	typ, r, err := s.ws.Reader(context.Background())
	return typ == websocket.MessageBinary, r, err
}

// release ends the library's own goroutine. It must be called when reading is over, whatever ended it.
func (s socket) release() {
	if s.ws != nil {
		_ = s.ws.CloseNow() // an error says that the library has closed by itself
	}
}

// peerClose returns the code of the close frame of the peer that ended reading with err.
func peerClose(err error) (code protocol.CloseCode, ok bool) {
	var e websocket.CloseError
	if !errors.As(err, &e) {
		return 0, false
	}
	if e.Code == websocket.StatusNoStatusRcvd {
		return closeNoStatus, true
	}
	return protocol.CloseCode(e.Code), true
}
