package transport

import (
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/room"
)

const (
	// closeWait is how long a peer may take to answer the server's close frame.
	closeWait = time.Second
	// finishWait is how long the reader waits for the last frame to be written. The session closes
	// the sink after one second, so this limit is only a safeguard.
	finishWait = 3 * time.Second
	// tlsChunk is the maximum size of one blocking write. Smaller writes make progress visible
	// sooner.
	tlsChunk = 16 << 10
)

// conn is a hijacked connection and implements [room.Sink]. It has its socket from the start, so
// the session can write to it and close it at any time.
//
// reader.go reads the connection. libraryConn is the view of it that the WebSocket library has.
type conn struct {
	// Every event uses these fields, so they are adjacent.
	inline bool   // raw can be used
	head   []byte // unsent part of the handshake answer; owned by the caller who may write
	raw    rawWriter
	net    net.Conn // fixed at creation
	// space allows writes to a TLS connection that do not block. Nil if inline, or if all writes
	// block.
	space *sendSpace

	shared  *shared // fixed at creation
	session session // set before the reader starts

	// broken means that a blocking write timed out and nothing more can be written. Owned by the
	// caller who may write.
	broken bool

	// Owned by the reader.
	counted     bool   // the connection has a place in shared.connections
	ws          socket // used only inside a message
	buffered    []byte // bytes read from the socket that have not been handled
	admitted    int    // prefix of buffered that the library may read
	scan        frameScan
	readErr     error // error of the socket while more bytes were expected
	hasDeadline bool  // the socket has a read deadline: see setMessageDeadline
	sentClose   bool  // the library's close frame has been passed to the session
	discarding  bool  // the connection is being closed: discard all messages
	readBuf     [readBufSize]byte

	releasing atomic.Bool // readLibrary is releasing the library; reading continues
	readEnded atomic.Bool // the library has closed; reading ends

	mu       sync.Mutex    // guards the following
	done     chan struct{} // created by the first waiter, closed when finished or closed is set
	finished bool
	closed   bool
	cutoff   *time.Timer // cuts a finished connection that ignores its read deadline; nil if not needed
}

var _ room.Sink = (*conn)(nil)

// shared is what all connections of a handler use.
type shared struct {
	log         *slog.Logger
	buffers     buffers
	connections semaphore // the number of connections that have been admitted
}

// newConn returns a connection over nc, with a socket send buffer of the given size.
func newConn(nc net.Conn, writeBuffer int, s *shared) *conn {
	c := &conn{net: nc, shared: s}
	c.inline = c.raw.attach(nc)
	// By default the kernel grows the send buffer to megabytes, which hides a reader that has
	// stalled. Ignore the error: a socket with another buffer size still works.
	if c.inline {
		_ = setWriteBuffer(nc, writeBuffer)
		return c
	}
	g := guarded{nc, s.log}
	_ = g.setWriteBuffer(writeBuffer)
	c.net = g
	if t, ok := nc.(*tls.Conn); ok {
		c.space = newSendSpace(t.NetConn())
	}
	return c
}

// Framing returns the framing that all connections share.
func (c *conn) Framing() room.Framing { return framing{} }

// TryWrite implements [room.Sink].
func (c *conn) TryWrite(b []byte) (int, error) {
	if c.head != nil {
		return c.writeHead(b, c.tryWrite)
	}
	return c.tryWrite(b)
}

func (c *conn) tryWrite(b []byte) (int, error) {
	switch {
	case c.inline:
		return c.raw.tryWrite(b)
	case c.space != nil:
		return c.tryTLS(b)
	}
	return 0, nil
}

// tryTLS writes to a TLS connection as long as the socket surely accepts the bytes. A TLS
// connection that has to wait for its peer would block the caller.
func (c *conn) tryTLS(b []byte) (n int, err error) {
	for n < len(b) && err == nil && !c.broken {
		chunk := b[n:min(n+tlsChunk, len(b))]
		if !c.space.take(len(chunk)) {
			break
		}
		var k int
		k, err = c.net.Write(chunk)
		n += k
	}
	return n, err
}

