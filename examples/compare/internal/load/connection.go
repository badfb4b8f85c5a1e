package load

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/planrooms/planrooms/examples/compare/internal/event"
)

// connection is one client.
type connection struct {
	fd      int
	room    int
	state   state
	stalls  bool // stops reading before the measurement
	seq     int64
	began   int64
	tls     *tlsSocket // nil without TLS
	partial []byte     // of a message that has not arrived completely
}

type state uint8

const (
	unopened  state = iota
	dialling        // the TCP connection is under way
	upgrading       // the request is written
	entering        // hello is said
	joined          // in its room
	gone
)

// The handshake of RFC 6455, with the key of its example: servers do not mind.
const (
	handshakeKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	handshakeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

var errHandshake = errors.New("load: handshake")

func (e *engine) handle(c *connection, tag int32, events uint32) error {
	if c.state == dialling {
		return e.upgrade(c, tag, events)
	}
	if events&(readable|broken) == 0 {
		return nil
	}
	for {
		// A message that has begun stands before what comes now, in the buffer that all share.
		k := copy(e.buffer, c.partial)
		n, err := c.read(e.buffer[k:])
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			return nil
		}
		if n <= 0 || err != nil {
			if c.state != joined {
				return fmt.Errorf("%w: the server closed the connection (%v)", errHandshake, err)
			}
			e.drop(c)
			return nil
		}
		rest, err := e.parse(c, e.buffer[:k+n])
		c.partial = append(c.partial[:0], rest...)
		if err != nil || c.tls == nil || c.state == gone {
			return err // the next event of epoll reports that there is more
		}
	}
}

// read reads what has arrived. Over TLS that is at most one record, and epoll does not report those
// that are left.
func (c *connection) read(b []byte) (int, error) {
	if c.tls != nil {
		return c.tls.read(b)
	}
	return unix.Read(c.fd, b)
}

// upgrade sends the request once the TCP connection stands.
func (e *engine) upgrade(c *connection, tag int32, events uint32) error {
	if events&broken != 0 {
		code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		return fmt.Errorf("%w: connect: %w (%v)", errHandshake, unix.Errno(code), err)
	}
	if err := e.request(c, tag); err != nil {
		return err
	}
	return e.poller.change(c.fd, tag, readable)
}

// request asks for the upgrade to WebSocket.
func (e *engine) request(c *connection, tag int32) error {
	path, authorization := "/ws?room="+e.rooms[c.room].name, ""
	if e.dialect.token {
		path, authorization = "/ws", "Authorization: Bearer "+e.tokens[tag]+"\r\n"
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: " + e.config.Addr + "\r\n" + authorization +
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + handshakeKey + "\r\n\r\n"
	c.state = upgrading
	return c.write([]byte(request))
}

// parse takes in what has arrived and returns the beginning of a message that has not arrived
// completely.
func (e *engine) parse(c *connection, b []byte) (rest []byte, err error) {
	if c.state == upgrading {
		end := bytes.Index(b, []byte("\r\n\r\n"))
		if end < 0 {
			return b, nil
		}
		if !bytes.HasPrefix(b, []byte("HTTP/1.1 101 ")) || !bytes.Contains(b[:end], []byte(handshakeAccept)) {
			return nil, fmt.Errorf("%w: refused: %q", errHandshake, b[:end])
		}
		b = b[end+4:]
		if e.dialect.hello == nil {
			e.enter(c)
		} else {
			c.state = entering
			if err := c.write(clientFrame(opText, e.dialect.hello(e.rooms[c.room].name))); err != nil {
				return nil, err
			}
		}
	}
	for {
		f, rest, complete, err := cutFrame(b)
		if err != nil || !complete {
			return rest, err
		}
		b = rest
		e.received += int64(f.size)
		switch f.op {
		case opText, opBinary:
			err = e.message(c, f.payload)
		case opPing:
			err = c.write(clientFrame(opPong, f.payload))
		case opClose:
			if c.state != joined {
				return nil, fmt.Errorf("%w: closed: %q", errHandshake, f.payload)
			}
			e.drop(c)
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (e *engine) enter(c *connection) {
	c.state = joined
	e.joined++
	e.joinTimes = append(e.joinTimes, now()-c.began)
}

// message counts the events in a message: centrifuge joins several, a line for each.
func (e *engine) message(c *connection, m []byte) error {
	if c.state == entering {
		if e.dialect.welcomes(m) {
			e.enter(c)
		}
		return nil
	}
	if e.dialect.ping != nil && bytes.Equal(bytes.TrimSpace(m), e.dialect.ping) {
		return c.write(clientFrame(opText, e.dialect.pong))
	}
	var t int64
	for rest := m; ; {
		mark, after, found := event.Cut(rest)
		if !found {
			return nil
		}
		end := bytes.IndexByte(after, '\n')
		if end < 0 {
			end = len(after)
		}
		e.overhead = len(rest) - len(after) + end - mark.Size
		rest = after[end:]
		if len(rest) > 0 {
			rest = rest[1:]
		}
		if t == 0 {
			t = now()
		}
		if mark.Seq != c.seq+1 {
			e.disorder++
		}
		c.seq = mark.Seq
		e.delivered++
		if e.deliver != nil {
			e.deliver(c, mark.Seq, mark.Time, t)
		}
	}
}

// drop takes note that the server ended a connection.
func (e *engine) drop(c *connection) {
	c.state = gone
	e.dropped++
	if c.tls != nil {
		c.tls.reset()
		return
	}
	unix.Close(c.fd)
}

// write sends what is short enough to always fit.
func (c *connection) write(b []byte) error {
	write := func(b []byte) (int, error) { return unix.Write(c.fd, b) }
	if c.tls != nil {
		write = c.tls.conn.Write
	}
	if n, err := write(b); err != nil || n != len(b) {
		return fmt.Errorf("load: wrote %d of %d bytes (%v)", n, len(b), err)
	}
	return nil
}
