package load

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime"

	"golang.org/x/sys/unix"
)

// tlsSocket is a connection over TLS. A goroutine makes the handshake, blocking. After that the
// engine's loop reads and writes without blocking, below the net package.
type tlsSocket struct {
	*net.TCPConn // what package crypto/tls reads and writes
	conn         *tls.Conn
	fd           int // of TCPConn, once the handshake has ended; 0 before
}

// shaken is the result of one handshake.
type shaken struct {
	i      int // index of the connection
	socket *tlsSocket
	err    error
}

// wouldBlock is the error for crypto/tls that nothing has arrived. It keeps a part of a record,
// since the error is temporary.
type wouldBlock struct{}

func (wouldBlock) Error() string   { return "load: nothing has arrived" }
func (wouldBlock) Timeout() bool   { return false }
func (wouldBlock) Temporary() bool { return true }

// openTLS starts a handshake in a goroutine, which takeShaken waits for.
func (e *engine) openTLS(i int) {
	e.connections[i] = connection{room: i % len(e.rooms), state: dialling, began: now()}
	e.rooms[i%len(e.rooms)].readers++
	go func() {
		socket, err := shake(e.config.TLSAddr)
		e.shaken <- shaken{i, socket, err} // has room for all that are under way
	}()
}

func shake(address string) (*tlsSocket, error) {
	nc, err := net.Dial("tcp4", address)
	if err != nil {
		return nil, err
	}
	s := &tlsSocket{TCPConn: nc.(*net.TCPConn)}
	// The server's certificate is its own.
	s.conn = tls.Client(s, &tls.Config{InsecureSkipVerify: true})
	if err := s.conn.Handshake(); err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	raw, err := s.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { s.fd = int(fd) })
	}
	if err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	return s, nil
}

// takeShaken asks for the upgrade on the connections whose handshake has ended.
func (e *engine) takeShaken() error {
	runtime.Gosched()
	for {
		select {
		case s := <-e.shaken:
			if s.err != nil {
				return fmt.Errorf("%w: TLS: %w", errHandshake, s.err)
			}
			c := &e.connections[s.i]
			c.tls, c.fd = s.socket, s.socket.fd
			if err := e.request(c, int32(s.i)); err != nil {
				return err
			}
			if err := e.poller.add(c.fd, int32(s.i), readable); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// read returns EAGAIN if no whole record has arrived.
func (s *tlsSocket) read(b []byte) (int, error) {
	n, err := s.conn.Read(b)
	if errors.Is(err, wouldBlock{}) {
		err = unix.EAGAIN
	}
	return n, err
}

// Read is called by crypto/tls.
func (s *tlsSocket) Read(b []byte) (int, error) {
	if s.fd == 0 {
		return s.TCPConn.Read(b)
	}
	n, err := unix.Read(s.fd, b)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return 0, wouldBlock{}
	case err != nil:
		return 0, err
	case n == 0:
		return 0, net.ErrClosed
	}
	return n, nil
}

// Write is called by crypto/tls. What a client writes is short enough to always fit.
func (s *tlsSocket) Write(b []byte) (int, error) {
	if s.fd == 0 {
		return s.TCPConn.Write(b)
	}
	return unix.Write(s.fd, b)
}

// reset closes the connection, which leaves no port waiting.
func (s *tlsSocket) reset() {
	s.SetLinger(0) // the connection ends in any case
	s.TCPConn.Close()
}
