package transport

import (
	"errors"
	"net"
	"os"
	"time"
)

const (
	// firstBuffer is the size of a connection's own read buffer. It holds every control frame and
	// most messages.
	firstBuffer = 160

	// messageWait is how long a message may take from its first byte to its last, control frames
	// inside it included. It holds for a control frame between two messages as well. A client that
	// takes longer is closed with 4408. Without the limit a client that sends one byte at a time,
	// each a sign of life, could hold a message of 32 KiB in memory for ever.
	messageWait = time.Minute
)

// errSlowMessage reports a message that was not complete after messageWait.
var errSlowMessage = errors.New("transport: a message took too long to arrive")

// admit lets the library have the next part of early, if a whole one is there: see frameScan.take.
func (c *conn) admit() error {
	if c.admitted > 0 {
		return nil
	}
	n, counted, err := c.scan.take(c.early)
	if err != nil {
		return err
	}
	if n > 0 && c.limited && c.scan.between() {
		c.limitMessage(false) // the message is complete, and the next one has its own time
	}
	if counted {
		c.session.ControlFrame()
	}
	c.admitted = n
	return nil
}

// fill waits for bytes of the socket and appends them to early, which it moves to first.
func (c *conn) fill() error {
	kept := copy(c.first[:], c.early)
	c.early = c.first[:kept]
	n, err := c.receive(c.first[kept:])
	c.early = c.first[:kept+n]
	return err
}

// receive reads from the socket, and reports a sign of life.
func (c *conn) receive(p []byte) (int, error) {
	if begun := len(c.early) > 0 || !c.scan.between(); begun != c.limited {
		c.limitMessage(begun)
	}
	if c.readOver.Load() {
		c.readErr = net.ErrClosed
		return 0, c.readErr
	}
	n, err := c.net.Read(p)
	if n > 0 {
		c.session.Seen()
		return n, nil // an error comes again
	}
	if c.limited && os.IsTimeout(err) && !c.ended() {
		err = errSlowMessage
	}
	c.readErr = err
	return 0, err
}

// limitMessage sets the read deadline of a message that is arriving, or takes it away. Finish and
// Close have set the last one.
func (c *conn) limitMessage(on bool) {
	c.limited = on
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.finished || c.closed:
	case on:
		c.limitReadLocked(messageWait)
	default:
		_ = c.net.SetReadDeadline(time.Time{}) // as in limitReadLocked
	}
}

// ended reports whether the last frame has been written or the connection cut.
func (c *conn) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.finished || c.closed
}

// rest makes the library ready for the next header or control frame. If none is there yet, it lets
// the library go until one is. What the library holds for a connection, a goroutine among it, is
// more than everything else there is. To make it again takes some microseconds, and clients send
// little.
func (c *conn) rest() error {
	if err := c.admit(); err != nil {
		return err
	}
	if c.admitted == 0 {
		c.resting.Store(true)
		c.ws.release()
		c.resting.Store(false)
		c.ws = socket{}
	}
	for c.admitted == 0 {
		if err := c.fill(); err != nil {
			return err
		}
		if err := c.admit(); err != nil {
			return err
		}
	}
	if c.ws != (socket{}) {
		return nil
	}
	var err error
	c.ws, err = renew(c)
	return err
}
