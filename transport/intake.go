package transport

import (
	"errors"
	"net"
	"os"
	"time"
)

const (
	// readBufSize is the size of a connection's own read buffer. It holds every control frame and
	// most messages.
	readBufSize = 160

	// messageWait is how long a message may take from its first byte to its last, including control
	// frames inside it. The limit also applies to a control frame between two messages. A client
	// that takes longer is closed with 4408. Without the limit, a client that sends one byte at a
	// time would seem alive and could hold a message of 32 KiB in memory forever.
	messageWait = time.Minute
)

// errSlowMessage reports a message that was incomplete after messageWait.
var errSlowMessage = errors.New("transport: a message took too long to arrive")

// admit lets the library read the next part of buffered, if that part is complete: see
// frameScan.take.
func (c *conn) admit() error {
	if c.admitted > 0 {
		return nil
	}
	n, counted, err := c.scan.take(c.buffered)
	if err != nil {
		return err
	}
	if n > 0 && c.hasDeadline && c.scan.between() {
		c.setMessageDeadline(false) // the message is complete, and the next one gets a new deadline
	}
	if counted {
		c.session.ControlFrame()
	}
	c.admitted = n
	return nil
}

// fill reads from the socket and appends the bytes to buffered, which it moves to readBuf.
func (c *conn) fill() error {
	kept := copy(c.readBuf[:], c.buffered)
	c.buffered = c.readBuf[:kept]
	n, err := c.receive(c.readBuf[kept:])
	c.buffered = c.readBuf[:kept+n]
	return err
}

// receive reads from the socket and calls Seen on the session.
func (c *conn) receive(p []byte) (int, error) {
	if begun := len(c.buffered) > 0 || !c.scan.between(); begun != c.hasDeadline {
		c.setMessageDeadline(begun)
	}
	if c.readEnded.Load() {
		c.readErr = net.ErrClosed
		return 0, c.readErr
	}
	n, err := c.net.Read(p)
	if n > 0 {
		c.session.Seen()
		return n, nil // the next read returns the error again
	}
	if c.hasDeadline && os.IsTimeout(err) && !c.isDone() {
		err = errSlowMessage
	}
	c.readErr = err
	return 0, err
}

// setMessageDeadline sets or clears the read deadline of the message that is arriving. It does
// nothing after Finish or Close, which set the final deadline.
func (c *conn) setMessageDeadline(on bool) {
	c.hasDeadline = on
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.finished || c.closed:
	case on:
		c.setReadDeadlineLocked(messageWait)
	default:
		_ = c.net.SetReadDeadline(time.Time{}) // ignore the error, as the next read reports it
	}
}

// isDone reports whether the connection is finished or closed.
func (c *conn) isDone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.finished || c.closed
}
