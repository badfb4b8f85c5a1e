package roomtest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// patience is how long a Member waits for what must come before it fails the test.
const patience = 10 * time.Second

// Options describe a connection to [Connect]. Nil means none of them.
type Options struct {
	ClientID string        // as in [room.ConnectOptions]
	Verifier auth.Verifier // as in [room.ConnectOptions]
	// SocketBuffer is how many bytes the connection takes while stalled. Default 64 KiB.
	SocketBuffer int
	// Blocking makes the connection like one over TLS, which takes nothing without blocking. The hub
	// then writes to it from a goroutine.
	Blocking bool
}

// Member is one in-memory connection. Its methods are for the one goroutine of the test; they fail the test when what
// they wait for does not come.
type Member struct {
	t    testing.TB
	hub  *room.Hub
	id   auth.Identity
	opts Options

	sink    *sink
	session *room.Session

	// Hello is the greeting of the current connection, Joined the last join answer.
	Hello  protocol.Hello
	Joined protocol.JoinAnswer

	planID string
	chain  protocol.Chain
}

// Join connects a user and joins a plan; the user's name is the id. The connection ends with the test.
func Join(t testing.TB, h *room.Hub, userID, planID string) *Member {
	t.Helper()
	m := Connect(t, h, auth.Identity{UserID: userID, Name: userID}, nil)
	m.Join(planID, nil)
	return m
}

// Connect connects without joining. The connection ends with the test.
func Connect(t testing.TB, h *room.Hub, id auth.Identity, opts *Options) *Member {
	t.Helper()
	m := &Member{t: t, hub: h, id: id}
	if opts != nil {
		m.opts = *opts
	}
	if m.opts.SocketBuffer == 0 {
		m.opts.SocketBuffer = 64 << 10
	}
	if err := m.connect(); err != nil {
		t.Fatalf("connect %q: %v", id.UserID, err)
	}
	t.Cleanup(func() { m.sink.end(protocol.CloseAbnormal) })
	return m
}

func (m *Member) connect() error {
	m.t.Helper()
	m.sink = newSink(m.opts.SocketBuffer, m.opts.Blocking)
	s, err := m.hub.Connect(context.Background(), m.id, m.sink, &room.ConnectOptions{
		ClientID: m.opts.ClientID, Verifier: m.opts.Verifier, RemoteAddr: "memory",
	})
	if err != nil {
		return err
	}
	m.session = s
	m.sink.attach(s)
	hello := m.NextMessage()
	m.decode(hello, protocol.TypePong, &m.Hello)
	return nil
}

// Session is the hub's side of the current connection.
func (m *Member) Session() *room.Session { return m.session }

// Sink is the current connection as the hub sees it, for a test that wraps it.
func (m *Member) Sink() room.Sink { return m.sink }

// Send sends one message as it is.
func (m *Member) Send(message string) {
	m.session.Seen()
	m.session.Receive([]byte(message))
}

// Request sends one message.
func (m *Member) Request(r protocol.Request) {
	m.t.Helper()
	b, err := protocol.EncodeRequest(r)
	if err != nil {
		m.t.Fatalf("encode %v: %v", r.Type, err)
	}
	m.Send(string(b))
}

// Join joins a plan, from since if it is not nil, and waits for the answer, which must be yes.
func (m *Member) Join(planID string, since *protocol.Position) {
	m.t.Helper()
	m.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: planID, Since: since})
	m.Joined = protocol.JoinAnswer{}
	for {
		answer := m.NextMessage()
		if answer.Type == protocol.TypeError {
			m.t.Fatalf("join %q: %s", planID, answer.Data)
		}
		if answer.Type == protocol.TypeJoinPlan && answer.PlanID == planID {
			if err := json.Unmarshal(answer.Data, &m.Joined); err == nil && m.Joined.Success {
				break
			}
		}
	}
	m.planID = planID
	m.chain.Reset(m.Joined.Position)
}

// Position returns the position of the member in the plan that it joined last.
func (m *Member) Position() protocol.Position { return m.chain.Position() }

// NextMessage waits for the next message, whatever it is.
func (m *Member) NextMessage() protocol.Message {
	m.t.Helper()
	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		msg, ok, changed, closed := m.poll()
		if ok {
			return msg
		}
		if closed {
			m.t.Fatalf("%s: waiting for a message, the connection was closed", m.id.UserID)
		}
		select {
		case <-changed:
		case <-t.C:
			m.t.Fatalf("%s: no message came", m.id.UserID)
		}
	}
}

// poll takes the next message if there is one.
func (m *Member) poll() (msg protocol.Message, ok bool, changed chan struct{}, closed bool) {
	m.t.Helper()
	k := m.sink
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.messages) == 0 {
		return msg, false, k.changed, k.closed
	}
	raw := k.messages[0]
	k.messages = k.messages[1:]
	msg, err := protocol.Decode(raw)
	if err != nil {
		m.t.Fatalf("%s: got %q: %v", m.id.UserID, raw, err)
	}
	m.track(msg)
	return msg, true, nil, false
}

