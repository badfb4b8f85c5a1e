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

// maxEmptyReads is how often in a row a connection may return neither bytes nor an error.
const maxEmptyReads = 100

// errMiscount reports a result of Read or Write that no [net.Conn] may return. Counting with it would
// panic or never end.
var errMiscount = errors.New("transport: a hijacked connection returned an impossible count")

// guarded is a hijacked connection that is neither a plain TCP nor a plain Unix socket. Middleware
// and listeners may pass any type, and goroutines of the hub call it, where a panic would end the
// process: guarded returns an error instead. It does so for impossible results, too.
type guarded struct {
	net.Conn
	log *slog.Logger
}

// Read implements [net.Conn].
func (g guarded) Read(b []byte) (n int, err error) {
	defer g.survive(&err)
	for range maxEmptyReads {
		n, err = g.Conn.Read(b)
		if n < 0 || n > len(b) {
			return 0, g.miscounts("Read")
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, g.miscounts("Read")
}

// Write implements [net.Conn].
func (g guarded) Write(b []byte) (n int, err error) {
	defer g.survive(&err)
	n, err = g.Conn.Write(b)
	if n < 0 || n > len(b) || n == 0 && err == nil && len(b) > 0 {
		return 0, g.miscounts("Write")
	}
	return n, err
}

// miscounts logs that a method returned an impossible result, and returns errMiscount.
func (g guarded) miscounts(method string) error {
	g.log.LogAttrs(context.Background(), slog.LevelError, errMiscount.Error(),
		slog.String("type", fmt.Sprintf("%T", g.Conn)), slog.String("method", method))
	return errMiscount
}

// Close implements [net.Conn].
func (g guarded) Close() (err error) {
	defer g.survive(&err)
	return g.Conn.Close()
}

// SetReadDeadline implements [net.Conn].
func (g guarded) SetReadDeadline(t time.Time) (err error) {
	defer g.survive(&err)
	return g.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements [net.Conn].
func (g guarded) SetWriteDeadline(t time.Time) (err error) {
	defer g.survive(&err)
	return g.Conn.SetWriteDeadline(t)
}

// setWriteBuffer sets the size of the socket's send buffer, where there is one.
func (g guarded) setWriteBuffer(bytes int) (err error) {
	defer g.survive(&err)
	return setWriteBuffer(g.socket(), bytes)
}

// closeWrite ends the sending direction.
func (g guarded) closeWrite() (err error) {
	defer g.survive(&err)
	if t, ok := g.Conn.(*tls.Conn); ok {
		_ = t.CloseWrite() // the connection may be over already
	}
	return closeWrite(g.socket())
}

// cut closes the socket. Closing a TLS connection properly could take five seconds.
func (g guarded) cut() (err error) {
	defer g.survive(&err)
	return g.socket().Close()
}

// socket returns the connection below TLS.
func (g guarded) socket() net.Conn {
	if t, ok := g.Conn.(*tls.Conn); ok {
		return t.NetConn()
	}
	return g.Conn
}

// survive turns a panic into the error of the call that panicked.
func (g guarded) survive(err *error) {
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
