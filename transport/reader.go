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

// serve reads the connection until it is over, and then calls release. It runs in a goroutine of its
// own, which the handler starts and the session ends: closing the session, or the sink, makes every
// read return.
func (c *conn) serve(release func()) {
	code := protocol.CloseAbnormal
	defer func() {
		c.ws.release()
		release()
		c.hangUp()
		c.session.End(code)
	}()
	defer func() {
		if v := recover(); v != nil {
			p := newPanicError(v)
			c.log.LogAttrs(context.Background(), slog.LevelError, "transport: panic while reading a connection",
				slog.String("panic", p.what), slog.String("stack", p.stack))
			c.session.Close(protocol.CloseInternal)
			c.abandon()
		}
	}()
	err := c.read()
	if given, ok := peerClose(err); ok {
		code = given
		c.abandon() // once our answer to it has been written
		return
	}
	if errors.Is(c.readErr, errSlowMessage) {
		code = protocol.CloseTimeout
		c.session.Close(code)
		c.abandon()
		return
	}
	if c.readErr != nil {
		if c.deaf {
			c.awaitLast() // the peer has ended its side, and can still read why this side closes
		}
		return
	}
	// The bytes broke RFC 6455. The library has seen the fault only if it is inside a close frame.
	code = protocol.CloseProtocolError
	if !c.ending {
		c.session.CloseFrame(code, appendClose(nil, code))
	}
	c.abandon()
}

// read hands messages to the session until reading fails.
func (c *conn) read() error {
	for {
		if err := c.rest(); err != nil {
			return err
		}
		binary, r, err := c.ws.next()
		if errors.Is(err, errResting) {
			continue // it was a control frame
		}
		if err != nil {
			return err
		}
		if err := c.message(binary, r); err != nil {
			return err
		}
	}
}

// message reads one message to its end.
func (c *conn) message(binary bool, r io.Reader) error {
	if c.deaf {
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
		return c.readErr // the library takes an end of the stream between two fragments for the end of the message
	case !utf8.Valid(*b):
		return c.refuse(protocol.CloseInvalidPayload, r)
	}
	c.session.Receive(*b)
	return nil
}

// refuse closes the connection for the message that r reads, and goes on reading: with unread bytes in its receive buffer the
// kernel would answer a close with a reset, which can overtake our close frame.
func (c *conn) refuse(code protocol.CloseCode, r io.Reader) error {
	c.deaf = true
	c.session.Close(code)
	return drop(r)
}

func drop(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// abandon ends a connection once the close frame has been written: the peer sees the end of the stream behind it, and what
// it still sends is thrown away until it closes, too. Bytes left unread would turn our close into a reset, which destroys
// what is on its way, the close frame included.
func (c *conn) abandon() {
	c.awaitLast()
	c.mu.Lock()
	c.limitReadLocked(closeWait)
	c.mu.Unlock()
	c.closeWrite()
	for b := make([]byte, 2<<10); ; {
		if _, err := c.net.Read(b); err != nil {
			return
		}
	}
}

// awaitLast waits until the last frame has been written or the connection cut, and cuts it if neither happens.
func (c *conn) awaitLast() {
	c.mu.Lock()
	over, isOver := c.overLocked()
	c.mu.Unlock()
	if isOver {
		return
	}
	t := time.NewTimer(lastWait)
	defer t.Stop()
	select {
	case <-over:
	case <-t.C:
		_ = c.Close()
	}
}

// hangUp closes the socket: properly after the last frame, at once in every other case.
func (c *conn) hangUp() {
	c.mu.Lock()
	proper := c.finished && !c.closed
	c.closed = true
	c.tellOverLocked()
	c.mu.Unlock()
	if proper {
		_ = c.net.Close() // everything has been said
		return
	}
	_ = c.cut()
}
