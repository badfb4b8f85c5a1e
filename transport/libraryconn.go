package transport

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"
)

// The library gets these small buffers instead of those of net/http, which take 4 KiB each and
// would live as long as the connection.
const (
	// libraryReadBuffer is the minimum size of a bufio.Reader. The connection's own buffer is
	// conn.readBuf.
	libraryReadBuffer = 16
	// controlBuffer holds the largest control frame, so the library writes each frame in one call.
	controlBuffer = maxControlFrame + 1
)

// errNoMessage stops the library from waiting for a message. The connection creates the library
// when a message has begun, and releases it at the end of the message.
var errNoMessage = errors.New("transport: the WebSocket library waits for a message")

// errNotControl reports that the library wrote something other than one control frame.
var errNotControl = errors.New("transport: the WebSocket library wrote something other than one control frame")

// libraryConn is the net.Conn that the WebSocket library uses. The library reads through it. It
// writes only its answers to pings and close frames, which libraryConn passes to the session: only
// the session writes to the socket. Data frames are never written through the library.
type libraryConn struct{ c *conn }

var _ net.Conn = libraryConn{}

// Read returns the next bytes that frameScan has admitted. See conn.readLibrary.
func (l libraryConn) Read(p []byte) (int, error) {
	c := l.c
	for {
		if err := c.admit(); err != nil {
			return 0, err
		}
		if n := copy(p, c.buffered[:c.admitted]); n > 0 {
			c.buffered, c.admitted = c.buffered[n:], c.admitted-n
			return n, nil
		}
		if c.scan.between() {
			return 0, errNoMessage
		}
		if c.scan.remaining > 0 && len(p) > len(c.readBuf) {
			// Read a large payload without a copy. buffered is empty, or its bytes would have been
			// admitted.
			n, err := c.receive(p[:min(uint64(len(p)), c.scan.remaining)])
			c.scan.remaining -= uint64(n)
			return n, err
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
}

// Write accepts exactly one control frame. The library's buffer holds the largest one, and the
// library flushes after each. Write accepts a close frame even after the session has sent its own:
// on an error the library would reset the connection, and the peer would lose the session's close
// code.
func (l libraryConn) Write(p []byte) (int, error) {
	c := l.c
	opcode, payload, ok := controlFrame(p)
	switch {
	case ok && opcode == opPong:
		c.session.WriteControl(p)
	case ok && opcode == opClose:
		c.sentClose = true
		c.session.CloseFrame(closeAnswer(payload))
	default:
		c.shared.log.LogAttrs(context.Background(), slog.LevelError, errNotControl.Error(), slog.Int("bytes", len(p)))
		return 0, errNotControl
	}
	return len(p), nil
}

// Close ends reading. It does not close the socket: the library calls Close right after it has
// passed its close frame to the session, which may not have written the frame yet. The reader
// closes the socket later.
func (l libraryConn) Close() error {
	c := l.c
	if c.releasing.Load() {
		return nil
	}
	c.readEnded.Store(true)
	err := c.net.SetReadDeadline(time.Unix(1, 0)) // unblocks a read in progress
	if err != nil {
		_ = c.cut() // unblocks it as well
	}
	return err
}

// LocalAddr returns the local address of the socket.
func (l libraryConn) LocalAddr() net.Addr { return l.c.net.LocalAddr() }

// RemoteAddr returns the remote address of the socket.
func (l libraryConn) RemoteAddr() net.Addr { return l.c.net.RemoteAddr() }

// SetDeadline returns an error, because the sink owns the deadlines.
func (l libraryConn) SetDeadline(time.Time) error { return l.refuseDeadline() }

// SetReadDeadline returns an error.
func (l libraryConn) SetReadDeadline(time.Time) error { return l.refuseDeadline() }

// SetWriteDeadline returns an error.
func (l libraryConn) SetWriteDeadline(time.Time) error { return l.refuseDeadline() }

func (l libraryConn) refuseDeadline() error {
	l.c.shared.log.LogAttrs(context.Background(), slog.LevelError, "transport: the WebSocket library sets deadlines")
	return errors.ErrUnsupported
}
