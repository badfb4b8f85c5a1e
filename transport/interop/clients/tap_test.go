package clients_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/planrooms/planrooms/transport/transporttest"
)

// tap is a listener that records data of its connections.
type tap struct {
	net.Listener
	wrote chan []byte   // the first write of each connection
	pongs chan struct{} // receives when a client has sent a pong

	readers sync.WaitGroup
}

func newTap(ln net.Listener) *tap {
	return &tap{Listener: ln, wrote: make(chan []byte, 1), pongs: make(chan struct{}, 1)}
}

// Accept implements [net.Listener].
func (l *tap) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	pr, pw := io.Pipe()
	l.readers.Go(func() { l.read(pr) })
	return &tapped{Conn: nc, tap: l, copy: pw}, nil
}

// read finds pongs in the data of a client: a request, followed by small frames.
func (l *tap) read(pr *io.PipeReader) {
	defer func() { _, _ = io.Copy(io.Discard, pr) }() // otherwise the connection would block
	br := bufio.NewReader(pr)
	if _, err := http.ReadRequest(br); err != nil {
		return
	}
	for {
		var head [6]byte // FIN and opcode, mask bit and length, masking key
		if _, err := io.ReadFull(br, head[:]); err != nil {
			return
		}
		if _, err := br.Discard(int(head[1] & 0x7f)); err != nil {
			return
		}
		if head[0] == 0x80|byte(transporttest.OpPong) {
			select {
			case l.pongs <- struct{}{}:
			default: // drop it: one pong is enough
			}
		}
	}
}

// tapped is a connection of a tap.
type tapped struct {
	net.Conn
	tap   *tap
	copy  *io.PipeWriter
	first sync.Once
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		_, _ = c.copy.Write(b[:n])
	}
	return n, err
}

func (c *tapped) Write(b []byte) (int, error) {
	c.first.Do(func() { c.tap.wrote <- append([]byte(nil), b...) })
	return c.Conn.Write(b)
}

func (c *tapped) Close() error {
	_ = c.copy.Close()
	return c.Conn.Close()
}
