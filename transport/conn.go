package transport

import (
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/room"
)

const (
	// closeWait is how long a peer has to answer our close frame.
	closeWait = time.Second
	// lastWait is how long the reader waits for the last frame to be written, at most: the session cuts the connection
	// after one second, so this is never reached while it keeps its word.
	lastWait = 3 * time.Second
	// tlsChunk is the most that one blocking write takes: progress can be seen no finer than that.
	tlsChunk = 16 << 10
)

// conn is one hijacked connection as a [room.Sink]. It has its socket from the start, so that the
// session can write to it and close it at any time.
//
// Reading is in reader.go, and what the WebSocket library sees of the connection is libraryConn.
type conn struct {
	// What every event touches stands together.
	inline bool   // raw can be used; otherwise the connection can only be written to blocking
	head   []byte // what is left of our answer to the handshake. Owned by the caller who may write
	raw    rawWriter
	net    net.Conn // fixed at creation

	log     *slog.Logger // fixed at creation
	buffers *buffers     // fixed at creation
	session session      // set before the reader starts

	// ruined says that a write timed out where that is final. Owned by the caller who may write.
	ruined bool

	// Owned by the reader.
	ws       socket
	early    []byte // what has been read of the socket, and not by the library
	admitted int    // bytes of early that the library may have
	scan     frameScan
	readErr  error // of the socket: something was expected and did not come
	limited  bool  // the socket has a read deadline: see limitMessage
	ending   bool  // a close frame of the library's was handed over
	deaf     bool  // the connection is being closed for what was read: discard the rest
	first    [firstBuffer]byte

	resting  atomic.Bool // the library is let go, and reading goes on
	readOver atomic.Bool // the library reads no more

	mu       sync.Mutex    // guards the following
	over     chan struct{} // made by who waits for finished or closed
	finished bool
	closed   bool
}

var _ room.Sink = (*conn)(nil)

// newConn returns the connection for a socket, with a send buffer of the given size.
func newConn(nc net.Conn, log *slog.Logger, writeBuffer int, b *buffers) *conn {
	c := &conn{net: nc, log: log, buffers: b}
	c.inline = c.raw.attach(nc)
	// With the kernel's own sizing a stalled reader stays hidden behind megabytes. A socket that
	// refuses is served all the same.
	if c.inline {
		_ = setWriteBuffer(nc, writeBuffer)
		return c
	}
	g := guarded{nc, log}
	_ = g.setWriteBuffer(writeBuffer)
	c.net = g
	return c
}

// Framing returns the framing that all connections share.
func (c *conn) Framing() room.Framing { return framing{} }

// TryWrite implements [room.Sink].
func (c *conn) TryWrite(b []byte) (int, error) {
	switch {
	case !c.inline:
		return 0, nil
	case c.head != nil:
		return c.writeHead(b, c.raw.tryWrite)
	}
	return c.raw.tryWrite(b)
}

// Write implements [room.Sink].
func (c *conn) Write(b []byte, deadline time.Time) (int, error) {
	write := func(b []byte) (int, error) {
		if c.inline {
			return c.raw.waitWrite(b, deadline)
		}
		return c.writeBlocking(b, deadline)
	}
	for c.head != nil {
		if n, err := c.writeHead(b, write); n > 0 || err != nil {
			return n, err
		}
	}
	return write(b)
}

// writeHead writes what is left of the head, and b behind it in the same call. It returns how much
// of b was written.
func (c *conn) writeHead(b []byte, write func([]byte) (int, error)) (int, error) {
	whole := append(c.head, b...) // the head has room for a greeting
	n, err := write(whole)
	if n < len(c.head) {
		c.head = c.head[n:]
		return 0, err
	}
	n -= len(c.head)
	c.head = nil
	return n, err
}

// writeBlocking is Write where there is no RawConn: TLS, Windows, connections of unknown make.
func (c *conn) writeBlocking(b []byte, deadline time.Time) (int, error) {
	if c.ruined {
		return 0, c.awaitCut(deadline)
	}
	if err := c.net.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := c.net.Write(b[:min(len(b), tlsChunk)])
	switch {
	case err == nil:
		return n, c.net.SetWriteDeadline(time.Time{})
	case os.IsTimeout(err):
		// Part of a TLS record may be out, and any connection may be TLS inside: nothing more can be written.
		c.ruined = true
		return 0, os.ErrDeadlineExceeded
	}
	return 0, err
}

// awaitCut is a write to a connection that takes nothing any more.
func (c *conn) awaitCut(deadline time.Time) error {
	c.mu.Lock()
	over, isOver := c.overLocked()
	c.mu.Unlock()
	if isOver {
		return net.ErrClosed
	}
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case <-over:
		return net.ErrClosed
	case <-t.C:
		return os.ErrDeadlineExceeded
	}
}

// Finish implements [room.Sink]. The reader ends the connection when the peer has answered the close frame, or after
// closeWait.
func (c *conn) Finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = true
	c.limitReadLocked(closeWait)
	c.tellOverLocked()
}

// Close implements [room.Sink].
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.tellOverLocked()
	return c.cut()
}

// cut closes the socket at once, without a word to the peer.
func (c *conn) cut() error {
	if g, ok := c.net.(guarded); ok {
		return g.cut()
	}
	return c.net.Close()
}

// closeWrite ends the sending direction. A connection that does not take it is
// over already.
func (c *conn) closeWrite() {
	if g, ok := c.net.(guarded); ok {
		_ = g.closeWrite()
		return
	}
	_ = closeWrite(c.net)
}

// overLocked reports whether the last has been written or the connection cut, or else a channel that tells.
func (c *conn) overLocked() (over <-chan struct{}, isOver bool) {
	if c.finished || c.closed {
		return nil, true
	}
	if c.over == nil {
		c.over = make(chan struct{})
	}
	return c.over, false
}

// tellOverLocked wakes who waits for finished or closed.
func (c *conn) tellOverLocked() {
	if c.over != nil {
		close(c.over)
		c.over = nil
	}
}

// limitReadLocked bounds reading from now on. A connection that does not take the deadline is cut.
func (c *conn) limitReadLocked(d time.Duration) {
	if err := c.net.SetReadDeadline(time.Now().Add(d)); err != nil {
		_ = c.cut()
	}
}
