package room_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// peerFraming is a kind, a length of four bytes and the content. Two values with different marks are different framings, so
// that a room has members of both.
type peerFraming struct {
	mark byte
	seam *seam // passed while a message is framed; nil if none
}

// seam is a place in the hub's code at which a test can stop it. The zero value lets everything through.
type seam struct {
	armed   atomic.Bool
	reached chan struct{} // closed by the one that is stopped
	open    chan struct{} // closed by the test to let it go on
}

func newSeam() *seam { return &seam{reached: make(chan struct{}), open: make(chan struct{})} }

func (s *seam) pass() {
	if s != nil && s.armed.Swap(false) {
		close(s.reached)
		<-s.open
	}
}

const (
	peerMessage byte = iota
	peerPing
	peerClose
	peerControl // what a transport writes on its own
)

func (f peerFraming) append(dst []byte, kind byte, content []byte) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, f.mark, kind), uint32(len(content)))
	return append(dst, content...)
}

func (f peerFraming) AppendMessage(dst, payload []byte) []byte {
	f.seam.pass()
	return f.append(dst, peerMessage, payload)
}

func (f peerFraming) AppendPing(dst []byte) []byte { return f.append(dst, peerPing, nil) }
func (f peerFraming) AppendClose(dst []byte, code protocol.CloseCode, reason string) []byte {
	return f.append(dst, peerClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...))
}

// heard is a message as a peer read it.
type heard struct {
	msg protocol.Message
	end int64 // how many bytes the connection had taken when the message was whole
}

// peer is one in-memory connection and the client behind it. Unlike a roomtest.Member it knows at which byte of
// the stream each message ended, holds the hub to the contract of room.Sink, and can be like TLS, which only takes what is
// written blocking.
type peer struct {
	framing  peerFraming
	blocking bool  // TryWrite takes nothing
	capacity int   // bytes that a stalled stream holds
	seam     *seam // passed in TryWrite; nil if none

	writing atomic.Int32 // calls of TryWrite and Write under way

	mu       sync.Mutex // guards the following
	stream   []byte     // taken and not yet read by the client
	taken    int64
	read     int64
	stalled  bool
	mute     bool // pings stay unanswered
	closed   bool
	finished int                // calls of Finish
	code     protocol.CloseCode // of the close frame that was read; 0 if none was
	messages []heard
	faults   []string
	changed  chan struct{} // closed and replaced whenever something has changed
	onRead   func(protocol.Message)
	session  *room.Session
}

var _ room.Sink = (*peer)(nil)

func newPeer(mark byte, capacity int) *peer {
	return &peer{framing: peerFraming{mark: mark}, capacity: capacity, changed: make(chan struct{})}
}

// connect connects the peer; the hub's error is returned.
func (p *peer) connect(h *room.Hub, id auth.Identity, clientID string, v auth.Verifier) error {
	s, err := h.Connect(context.Background(), id, p, &room.ConnectOptions{ClientID: clientID, Verifier: v})
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.session = s
	closed := p.closed
	p.mu.Unlock()
	if closed {
		s.End(protocol.CloseAbnormal)
	}
	return nil
}

func (p *peer) Framing() room.Framing { return p.framing }

func (p *peer) enter() {
	if p.writing.Add(1) != 1 {
		p.fault("two writes at once")
	}
	if rand.N(8) == 0 {
		runtime.Gosched() // a seam: let others come in between
	}
}

func (p *peer) TryWrite(b []byte) (int, error) {
	p.enter()
	defer p.writing.Add(-1)
	p.seam.pass()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.blocking && !p.closed {
		return 0, nil
	}
	return p.putLocked(b)
}

