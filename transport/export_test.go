package transport

import (
	"log/slog"
	"net"
	"net/http"

	"github.com/planrooms/planrooms/room"
)

const (
	MaxRefusing         = maxRefusing
	FragmentsPerControl = fragmentsPerControl
)

var (
	CanonicalOrigin = canonicalOrigin
	CloseAnswer     = closeAnswer
	WithoutToken    = withoutToken
)

// ServerFraming returns the framing of all connections.
func ServerFraming() room.Framing { return framing{} }

// Scanner counts frames as a connection does.
type Scanner struct{ s frameScan }

func (s *Scanner) Scan(p []byte) int { return s.s.scan(p) }

// NewSink returns a connection as the session sees it, before it has a socket.
func NewSink() room.Sink {
	return newConn(slog.New(slog.DiscardHandler), defaultWriteBuffer, new(buffers))
}

// Attach gives a sink of NewSink its socket, with a send buffer of the given size.
func Attach(s room.Sink, nc net.Conn, writeBuffer int) {
	c := s.(*conn)
	c.writeBuffer = writeBuffer
	c.attach(nc, nil)
}

// Session is what a connection's reader talks to.
type Session = session

// Serve upgrades a request for a session of the test's own, and reads until the connection is over.
func Serve(w http.ResponseWriter, r *http.Request, log *slog.Logger, session func(room.Sink) Session) {
	c := newConn(log, defaultWriteBuffer, new(buffers))
	ws, err := accept(hijacker{w, c}, bareHandshake(r))
	if err != nil {
		panic(err)
	}
	c.session = session(c)
	c.serve(ws, func() {})
}
