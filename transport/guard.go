package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// maxEmptyReads is how many consecutive reads may return neither bytes nor an error.
const maxEmptyReads = 100

// errMiscount reports a result of Read or Write that no [net.Conn] may return. Using it would cause
// a panic or an endless loop.
var errMiscount = errors.New("transport: a hijacked connection returned an impossible count")

// guarded wraps a hijacked connection that is neither a plain TCP nor a plain Unix socket.
// Middleware and listeners may pass any type. The hub's goroutines call it, and a panic there would
// end the process, so guarded turns panics and impossible results into errors.
type guarded struct {
	net.Conn
	log *slog.Logger
}

// Read implements [net.Conn].
func (g guarded) Read(b []byte) (n int, err error) {
	defer g.recoverPanic(&err)
	for range maxEmptyReads {
		n, err = g.Conn.Read(b)
		if n < 0 || n > len(b) {
			return 0, g.miscount("Read")
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, g.miscount("Read")
}

// Write implements [net.Conn].
func (g guarded) Write(b []byte) (n int, err error) {
	defer g.recoverPanic(&err)
	n, err = g.Conn.Write(b)
	if n < 0 || n > len(b) || n == 0 && err == nil && len(b) > 0 {
		return 0, g.miscount("Write")
	}
	return n, err
}

// miscount logs that a method returned an impossible result, and returns errMiscount.
func (g guarded) miscount(method string) error {
	g.log.LogAttrs(context.Background(), slog.LevelError, errMiscount.Error(),
		slog.String("type", fmt.Sprintf("%T", g.Conn)), slog.String("method", method))
	return errMiscount
}

// Close implements [net.Conn].
func (g guarded) Close() (err error) {
	defer g.recoverPanic(&err)
	return g.Conn.Close()
}

// SetReadDeadline implements [net.Conn].
func (g guarded) SetReadDeadline(t time.Time) (err error) {
	defer g.recoverPanic(&err)
	return g.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements [net.Conn].
func (g guarded) SetWriteDeadline(t time.Time) (err error) {
	defer g.recoverPanic(&err)
	return g.Conn.SetWriteDeadline(t)
}

// setWriteBuffer sets the size of the socket's send buffer, if there is one.
func (g guarded) setWriteBuffer(bytes int) (err error) {
	defer g.recoverPanic(&err)
	return setWriteBuffer(g.socket(), bytes)
}

// closeWrite ends the sending direction.
func (g guarded) closeWrite() (err error) {
	defer g.recoverPanic(&err)
	if t, ok := g.Conn.(*tls.Conn); ok {
		_ = t.CloseWrite() // the connection may have ended already
	}
	return closeWrite(g.socket())
}

// cut closes the socket. A graceful close of a TLS connection could take five seconds.
func (g guarded) cut() (err error) {
	defer g.recoverPanic(&err)
	return g.socket().Close()
}

// socket returns the connection below TLS, or the connection itself without TLS.
func (g guarded) socket() net.Conn {
	if t, ok := g.Conn.(*tls.Conn); ok {
		return t.NetConn()
	}
	return g.Conn
}

// recoverPanic turns a panic into the error of the method that panicked.
func (g guarded) recoverPanic(err *error) {
	if v := recover(); v != nil {
		p := newPanicError(v)
		g.log.LogAttrs(context.Background(), slog.LevelError, "transport: a hijacked connection panicked",
			slog.String("type", fmt.Sprintf("%T", g.Conn)), slog.String("panic", p.what), slog.String("stack", p.stack))
		*err = p
	}
}

func setWriteBuffer(nc net.Conn, bytes int) error {
	if s, ok := nc.(interface{ SetWriteBuffer(bytes int) error }); ok {
		return s.SetWriteBuffer(bytes)
	}
	return nil
}

func closeWrite(nc net.Conn) error {
	if s, ok := nc.(interface{ CloseWrite() error }); ok {
		return s.CloseWrite()
	}
	return nil
}
