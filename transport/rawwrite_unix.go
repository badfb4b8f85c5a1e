//go:build unix

package transport

import (
	"net"
	"os"
	"syscall"
	"time"
)

// rawWriter writes to a socket, either without blocking or waiting until the socket is writable. A
// write that times out reports the bytes it has written. The methods must not be called
// concurrently.
type rawWriter struct {
	raw  syscall.RawConn
	step func(fd uintptr) (done bool) // rw.write; a method value per call would allocate

	// Owned by the current call.
	b    []byte
	n    int
	err  error
	wait bool
}

// attach sets the socket of rw. It reports false if conn is neither a TCP nor a Unix connection; rw
// must not be used then. It compares types exactly, because a type that embeds one of them may have
// its own Write method, which must not be bypassed.
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
	rw.raw, rw.step = raw, rw.write
	return true
}

// tryWrite writes what the socket accepts without blocking.
func (rw *rawWriter) tryWrite(b []byte) (int, error) { return rw.do(b, false) }

// waitWrite waits until the socket, which is that of conn, has accepted at least one byte or the
// deadline passes.
func (rw *rawWriter) waitWrite(conn net.Conn, b []byte, deadline time.Time) (int, error) {
	if err := conn.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := rw.do(b, true)
	// An expired deadline would make every later tryWrite fail.
	if err2 := conn.SetWriteDeadline(time.Time{}); err2 != nil {
		return n, err2
	}
	if os.IsTimeout(err) {
		// The kernel reports a socket as writable only when a third of its buffer is free. A peer
		// that has read less than that until the deadline is slow, but it has made progress.
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
	rw.b = nil // the caller owns the bytes
	if err == nil {
		err = rw.err
	}
	return rw.n, err
}

// write is the callback of RawConn.Write. If it returns false, RawConn waits until the socket is
// writable and calls it again. Only waitWrite may wait.
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