func (p *peer) Write(b []byte, deadline time.Time) (int, error) {
	p.enter()
	defer p.writing.Add(-1)
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	for {
		p.mu.Lock()
		changed := p.changed
		n, err := p.putLocked(b)
		p.mu.Unlock()
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-changed:
		case <-t.C:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (p *peer) putLocked(b []byte) (int, error) {
	if p.closed {
		return 0, net.ErrClosed
	}
	if p.finished > 0 {
		p.faultLocked("a write after Finish")
	}
	n := len(b)
	if p.stalled {
		n = min(n, max(0, p.capacity-len(p.stream)))
	}
	p.stream = append(p.stream, b[:n]...)
	p.taken += int64(n)
	if !p.stalled {
		p.readLocked()
	}
	return n, nil
}

// readLocked is the client's reader.
func (p *peer) readLocked() {
	const header = 6
	for len(p.stream) >= header {
		if p.stream[0] != p.framing.mark {
			p.faultLocked("a frame of another framing, or a torn one")
			p.stream = nil
			return
		}
		end := header + int(binary.BigEndian.Uint32(p.stream[2:header]))
		if len(p.stream) < end {
			break
		}
		kind, content := p.stream[1], p.stream[header:end]
		p.stream = p.stream[end:]
		p.read += int64(end)
		if p.code != 0 {
			p.faultLocked("a frame after the close frame")
		}
		switch kind {
		case peerMessage:
			msg, err := protocol.Decode(content)
			if err != nil {
				p.faultLocked(fmt.Sprintf("got %q: %v", content, err))
				continue
			}
			p.messages = append(p.messages, heard{msg, p.read})
			if p.onRead != nil {
				p.onRead(msg)
			}
		case peerPing:
			if p.session != nil && !p.mute && !p.closed {
				p.session.Seen()
			}
		case peerClose:
			p.code = protocol.CloseCode(binary.BigEndian.Uint16(content))
		}
	}
	if len(p.stream) == 0 {
		p.stream = nil
	}
	p.changedLocked()
}

func (p *peer) changedLocked() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *peer) Finish() {
	p.mu.Lock()
	p.finished++
	if p.finished > 1 {
		p.faultLocked("two calls of Finish")
	}
	code := p.code
	p.mu.Unlock()
	if code == 0 {
		code = protocol.CloseAbnormal
	}
	p.end(code)
}

func (p *peer) Close() error {
	p.end(protocol.CloseAbnormal)
	return nil
}

func (p *peer) end(code protocol.CloseCode) {
	p.mu.Lock()
	p.closed = true
	s := p.session
	p.changedLocked()
	p.mu.Unlock()
	if s != nil {
		s.End(code)
	}
}

// bye is the client's own clean close.
func (p *peer) bye() {
	p.session.CloseFrame(protocol.CloseNormal, p.framing.AppendClose(nil, protocol.CloseNormal, ""))
	p.end(protocol.CloseNormal)
}

func (p *peer) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = true
}

func (p *peer) unstall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = false
	p.readLocked()
}

// sip has a stalled client read up to n bytes.
func (p *peer) sip(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n = min(n, len(p.stream))
	later := p.stream[n:]
	p.stream = p.stream[:n:n]
	p.readLocked()
	p.stream = append(p.stream, later...)
}

// take returns the messages read since it was last called.
func (p *peer) take() []heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.messages
	p.messages = nil
	return m
}

// state returns how many bytes were taken and whether the connection is over or its client not reading.
func (p *peer) state() (taken int64, closed, stalled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken, p.closed, p.stalled
}

func (p *peer) isClosed() bool  { _, c, _ := p.state(); return c }
func (p *peer) isStalled() bool { _, _, s := p.state(); return s }
func (p *peer) bytes() int64    { n, _, _ := p.state(); return n }

func (p *peer) fault(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faultLocked(text)
}

func (p *peer) faultLocked(text string) { p.faults = append(p.faults, text) }

func (p *peer) faultsSeen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// wait blocks until cond, which is called without a lock, holds or d has passed.
func (p *peer) wait(d time.Duration, cond func() bool) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		if cond() {
			return true
		}
		select {
		case <-changed:
		case <-t.C:
			return cond()
		}
	}
}

func (p *peer) request(r protocol.Request) {
	b, err := protocol.EncodeRequest(r)
	if err != nil {
		panic(err)
	}
	p.session.Seen()
	p.session.Receive(b)
}

func (p *peer) join(planID string, since *protocol.Position) {
	p.request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: planID, Since: since})
}

func (p *peer) leave(planID string) {
	p.request(protocol.Request{Type: protocol.TypeLeavePlan, PlanID: planID})
}
