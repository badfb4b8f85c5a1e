package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// guarded is a hijacked connection that is neither a plain TCP nor a plain Unix socket. Middleware
// and listeners may pass any type, and goroutines of the hub call it, where a panic would end the
// process: guarded returns an error instead.
type guarded struct {
	net.Conn
	log *slog.Logger
}

// Read implements [net.Conn].
func (g guarded) Read(b []byte) (n int, err error) {
	defer g.survive(&err)
	return g.Conn.Read(b)
}

// Write implements [net.Conn].
func (g guarded) Write(b []byte) (n int, err error) {
	defer g.survive(&err)
	return g.Conn.Write(b)
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
