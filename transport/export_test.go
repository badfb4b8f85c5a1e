package transport

import (
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/planrooms/planrooms/room"
)

const (
	MaxGoodbyes         = maxGoodbyes
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

// Take calls frameScan.take.
func (s *Scanner) Take(b []byte) (n int, counted bool, err error) { return s.s.take(b) }

// Between calls frameScan.between.
func (s *Scanner) Between() bool { return s.s.between() }

// NewSink returns a connection over a socket, with a send buffer of the given size in bytes. It
// writes head before everything else.
func NewSink(nc net.Conn, writeBuffer int, head []byte) room.Sink {
	c := newConn(nc, writeBuffer, &shared{log: slog.New(slog.DiscardHandler)})
	c.head = head
	return c
}

// Session receives what a connection's reader reads.
type Session = session

// Serve upgrades a request with a session of the test, and reads until the connection ends.
func Serve(w http.ResponseWriter, r *http.Request, log *slog.Logger, session func(room.Sink) Session) {
	h := &handler{opts: (&Options{Logger: log}).withDefaults(), shared: shared{log: log}}
	a := &attempt{w: w, r: r}
	if err := h.hijack(a); err != nil {
		panic(err)
	}
	answer := switchingProtocols(r)
	if n, err := a.conn.Write(answer, time.Now().Add(time.Minute)); n < len(answer) {
		panic(err)
	}
	a.conn.session = session(a.conn)
	a.conn.readToEnd()
}
