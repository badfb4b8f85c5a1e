package roomtest

import (
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// Counts counts what a hub has written. Several sinks may share one.
type Counts struct{ Bytes, Writes atomic.Int64 }

// SinkOptions configure a [Sink]. Nil means none of them.
type SinkOptions struct {
	// Framing is the framing of the connection.
	Framing Lines
	// Blocking makes TryWrite take nothing, as over TLS, so that the hub calls Write.
	Blocking bool
	// Mute leaves the hub's pings unanswered.
	Mute bool
	// Hold, if not nil, can stop the hub while it writes.
	Hold *Hold
	// Counts, if not nil, counts the bytes and the writes. By default the sink has a value for
	// that.
	Counts *Counts
	// OnMessage, if not nil, is called with each message that the client reads, in the goroutine of
	// the hub. It must not call methods of the sink.
	OnMessage func(Received)
	// Discard keeps nothing of what the client reads. Without OnMessage, the sink also has no
	// window, checks nothing and answers no pings. It then costs almost nothing, for benchmarks.
	Discard bool
}

// Sink is one in-memory connection as the hub sees it, with a window: the number of bytes that it
// takes at once. The client behind it reads everything, unless it is stalled; a test then looks at
// what was read. For most tests a [Member] is simpler.
//
// The sink checks that the hub keeps to the contract of [room.Sink]: see [Sink.Faults]. Methods may
// be called from any goroutine.
type Sink struct {
	opts   SinkOptions
	counts *Counts

	writing atomic.Int32 // calls of TryWrite and Write in progress

	mu       sync.Mutex // guards the following
	window   int        // how many bytes more are taken; negative: no limit
	stalled  bool       // the client does not read
	stream   []byte     // taken, and not read by the client
	line     []byte     // the beginning of the line that the client is reading
	read     int64      // bytes that the client has read
	received []byte     // read by the client, and not taken by the test
	code     protocol.CloseCode
	err      error // of the next writes
	finished bool
	cut      bool
	over     bool
	faults   []string
	session  *room.Session // nil until Connect has returned
	changed  chan struct{} // closed at the next change; nil if no goroutine waits
}

var _ room.Sink = (*Sink)(nil)

// NewSink returns a connection without a window limit. Its client reads. See [Sink.Connect].
func NewSink(o *SinkOptions) *Sink {
	k := &Sink{window: -1}
	if o != nil {
		k.opts = *o
	}
	if k.counts = k.opts.Counts; k.counts == nil {
		k.counts = &Counts{}
	}
	return k
}

// Framing implements [room.Sink].
func (k *Sink) Framing() room.Framing { return k.opts.Framing }

// TryWrite implements [room.Sink].
func (k *Sink) TryWrite(b []byte) (int, error) {
	if k.opts.Blocking {
		return 0, nil
	}
	if k.countsOnly() {
		k.count(len(b))
		return len(b), nil
	}
	defer k.enter()()
	return k.put(b)
}

// Write implements [room.Sink].
func (k *Sink) Write(b []byte, deadline time.Time) (int, error) {
	if k.countsOnly() {
		k.count(len(b))
		return len(b), nil
	}
	defer k.enter()()
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	for {
		changed := k.next()
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

func (k *Sink) countsOnly() bool { return k.opts.Discard && k.opts.OnMessage == nil }

func (k *Sink) count(n int) {
	k.counts.Bytes.Add(int64(n))
	k.counts.Writes.Add(1)
}

// enter begins a write. The function that it returns ends it.
func (k *Sink) enter() func() {
	if k.writing.Add(1) != 1 {
		k.mu.Lock()
		k.faultLocked("two writes at the same time")
		k.mu.Unlock()
	}
	if rand.N(8) == 0 {
		runtime.Gosched() // other goroutines may run in the middle of a write
	}
	k.opts.Hold.pass()
	return func() { k.writing.Add(-1) }
}

// put takes as much as the window allows.
func (k *Sink) put(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.over:
		return 0, net.ErrClosed
	case k.err != nil:
		return 0, k.err
	case k.finished:
		k.faultLocked("a write after Finish")
	}
	n := len(b)
	if k.window >= 0 {
		n = min(n, k.window)
		k.window -= n
	}
	if n == 0 {
		return 0, nil
	}
	k.count(n)
	if k.stalled {
		k.stream = append(k.stream, b[:n]...)
	} else {
		k.readLocked(b[:n])
	}
	return n, nil
}

// Finish implements [room.Sink]. It ends the session, as a transport does when the peer has closed.
func (k *Sink) Finish() {
	k.mu.Lock()
	if k.finished {
		k.faultLocked("two calls of Finish")
	}
	k.finished = true
	code := k.code
	k.mu.Unlock()
	if code == 0 { // the client has not read the close frame
		code = protocol.CloseAbnormal
	}
	k.End(code)
}

// Close implements [room.Sink]. It ends the session with code 1006.
func (k *Sink) Close() error {
	k.mu.Lock()
	k.cut = true
	k.mu.Unlock()
	k.End(protocol.CloseAbnormal)
	return nil
}

// End ends the connection and the session, as if the network had failed. The code is what the hub
// reports for the connection.
func (k *Sink) End(code protocol.CloseCode) {
	k.mu.Lock()
	k.over = true
	s := k.session
	k.changedLocked()
	k.mu.Unlock()
	if s != nil {
		s.End(code)
	}
}

// faultLocked records a fault of the hub.
func (k *Sink) faultLocked(text string) { k.faults = append(k.faults, text) }

// changedLocked wakes the goroutines that wait for a change.
func (k *Sink) changedLocked() {
	if k.changed != nil {
		close(k.changed)
		k.changed = nil
	}
}

// next returns a channel that is closed at the next change.
func (k *Sink) next() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changed == nil {
		k.changed = make(chan struct{})
	}
	return k.changed
}
