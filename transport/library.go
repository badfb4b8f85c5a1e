//lint:file-ignore SA1019 nhooyr.io/websocket is the library in use; its successor is a change of one import line here.

//nolint:staticcheck // as above, for golangci-lint
package transport

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"nhooyr.io/websocket"

	"github.com/planrooms/planrooms/protocol"
)

// This is the only file that imports the WebSocket library.

// socket reads a connection that has been upgraded. It answers pings and close frames by itself and writes nothing else.
type socket struct{ ws *websocket.Conn }

// renew makes the library ready to read from c, whose handshake has been answered: the library makes
// a connection in no other way than by answering a handshake. It cannot fail, since the handshake is
// always the same.
func renew(c *conn) (socket, error) {
	ws, err := websocket.Accept(renewal{c, make(http.Header, 4)}, fixedHandshake, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // of the origin, which the handler has checked, scheme and port included
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return socket{}, err
	}
	ws.SetReadLimit(-1) // the limit is ours, for a goodbye before the close frame
	return socket{ws}, nil
}

// fixedHandshake is what the library answers. It is never modified.
var fixedHandshake = &http.Request{
	Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	Header: http.Header{
		"Connection":            {"Upgrade"},
		"Upgrade":               {"websocket"},
		"Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key":     {"AAAAAAAAAAAAAAAAAAAAAA=="},
	},
}

// renewal is the ResponseWriter of that handshake. It discards the answer.
type renewal struct {
	conn   *conn
	header http.Header
}

var _ http.Hijacker = renewal{}

func (r renewal) Header() http.Header       { return r.header }
func (renewal) WriteHeader(int)             {}
func (renewal) Write(b []byte) (int, error) { return len(b), nil }

// Hijack implements [http.Hijacker].
func (r renewal) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	l := libraryConn{r.conn}
	return l, bufio.NewReadWriter(bufio.NewReaderSize(l, readBuffer), bufio.NewWriterSize(l, controlBuffer)), nil
}

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
