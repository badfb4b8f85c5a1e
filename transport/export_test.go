package transport

import (
	"log/slog"
	"net"
	"net/http"

	"github.com/planrooms/planrooms/room"
)

const (
	MaxRefusing         = maxRefusing
	MaxClientControl    = maxClientControl
	MessageWait         = messageWait
	FragmentsPerControl = fragmentsPerControl
)

var (
	CanonicalOrigin = canonicalOrigin
	CloseAnswer     = closeAnswer
	WithoutToken    = withoutToken
)

// ServerFraming returns the framing of all connections.
func ServerFraming() room.Framing { return framing{} }

// Scanner checks and counts frames as a connection does.
type Scanner struct{ s frameScan }

// Take is frameScan.take.
func (s *Scanner) Take(b []byte) (n int, counted bool, err error) { return s.s.take(b) }

// Between is frameScan.between.
func (s *Scanner) Between() bool { return s.s.between() }

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
