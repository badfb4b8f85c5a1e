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

// serve reads the connection until it ends. The handler starts it in a new goroutine. To end it,
// the session closes itself or the sink, and every read returns.
//
// Handling a message needs a larger stack than waiting, and the runtime rarely shrinks a small
// stack again. So after each burst of frames, serve continues in a new goroutine.
func (c *conn) serve() {
	if c.turn() {
		go c.serve()
	}
}

// readToEnd is serve without new goroutines. It returns when the connection has ended.
func (c *conn) readToEnd() {
	for c.turn() {
	}
}

// turn waits for bytes and then handles all frames that have arrived. It reports false when the
// connection has ended.
func (c *conn) turn() (more bool) {
	code := protocol.CloseAbnormal
	defer func() {
		if !more {
			c.end(code)
		}
	}()
	defer c.recoverPanic()
	err := c.await()
	if err == nil {
		err = c.read()
	}
	if err == nil {
		return true
	}
	code = c.close(err)
	return false
}

// end releases everything after the last read.
func (c *conn) end(code protocol.CloseCode) {
	c.ws.release()
	if c.counted {
		c.shared.connections.release()
	}
	c.closeSocket()
	c.session.End(code)
}

// recoverPanic closes a connection whose reader has panicked.
func (c *conn) recoverPanic() {
	if v := recover(); v != nil {
		p := newPanicError(v)
		c.shared.log.LogAttrs(context.Background(), slog.LevelError, "transport: panic while reading a connection",
			slog.String("panic", p.what), slog.String("stack", p.stack))
		c.session.Close(protocol.CloseInternal)
		c.drain()
	}
}

// close ends the connection after reading has ended with err. It returns the code for Session.End.
func (c *conn) close(err error) protocol.CloseCode {
	if code, ok := peerClose(err); ok {
		c.drain() // drain waits until the answer has been written
		return code
	}
	if errors.Is(c.readErr, errSlowMessage) {
		c.session.Close(protocol.CloseTimeout)
		c.drain()
		return protocol.CloseTimeout
	}
	if c.readErr != nil {
		if c.discarding {
			c.awaitFinish() // the peer has ended its side, and can still read why this side closes
		}
		return protocol.CloseAbnormal
	}
	// The bytes violate RFC 6455. If the fault is in a close frame inside a fragmented message, the
	// library has answered it.
	const code = protocol.CloseProtocolError
	if !c.sentClose {
		c.session.CloseFrame(code, appendClose(nil, code))
	}
	c.drain()
	return code
}

// await waits until bytes have arrived. It handles pongs, which are all that most connections send,
// so that their goroutine keeps its small stack.
func (c *conn) await() error {
	for len(c.buffered) == 0 {
		if err := c.fill(); err != nil {
			return err
		}
		if isPong(c.buffered) {
			c.session.ControlFrame()
			c.buffered = nil
		}
	}
	return nil
}

// read handles the frames in buffered. It returns nil when buffered is empty and no message has
// begun.
func (c *conn) read() error {
	for len(c.buffered) > 0 {
		h, err := c.scan.header(c.buffered)
		switch {
		case err != nil:
			return err
		case h.size > 0 && !h.fits():
			err = c.readLibrary()
		case h.size == 0 || len(c.buffered) < h.size+int(h.length):
			err = c.fill()
		default:
			err = c.frame(h)
		}
		if err != nil {
			return err
		}
	}
	c.buffered = nil
	return nil
}

// frame handles the whole frame at the start of buffered: a control frame, or an unfragmented text
// message.
func (c *conn) frame(h clientHeader) error {
	b := c.buffered[:h.size+int(h.length)]
	c.buffered = c.buffered[len(b):]
	if c.hasDeadline {
		c.setMessageDeadline(false) // the frame is complete, and the next one gets a new deadline
	}
	payload := b[h.size:]
	unmask(payload, b[h.size-maskKey:h.size])
	if h.opcode == opText {
		return c.text(payload)
	}
	return c.control(h.opcode, payload, b[h.size-2:])
}

// text passes a text message to the session.
func (c *conn) text(message []byte) error {
	switch {
	case c.discarding:
	case !utf8.Valid(message):
		c.discard(protocol.CloseInvalidPayload)
	default:
		c.session.Receive(message)
	}
	return nil
}

// readLibrary reads one message through the WebSocket library, which joins fragments and answers
// the control frames between them.
func (c *conn) readLibrary() error {
	var err error
	if c.ws, err = renew(c); err != nil {
		return err
	}
	binary, r, err := c.ws.next()
	if err != nil {
		return err
	}
	if err := c.message(binary, r); err != nil {
		return err
	}
	c.releasing.Store(true)
	c.ws.release()
	c.releasing.Store(false)
	c.ws = socket{}
	return nil
}

// message reads one message to its end and passes it to the session.
func (c *conn) message(binary bool, r io.Reader) error {
	if c.discarding {
		return drop(r)
	}
	if binary {
		return c.refuse(protocol.CloseUnsupportedData, r)
	}
	buffers := &c.shared.buffers
	b, err := buffers.read(r)
	defer buffers.release(b)
	switch {
	case err == errTooLong:
		return c.refuse(protocol.CloseTooBig, r)
	case err != nil:
		return err
	case c.readErr != nil:
		// the library treats an end of the stream between two fragments as the end of the message
		return c.readErr
	}
	return c.text(*b)
}

// discard begins to close the connection. All later messages are discarded.
func (c *conn) discard(code protocol.CloseCode) {
	c.discarding = true
	c.session.Close(code)
}

// refuse begins to close the connection because of the message in r, and discards the rest of the
// message. If the socket were closed with unread bytes in its receive buffer, the kernel would send
// a reset, which can overtake the close frame.
func (c *conn) refuse(code protocol.CloseCode, r io.Reader) error {
	c.discard(code)
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
