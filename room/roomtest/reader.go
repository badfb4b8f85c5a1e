package roomtest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// Received is a message as the client of a [Sink] read it.
type Received struct {
	protocol.Message
	Text string // the message as it was sent
	End  int64  // how many bytes the client had read at the end of the message
}

// State describes a [Sink] at one moment.
type State struct {
	Finished bool               // the hub has written the last frame and called Finish
	Cut      bool               // the hub has called Close
	Over     bool               // the connection has ended
	Stalled  bool               // the client does not read
	Code     protocol.CloseCode // of the close frame that the client has read; 0: none
}

// Connect connects the sink to a hub, once. It returns the error of [room.Hub.Connect].
func (k *Sink) Connect(h *room.Hub, id auth.Identity, o *room.ConnectOptions) error {
	s, err := h.Connect(context.Background(), id, k, o)
	if err != nil {
		return err
	}
	k.mu.Lock()
	k.session = s
	over := k.over
	k.mu.Unlock()
	if over { // it ended before Connect returned
		s.End(protocol.CloseAbnormal)
	}
	return nil
}

// Session returns the hub's side of the connection. It is nil until Connect has returned.
func (k *Sink) Session() *room.Session {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.session
}

// Send sends one message as it is.
func (k *Sink) Send(message string) {
	s := k.Session()
	s.Seen()
	s.Receive([]byte(message))
}

// Request sends one message. It panics if the request cannot be encoded.
func (k *Sink) Request(r protocol.Request) {
	b, err := protocol.EncodeRequest(r)
	if err != nil {
		panic(fmt.Sprintf("roomtest: request %q: %v", r.Type, err))
	}
	k.Send(string(b))
}

// Join sends a request to join a plan, since a position if that is not nil.
func (k *Sink) Join(planID string, since *protocol.Position) {
	k.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: planID, Since: since})
}

// Leave sends a request to leave a plan.
func (k *Sink) Leave(planID string) {
	k.Request(protocol.Request{Type: protocol.TypeLeavePlan, PlanID: planID})
}

// SendClose sends a close frame. The hub answers it, and then ends the connection.
func (k *Sink) SendClose(code protocol.CloseCode) {
	k.Session().CloseFrame(code, k.opts.Framing.AppendClose(nil, code, ""))
}

// SetWindow sets how many bytes more the connection takes. A negative number means no limit.
func (k *Sink) SetWindow(n int) { k.change(func() { k.window = n }) }

// Stall makes the client stop reading. The connection takes bytes until n are unread.
func (k *Sink) Stall(n int) {
	k.change(func() { k.stalled, k.window = true, max(0, n-len(k.stream)) })
}

// Unstall makes the client read everything. It removes the limit of the window.
func (k *Sink) Unstall() {
	k.change(func() {
		k.stalled, k.window = false, -1
		stream := k.stream
		k.stream = nil
		k.readLocked(stream)
	})
}

// Sip makes a stalled client read up to n bytes. The connection then takes as many more.
func (k *Sink) Sip(n int) {
	k.change(func() {
		n = min(n, len(k.stream))
		head := k.stream[:n]
		k.stream = k.stream[n:]
		k.window += n
		k.readLocked(head)
	})
}

// Fail makes later writes return err.
func (k *Sink) Fail(err error) { k.change(func() { k.err = err }) }

func (k *Sink) change(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f()
	k.changedLocked()
}

// Take returns the text that the client has read since the last call, with an incomplete line at
// the end.
func (k *Sink) Take() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	text := string(k.received)
	k.received = nil
	return text
}

// Messages returns the messages that the client has read since the last call. A test calls either
// Take or Messages.
func (k *Sink) Messages() []Received {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []Received
	for {
		m, ok := k.takeLocked()
		if !ok {
			return all
		}
		all = append(all, m)
	}
}

// Message returns the next message that the client has read. It returns false if there is none.
func (k *Sink) Message() (Received, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.takeLocked()
}

func (k *Sink) takeLocked() (Received, bool) {
	for {
		line, rest, ok := bytes.Cut(k.received, []byte("\n"))
		if !ok {
			return Received{}, false
		}
		m, ok := k.decodeLocked(line, k.read-int64(len(rest)))
		if k.received = rest; len(rest) == 0 {
			k.received = nil
		}
		if ok {
			return m, true
		}
	}
}

// decodeLocked returns the message of a line, if it is one.
func (k *Sink) decodeLocked(line []byte, end int64) (Received, bool) {
	payload, kind, _, ok := k.opts.Framing.parse(line)
	if !ok || kind != "" {
		return Received{}, false
	}
	payload = bytes.Clone(payload) // the buffer belongs to the hub
	m, err := protocol.Decode(payload)
	if err != nil {
		k.faultLocked(fmt.Sprintf("message %q: %v", payload, err))
		return Received{}, false
	}
	return Received{Message: m, Text: string(payload), End: end}, true
}

// Counts returns the counts of bytes and writes that the connection has taken.
func (k *Sink) Counts() *Counts { return k.counts }

// State returns the state of the connection.
func (k *Sink) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return State{Finished: k.finished, Cut: k.cut, Over: k.over, Stalled: k.stalled, Code: k.code}
}

// Faults returns how the hub has broken the contract of [room.Sink] or sent what is not a frame.
func (k *Sink) Faults() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.faults)
}

// Wait calls cond, now and after each change of the connection, until it returns true. After the
// timeout it calls it a last time and returns the result. cond may call methods of the sink; what
// it takes by Take, Message or Messages, later calls do not return again, so it has to keep it.
func (k *Sink) Wait(timeout time.Duration, cond func() bool) bool {
	t := time.NewTimer(timeout)
	defer t.Stop()
	for {
		changed := k.next()
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

// readLocked is the client: it reads b, and handles the lines that are complete.
func (k *Sink) readLocked(b []byte) {
	if !k.opts.Discard {
		k.received = append(k.received, b...)
	}
	for len(b) > 0 {
		n := bytes.IndexByte(b, '\n') + 1
		if n == 0 {
			k.beginLocked(b)
			k.read += int64(len(b))
			break
		}
		line := b[:n]
		if len(k.line) > 0 {
			k.beginLocked(line)
			line, k.line = k.line, nil
		}
		k.read += int64(n)
		k.lineLocked(line)
		b = b[n:]
	}
	k.changedLocked()
}

// beginLocked adds to the line that the client is reading. Unless a callback needs the message, the
// beginning is enough to know its kind.
func (k *Sink) beginLocked(b []byte) {
	const enough = 256 // bytes, more than a close frame has
	if k.opts.OnMessage == nil {
		b = b[:min(len(b), max(0, enough-len(k.line)))]
	}
	k.line = append(k.line, b...)
}

func (k *Sink) lineLocked(line []byte) {
	if k.code != 0 {
		k.faultLocked(fmt.Sprintf("frame %q after the close frame", line))
	}
	_, kind, code, ok := k.opts.Framing.parse(line)
	switch {
	case !ok:
		k.faultLocked(fmt.Sprintf("frame %q without the mark %q: of another framing, or not complete", line, k.opts.Framing.Mark))
	case kind == "(ping)":
		if k.session != nil && !k.opts.Mute && !k.over {
			k.session.Seen()
		}
	case kind == "close":
		k.code = code
	case kind == "" && k.opts.OnMessage != nil:
		if m, ok := k.decodeLocked(line, k.read); ok {
			k.opts.OnMessage(m)
		}
	}
}
