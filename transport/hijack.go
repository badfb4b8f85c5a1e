package transport

import (
	"bufio"
	"net"
	"net/http"
)

// The buffers that the library gets in place of those of net/http, which have 4 KiB each and would
// live as long as the connection.
const (
	// readBuffer is the smallest that package bufio makes: conn.first is the buffer of the connection.
	readBuffer = 16
	// controlBuffer holds every control frame, so that the library writes each in one call.
	controlBuffer = maxControlFrame + 1
)

// hijacker is the ResponseWriter that the library gets. What it hijacks becomes the socket of conn, and the library
// receives a libraryConn in its place.
type hijacker struct {
	http.ResponseWriter
	conn *conn
}

var _ http.Hijacker = hijacker{}

// Hijack implements [http.Hijacker]. Unlike the library it also finds a connection behind middleware that has only Unwrap.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	var early []byte
	if n := rw.Reader.Buffered(); n > 0 {
		// A copy: these are bytes of a buffer that net/http made.
		peeked, _ := rw.Reader.Peek(n) // as many as are buffered: no error is possible
		early = append([]byte(nil), peeked...)
	}
	_ = rw.Writer.Flush() // net/http leaves nothing here, middleware may; a broken connection shows when it is read
	h.conn.attach(nc, early)
	return libraryConnOf(h.conn)
}

// libraryConnOf returns what the library gets as a hijacked connection.
func libraryConnOf(c *conn) (net.Conn, *bufio.ReadWriter, error) {
	l := libraryConn{c}
	return l, bufio.NewReadWriter(bufio.NewReaderSize(l, readBuffer), bufio.NewWriterSize(l, controlBuffer)), nil
}

// renewal is the ResponseWriter of a handshake whose answer nobody gets.
type renewal struct {
	conn   *conn
	header http.Header
}

var _ http.Hijacker = renewal{}

func (r renewal) Header() http.Header       { return r.header }
func (renewal) WriteHeader(int)             {}
func (renewal) Write(b []byte) (int, error) { return len(b), nil }

// Hijack implements [http.Hijacker].
func (r renewal) Hijack() (net.Conn, *bufio.ReadWriter, error) { return libraryConnOf(r.conn) }

// WriteHeaderNow forwards to a ResponseWriter of gin, whose WriteHeader only takes note of the status. The library
// asks for this method; hiding it would lose the 101.
func (h hijacker) WriteHeaderNow() {
	for w := h.ResponseWriter; w != nil; w = unwrap(w) {
		if g, ok := w.(interface{ WriteHeaderNow() }); ok {
			g.WriteHeaderNow()
			return
		}
	}
}

// canHijack reports whether there is a connection to be had behind w. It must be known before the library writes the 101.
func canHijack(w http.ResponseWriter) bool {
	for ; w != nil; w = unwrap(w) {
		if _, ok := w.(http.Hijacker); ok {
			return true
		}
	}
	return false
}

func unwrap(w http.ResponseWriter) http.ResponseWriter {
	if u, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
		return u.Unwrap()
	}
	return nil
}
