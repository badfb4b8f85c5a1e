//go:build unix

package transport

import (
	"net"
	"os"
	"syscall"
	"time"
)

// rawWriter writes to a socket without waiting, and waits for it without giving up what was written. Its methods are
// never called concurrently.
type rawWriter struct {
	conn net.Conn
	raw  syscall.RawConn
	step func(fd uintptr) (done bool) // rw.write, made once: a method value per call would be an allocation

	// Owned by the call under way.
	b    []byte
	n    int
	err  error
	wait bool
}

// attach gives rw its socket. It reports false if that is neither TCP nor Unix, and rw of no use. The types are compared exactly: a
// type that embeds one of them has a Write of its own, which must not be passed by.
func (rw *rawWriter) attach(conn net.Conn) bool {
	var raw syscall.RawConn
	var err error
	switch c := conn.(type) {
	case *net.TCPConn:
		raw, err = c.SyscallConn()
	case *net.UnixConn:
		raw, err = c.SyscallConn()
	default:
		return false
	}
	if err != nil {
		return false
	}
	rw.conn, rw.raw, rw.step = conn, raw, rw.write
	return true
}

// tryWrite writes what the socket takes at once.
func (rw *rawWriter) tryWrite(b []byte) (int, error) { return rw.do(b, false) }

// waitWrite waits until the socket took at least one byte.
func (rw *rawWriter) waitWrite(b []byte, deadline time.Time) (int, error) {
	if err := rw.conn.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := rw.do(b, true)
	// A deadline that has passed would fail every later tryWrite.
	if err2 := rw.conn.SetWriteDeadline(time.Time{}); err2 != nil {
		return n, err2
	}
	if os.IsTimeout(err) {
		// The kernel reports a socket as writable only when a third of its buffer is free. A reader that has taken
		// less than that in all this time is slow, but it has taken something.
		return rw.lastTry(b)
	}
	return n, err
}

func (rw *rawWriter) lastTry(b []byte) (int, error) {
	n, err := rw.do(b, false)
	if n == 0 && err == nil {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

func (rw *rawWriter) do(b []byte, wait bool) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	rw.b, rw.n, rw.err, rw.wait = b, 0, nil, wait
	err := rw.raw.Write(rw.step)
	rw.b = nil // the bytes belong to the caller
	if err == nil {
		err = rw.err
	}
	return rw.n, err
}

// write is what RawConn.Write calls. Its result says whether it is done: false waits for the socket, and only waitWrite may wait.
func (rw *rawWriter) write(fd uintptr) (done bool) {
	for {
		n, err := syscall.Write(int(fd), rw.b)
		switch err {
		case nil:
			rw.n = n
			return true
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return !rw.wait
		default:
			rw.err = os.NewSyscallError("write", err)
			return true
		}
	}
}
