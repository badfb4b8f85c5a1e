package roomtest

import (
	"encoding/binary"
	"net"
	"os"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// sink is one in-memory connection: what the hub writes is a stream of bytes, as on a socket.
type sink struct {
	blocking bool // TryWrite takes nothing

	mu       sync.Mutex // guards the following
	stream   []byte     // written and not yet taken by the client
	stalled  bool       // the client takes nothing
	capacity int        // how many bytes a stalled stream holds
	closed   bool
	code     protocol.CloseCode // from the close frame; 0 if none came
	messages [][]byte
	changed  chan struct{} // closed and replaced whenever something has changed
	session  *room.Session // nil until Connect has returned
}

func newSink(capacity int, blocking bool) *sink {
	return &sink{capacity: capacity, blocking: blocking, changed: make(chan struct{})}
}

var _ room.Sink = (*sink)(nil)

func (k *sink) Framing() room.Framing { return framing{} }

func (k *sink) TryWrite(b []byte) (int, error) {
	if k.blocking {
		return 0, nil
	}
	return k.put(b)
}

// put takes what there is room for.
func (k *sink) put(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return 0, net.ErrClosed
	}
	n := len(b)
	if k.stalled {
		n = min(n, max(0, k.capacity-len(k.stream)))
	}
	k.stream = append(k.stream, b[:n]...)
	if !k.stalled {
		k.takeLocked()
	}
	return n, nil
}

func (k *sink) Write(b []byte, deadline time.Time) (int, error) {
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	for {
		k.mu.Lock()
		changed := k.changed
		k.mu.Unlock()
		if n, err := k.put(b); n > 0 || err != nil {
			return n, err
		}
		select {
		case <-changed:
		case <-t.C:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (k *sink) Finish() {
	k.mu.Lock()
	code := k.code
	k.mu.Unlock()
	if code == 0 { // the peer reads nothing: it never saw the close frame
		code = protocol.CloseAbnormal
	}
	k.end(code)
}

func (k *sink) Close() error {
	k.end(protocol.CloseAbnormal)
	return nil
}

// end closes the connection and ends its session.
func (k *sink) end(code protocol.CloseCode) {
	k.mu.Lock()
	k.closed = true
	s := k.session
	k.changedLocked()
	k.mu.Unlock()
	if s != nil {
		s.End(code)
	}
}

// attach names the session, which the connection may already have outlived.
func (k *sink) attach(s *room.Session) {
	k.mu.Lock()
	k.session = s
	closed := k.closed
	k.mu.Unlock()
	if closed {
		s.End(protocol.CloseAbnormal)
	}
}

func (k *sink) changedLocked() {
	close(k.changed)
	k.changed = make(chan struct{})
}

// takeLocked is the client's reader: it takes all whole frames.
func (k *sink) takeLocked() {
	for {
		kind, content, rest, ok := cutFrame(k.stream)
		if !ok {
			break
		}
		switch kind {
		case kindMessage:
			k.messages = append(k.messages, append([]byte(nil), content...))
		case kindPing:
			if k.session != nil {
				k.session.Seen()
			}
		case kindClose:
			k.code = protocol.CloseCode(binary.BigEndian.Uint16(content))
		}
		k.stream = rest
	}
	k.stream = append([]byte(nil), k.stream...)
	k.changedLocked()
}

func (k *sink) stall() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stalled = true
}

func (k *sink) unstall() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stalled = false
	k.takeLocked()
}