// track follows the position. It fails the test at a gap without a resync, and at a duplicate. A
// client accepts a smaller prev than that of the last event; a single hub never sends one.
func (m *Member) track(msg protocol.Message) {
	m.t.Helper()
	if msg.PlanID != m.planID {
		return
	}
	at := m.chain.Position().Seq
	switch {
	case msg.Type == protocol.TypeResync:
		if m.chain.Take(msg) != protocol.PlaceStart {
			m.t.Fatalf("%s: resync without a position: %s", m.id.UserID, msg.Data)
		}
	case msg.Seq > 0:
		if m.chain.Take(msg) != protocol.PlaceNext || msg.Prev != at {
			m.t.Fatalf("%s: event %d follows %d, but the last position was %d", m.id.UserID, msg.Seq, msg.Prev, at)
		}
	}
}

// Next waits for the next message that is no presence notice: an event, a receipt, a resync, an answer.
func (m *Member) Next() protocol.Message {
	m.t.Helper()
	for {
		if msg := m.NextMessage(); !isNotice(msg) {
			return msg
		}
	}
}

func isNotice(msg protocol.Message) bool {
	switch msg.Type {
	case protocol.TypeJoinPlan, protocol.TypeLeavePlan, protocol.TypePresenceUpdated:
		return msg.PlanID != ""
	}
	return false
}

// Silent fails the test if a message other than a presence notice is unread, after everything that has a position now has
// reached the member.
func (m *Member) Silent() {
	m.t.Helper()
	end, err := m.hub.Position(context.Background(), m.planID)
	if err != nil {
		m.t.Fatalf("position of %q: %v", m.planID, err)
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		msg, ok, changed, closed := m.poll()
		switch {
		case ok && !isNotice(msg):
			m.t.Fatalf("%s: unexpected %s: %s", m.id.UserID, msg.Type, msg.Data)
		case ok:
			continue
		case closed || m.chain.Position().Seq >= end.Seq || !m.in():
			return
		}
		select {
		case <-changed:
		case <-t.C:
			m.t.Fatalf("%s: is at %d, the plan at %d", m.id.UserID, m.chain.Position().Seq, end.Seq)
		}
	}
}

// in reports whether the hub counts the member's user among those in the plan.
func (m *Member) in() bool {
	info, _ := m.hub.Room(m.planID)
	for _, p := range info.People {
		if p.UserID == m.id.UserID && p.Connections > 0 {
			return true
		}
	}
	return false
}

func (m *Member) decode(msg protocol.Message, want protocol.Type, data any) {
	m.t.Helper()
	if msg.Type != want {
		m.t.Fatalf("%s: got %s %s, want %s", m.id.UserID, msg.Type, msg.Data, want)
	}
	if err := json.Unmarshal(msg.Data, data); err != nil {
		m.t.Fatalf("%s: %s: %v", m.id.UserID, msg.Type, err)
	}
}

// Stall makes the client stop reading: the hub sees a full socket once SocketBuffer is exceeded, and pings stay unanswered.
func (m *Member) Stall() { m.sink.stall() }

// Unstall makes the client read again.
func (m *Member) Unstall() { m.sink.unstall() }

// Cut breaks the connection without a word.
func (m *Member) Cut() { m.sink.end(protocol.CloseAbnormal) }

// Resume connects again and joins the plan from the last position. Joined tells whether that was honoured.
func (m *Member) Resume() {
	m.t.Helper()
	m.Cut()
	if err := m.connect(); err != nil {
		m.t.Fatalf("reconnect %q: %v", m.id.UserID, err)
	}
	since := m.chain.Position()
	m.Join(m.planID, &since)
}

// Closed waits until the hub has closed the connection and returns its goodbye and the code of its close frame, 1006 if
// none came.
func (m *Member) Closed() (protocol.Goodbye, protocol.CloseCode) {
	m.t.Helper()
	t := time.NewTimer(patience)
	defer t.Stop()
	var goodbye protocol.Goodbye
	for {
		msg, ok, changed, closed := m.poll()
		switch {
		case ok && msg.Type == protocol.TypeGoodbye:
			m.decode(msg, protocol.TypeGoodbye, &goodbye)
			continue
		case ok:
			continue
		case closed:
			m.sink.mu.Lock()
			defer m.sink.mu.Unlock()
			if m.sink.code == 0 {
				return goodbye, protocol.CloseAbnormal
			}
			return goodbye, m.sink.code
		}
		select {
		case <-changed:
		case <-t.C:
			m.t.Fatalf("%s: the connection was not closed", m.id.UserID)
		}
	}
}
