package transport

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"
)

// The library gets these buffers in place of those of net/http, which have 4 KiB each and would live
// as long as the connection.
const (
	// readBuffer is the smallest that package bufio makes: conn.first is the buffer of the connection.
	readBuffer = 16
	// controlBuffer holds every control frame, so that the library writes each in one call.
	controlBuffer = maxControlFrame + 1
)

// errResting ends reading by the library between two messages, when nothing more has come.
var errResting = errors.New("transport: nothing to read")

// errNotControl is returned by Write of a libraryConn for anything but one control frame.
var errNotControl = errors.New("transport: the WebSocket library wrote something other than one control frame")

// libraryConn is a connection as the WebSocket library sees it. The library reads through it, and the only things it
// writes are its answers to pings and to close frames: those go to the session, which alone writes to the socket. Data frames
// never go through the library.
type libraryConn struct{ c *conn }

var _ net.Conn = libraryConn{}

// Read gives the library the next bytes that frameScan lets through. Between two messages it does
// not wait for the socket but returns errResting: see conn.rest.
func (l libraryConn) Read(p []byte) (int, error) {
	c := l.c
	for {
		if err := c.admit(); err != nil {
			return 0, err
		}
		if n := copy(p, c.early[:c.admitted]); n > 0 {
			c.early, c.admitted = c.early[n:], c.admitted-n
			return n, nil
		}
		if c.scan.between() {
			return 0, errResting
		}
		if c.scan.remaining > 0 && len(p) > len(c.first) {
			// A large payload needs no copy. Nothing is waiting in early: it would have been admitted.
			n, err := c.receive(p[:min(uint64(len(p)), c.scan.remaining)])
			c.scan.remaining -= uint64(n)
			return n, err
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
}

// Write takes exactly one control frame: the library's buffer holds the largest of them, and it flushes after each. A
// close frame is never refused, not even when ours is out already: the library would reset the connection, and
// the peer would lose our code.
func (l libraryConn) Write(p []byte) (int, error) {
	c := l.c
	opcode, payload, ok := controlFrame(p)
	switch {
	case ok && opcode == opPong:
		c.session.WriteControl(p)
	case ok && opcode == opClose:
		c.ending = true
		c.session.CloseFrame(closeAnswer(payload))
	default:
		c.log.LogAttrs(context.Background(), slog.LevelError, errNotControl.Error(), slog.Int("bytes", len(p)))
		return 0, errNotControl
	}
	return len(p), nil
}

// Close ends reading. It does not touch the socket: the library closes when it has handed over its answer to a close frame,
// which may not have been written yet. The end of reading closes the socket in its time.
func (l libraryConn) Close() error {
	c := l.c
	if c.resting.Load() {
		return nil
	}
	c.readOver.Store(true)
	err := c.net.SetReadDeadline(time.Unix(1, 0)) // releases a read that is under way
	if err != nil {
		_ = c.cut() // releases it, too
	}
	return err
}

// LocalAddr returns the socket's.
func (l libraryConn) LocalAddr() net.Addr { return l.c.net.LocalAddr() }

// RemoteAddr returns the socket's.
func (l libraryConn) RemoteAddr() net.Addr { return l.c.net.RemoteAddr() }

// SetDeadline is refused: deadlines belong to the sink.
func (l libraryConn) SetDeadline(time.Time) error { return l.refuseDeadline() }

// SetReadDeadline is refused.
func (l libraryConn) SetReadDeadline(time.Time) error { return l.refuseDeadline() }

// SetWriteDeadline is refused.
func (l libraryConn) SetWriteDeadline(time.Time) error { return l.refuseDeadline() }

func (l libraryConn) refuseDeadline() error {
	l.c.log.LogAttrs(context.Background(), slog.LevelError, "transport: the WebSocket library sets deadlines")
	return errors.ErrUnsupported
}
