package transport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/planrooms/planrooms/protocol"
)

// serve reads the connection until it ends, and then calls release. The handler starts it in a new
// goroutine. To end it, the session closes itself or the sink, and every read returns.
func (c *conn) serve(release func()) {
	code := protocol.CloseAbnormal
	defer func() {
		c.ws.release()
		release()
		c.closeSocket()
		c.session.End(code)
	}()
	defer func() {
		if v := recover(); v != nil {
			p := newPanicError(v)
			c.log.LogAttrs(context.Background(), slog.LevelError, "transport: panic while reading a connection",
				slog.String("panic", p.what), slog.String("stack", p.stack))
			c.session.Close(protocol.CloseInternal)
			c.drain()
		}
	}()
	err := c.read()
	if given, ok := peerClose(err); ok {
		code = given
		c.drain() // drain waits until the answer has been written
		return
	}
	if errors.Is(c.readErr, errSlowMessage) {
		code = protocol.CloseTimeout
		c.session.Close(code)
		c.drain()
		return
	}
	if c.readErr != nil {
		if c.discarding {
			c.awaitFinish() // the peer has ended its side, and can still read why this side closes
		}
		return
	}
	// The bytes violate RFC 6455. The library has noticed only if the fault is inside a close
	// frame.
	code = protocol.CloseProtocolError
	if !c.sentClose {
		c.session.CloseFrame(code, appendClose(nil, code))
	}
	c.drain()
}

// read passes messages to the session until a read fails.
func (c *conn) read() error {
	for {
		if err := c.awaitFrame(); err != nil {
			return err
		}
		binary, r, err := c.ws.next()
		if errors.Is(err, errIdle) {
			continue // it was a control frame between two messages
		}
		if err != nil {
			return err
		}
		if err := c.message(binary, r); err != nil {
			return err
		}
	}
}

// message reads one message to its end and passes it to the session.
func (c *conn) message(binary bool, r io.Reader) error {
	if c.discarding {
		return drop(r)
	}
	if binary {
		return c.refuse(protocol.CloseUnsupportedData, r)
	}
	b, err := c.buffers.read(r)
	defer c.buffers.release(b)
	switch {
	case err == errTooLong:
		return c.refuse(protocol.CloseTooBig, r)
	case err != nil:
		return err
	case c.readErr != nil:
		// the library treats an end of the stream between two fragments as the end of the message
		return c.readErr
	case !utf8.Valid(*b):
		return c.refuse(protocol.CloseInvalidPayload, r)
	}
	c.session.Receive(*b)
	return nil
}

// refuse begins to close the connection because of the message in r, and discards the rest of the
// message. If the socket were closed with unread bytes in its receive buffer, the kernel would send
// a reset, which can overtake the close frame.
func (c *conn) refuse(code protocol.CloseCode, r io.Reader) error {
	c.discarding = true
	c.session.Close(code)
	return drop(r)
}

func drop(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// drain waits until the close frame has been written, ends the sending direction, and discards what
// the peer sends until it closes, for at most closeWait. If bytes were left unread, closing the
// socket would send a reset, which can destroy data in flight, including the close frame.
func (c *conn) drain() {
	c.awaitFinish()
	c.mu.Lock()
	c.setReadDeadlineLocked(closeWait)
	c.mu.Unlock()
	c.closeWrite()
	for b := make([]byte, 2<<10); ; {
		if _, err := c.net.Read(b); err != nil {
			return
		}
	}
}

// awaitFinish waits until the sink is finished or closed. After finishWait it closes the sink.
func (c *conn) awaitFinish() {
	c.mu.Lock()
	done, isDone := c.doneLocked()
	c.mu.Unlock()
	if isDone {
		return
	}
	t := time.NewTimer(finishWait)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
		_ = c.Close()
	}
}

// closeSocket closes the socket: gracefully if the last frame has been written, immediately
// otherwise.
func (c *conn) closeSocket() {
	c.mu.Lock()
	proper := c.finished && !c.closed
	c.closed = true
	if c.cutoff != nil {
		c.cutoff.Stop()
	}
	c.signalDoneLocked()
	c.mu.Unlock()
	if proper {
		_ = c.net.Close() // the peer has received everything
		return
	}
	_ = c.cut()
}