// Write implements [room.Sink].
func (c *conn) Write(b []byte, deadline time.Time) (int, error) {
	write := func(b []byte) (int, error) {
		if c.inline {
			return c.raw.waitWrite(c.net, b, deadline)
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

// writeHead writes the rest of the head, followed by b, in one call. It returns how much of b was
// written.
func (c *conn) writeHead(b []byte, write func([]byte) (int, error)) (int, error) {
	whole := append(c.head, b...) // the capacity of head includes room for the greeting
	n, err := write(whole)
	if n < len(c.head) {
		c.head = c.head[n:]
		return 0, err
	}
	n -= len(c.head)
	c.head = nil
	return n, err
}

// writeBlocking implements Write for connections without a RawConn: TLS, Windows, and other types
// of net.Conn.
func (c *conn) writeBlocking(b []byte, deadline time.Time) (int, error) {
	if c.broken {
		return 0, c.awaitCut(deadline)
	}
	if err := c.net.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	if c.space != nil {
		defer c.space.forget()
	}
	n, err := c.net.Write(b[:min(len(b), tlsChunk)])
	switch {
	case err == nil:
		return n, c.net.SetWriteDeadline(time.Time{})
	case os.IsTimeout(err):
		// Part of a TLS record may have been written, and any connection type may contain TLS.
		// Nothing more can be written.
		c.broken = true
		return 0, os.ErrDeadlineExceeded
	}
	return 0, err
}

// awaitCut waits until the connection is finished or closed, or until the deadline. A broken
// connection waits here instead of writing.
func (c *conn) awaitCut(deadline time.Time) error {
	c.mu.Lock()
	done, isDone := c.doneLocked()
	c.mu.Unlock()
	if isDone {
		return net.ErrClosed
	}
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case <-done:
		return net.ErrClosed
	case <-t.C:
		return os.ErrDeadlineExceeded
	}
}

// Finish implements [room.Sink]. The reader closes the connection when the peer has answered the
// close frame, or after closeWait.
func (c *conn) Finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = true
	c.setReadDeadlineLocked(closeWait)
	if !c.inline && c.cutoff == nil && !c.closed {
		c.cutoff = time.AfterFunc(finishWait, func() { _ = c.cut() })
	}
	c.signalDoneLocked()
}

// Close implements [room.Sink].
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.signalDoneLocked()
	return c.cut()
}

// cut closes the socket immediately and sends nothing to the peer.
func (c *conn) cut() error {
	if g, ok := c.net.(guarded); ok {
		return g.cut()
	}
	return c.net.Close()
}

// closeWrite ends the sending direction. It ignores the error: a connection that returns one has
// already ended.
func (c *conn) closeWrite() {
	if g, ok := c.net.(guarded); ok {
		_ = g.closeWrite()
		return
	}
	_ = closeWrite(c.net)
}

// doneLocked reports whether the connection is finished or closed. If it is neither, doneLocked
// returns a channel that is closed when it is.
func (c *conn) doneLocked() (done <-chan struct{}, isDone bool) {
	if c.finished || c.closed {
		return nil, true
	}
	if c.done == nil {
		c.done = make(chan struct{})
	}
	return c.done, false
}

// signalDoneLocked wakes the goroutines that wait for finished or closed.
func (c *conn) signalDoneLocked() {
	if c.done != nil {
		close(c.done)
		c.done = nil
	}
}

// setReadDeadlineLocked sets the read deadline to d from now. If the connection returns an error,
// it is cut.
func (c *conn) setReadDeadlineLocked(d time.Duration) {
	if err := c.net.SetReadDeadline(time.Now().Add(d)); err != nil {
		_ = c.cut()
	}
}
