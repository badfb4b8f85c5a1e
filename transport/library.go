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

// socket reads a message from an upgraded connection through the WebSocket library. The library
// answers pings and close frames inside the message, and writes nothing else.
type socket struct{ ws *websocket.Conn }

// renew creates a library connection that reads from c, whose handshake the handler has already
// answered. The library creates connections only by answering a handshake, so renew passes it a
// fixed one. The fixed handshake is valid, so renew does not fail.
func renew(c *conn) (socket, error) {
	ws, err := websocket.Accept(renewal{c, make(http.Header, 4)}, fixedHandshake, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the handler has checked the origin, including scheme and port
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return socket{}, err
	}
	// the reader enforces the limit, so that it can send a goodbye before the close frame
	ws.SetReadLimit(-1)
	return socket{ws}, nil
}

// fixedHandshake is the handshake that the library answers. It is never modified.
var fixedHandshake = &http.Request{
	Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	Header: http.Header{
		"Connection":            {"Upgrade"},
		"Upgrade":               {"websocket"},
		"Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key":     {"AAAAAAAAAAAAAAAAAAAAAA=="},
	},
}

// renewal is the ResponseWriter for fixedHandshake. It discards the answer.
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
	return l, bufio.NewReadWriter(bufio.NewReaderSize(l, libraryReadBuffer), bufio.NewWriterSize(l, controlBuffer)), nil
}

// next waits for the next message. The caller must read the message to its end before the next
// call.
func (s socket) next() (binary bool, r io.Reader, err error) {
	// With a context that can end, the library would use its own goroutine for each read, and would
	// close the connection when the context ends.
	typ, r, err := s.ws.Reader(context.Background())
	return typ == websocket.MessageBinary, r, err
}

// release ends the library's goroutine. It must be called when reading ends for any reason.
func (s socket) release() {
	if s.ws != nil {
		_ = s.ws.CloseNow() // an error means that the library has closed already
	}
}

// peerClose returns the code of the peer's close frame, if that frame ended reading with err.
func peerClose(err error) (code protocol.CloseCode, ok bool) {
	var closed peerClosed
	if errors.As(err, &closed) {
		return closed.code, true
	}
	var e websocket.CloseError
	if !errors.As(err, &e) {
		return 0, false
	}
	if e.Code == websocket.StatusNoStatusRcvd {
		return closeNoStatus, true
	}
	return protocol.CloseCode(e.Code), true
}
