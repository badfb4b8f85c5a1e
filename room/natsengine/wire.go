package natsengine

import (
	"net"
	"sync"
	"time"
)

const (
	// writeTimeout is how long a server may take for writeChunk bytes. A client of nats.go writes
	// under a lock that all its methods need, and its own timeout is a minute for each write: a
	// server that is suspended would stop every call, for minutes.
	writeTimeout = 2 * pingInterval
	// closeTimeout is how long the end of a connection may take to write what is buffered.
	closeTimeout = time.Second
	writeChunk   = 64 << 10 // bytes
)

// wire is a network connection that ends when the server does not read from it. nats.go would
// continue to write to it, in the middle of a message.
type wire struct {
	net.Conn
	closed func() // called once, at the first Close
	once   sync.Once
}

// Write implements [net.Conn].
func (w *wire) Write(b []byte) (n int, err error) {
	for {
		// A connection of a custom dialer may have no deadlines.
		_ = w.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		done := 0
		done, err = w.Conn.Write(b[n:min(n+writeChunk, len(b))])
		if n += done; err != nil || n == len(b) {
			break
		}
	}
	if err != nil {
		_ = w.Close() // nats.go connects again when it cannot read
	}
	return n, err
}

// Close implements [net.Conn].
func (w *wire) Close() error {
	w.once.Do(w.closed)
	return w.Conn.Close()
}
