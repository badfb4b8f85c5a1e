package roomtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// patience is how long a Member waits for a message before it fails the test.
const patience = 10 * time.Second

// Options configure a connection of [Connect]. Nil means none of them.
type Options struct {
	ClientID string        // as in [room.ConnectOptions]
	Verifier auth.Verifier // as in [room.ConnectOptions]
	// SocketBuffer is how many bytes the connection takes while stalled. Default: 64 KiB.
	SocketBuffer int
	// Blocking makes the connection like one over TLS, which takes nothing without blocking. The
	// hub then writes to it from a goroutine.
	Blocking bool
	// Hold, if not nil, can stop the hub while it writes to the connection.
	Hold *Hold
}

// Member is one in-memory connection and the client behind it. Only the goroutine of the test may
// call its methods. A method that waits for a message fails the test after 10 seconds without it;
// in a bubble of [testing/synctest], these take no time.
type Member struct {
	t    testing.TB
	hub  *room.Hub
	id   auth.Identity
	opts Options
	sink *Sink

	// Hello is the first message of the current connection. Joined is the last join answer.
	Hello  protocol.Hello
	Joined protocol.JoinAnswer

	planID  string             // the plan that was joined last
	plans   []*membership      // in the order of the first joins
	skipped []protocol.Message // read while waiting for an answer, and still to be returned
	recent  []protocol.Message // the last messages, for failures
}

// membership is what the client knows of one plan.
type membership struct {
	planID string
	in     bool
	chain  protocol.Chain
	people map[string]protocol.Participant
}

// Join connects a user and joins a plan. The name of the user is the ID. It uses the first of opts,
// if there is one. The connection ends with the test.
func Join(t testing.TB, h *room.Hub, userID, planID string, opts ...*Options) *Member {
	t.Helper()
	m := Connect(t, h, auth.Identity{UserID: userID, Name: userID}, append(opts, nil)[0])
	m.Join(planID, nil)
	return m
}

// Connect connects a user without joining. The connection ends with the test.
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
	t.Cleanup(func() { m.Cut() })
	return m
}

func (m *Member) connect() error {
	m.t.Helper()
	m.sink = NewSink(&SinkOptions{Blocking: m.opts.Blocking, Hold: m.opts.Hold})
	m.recent, m.skipped = nil, nil
	err := m.sink.Connect(m.hub, m.id, &room.ConnectOptions{
		ClientID: m.opts.ClientID, Verifier: m.opts.Verifier, RemoteAddr: "memory",
	})
	if err != nil {
		return err
	}
	m.decode(m.NextMessage(), protocol.TypePong, &m.Hello)
	return nil
}

// In makes failures those of t, a subtest, until t ends.
func (m *Member) In(t testing.TB) *Member {
	outer := m.t
	m.t = t
	t.Cleanup(func() { m.t = outer })
	return m
}

// Session returns the hub's side of the current connection.
func (m *Member) Session() *room.Session { return m.sink.Session() }

// Sink returns the current connection.
func (m *Member) Sink() *Sink { return m.sink }

// Send sends one message as it is.
func (m *Member) Send(message string) { m.sink.Send(message) }

// Request sends one message.
func (m *Member) Request(r protocol.Request) {
	m.t.Helper()
	b, err := protocol.EncodeRequest(r)
	if err != nil {
		m.t.Fatalf("%s: request %s: %v", m.who(), r.Type, err)
	}
	m.Send(string(b))
}

// Join joins a plan, since a position if that is not nil, and waits for the answer, which must be a
// success. Messages of other plans that come first are returned later.
func (m *Member) Join(planID string, since *protocol.Position) {
	m.t.Helper()
	m.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: planID, Since: since})
	answer := m.answer(protocol.TypeJoinPlan, planID)
	m.Joined = protocol.JoinAnswer{}
	m.decode(answer, protocol.TypeJoinPlan, &m.Joined)
	m.planID = planID
}

// Leave leaves a plan and waits for the answer.
func (m *Member) Leave(planID string) {
	m.t.Helper()
	m.Request(protocol.Request{Type: protocol.TypeLeavePlan, PlanID: planID})
	m.answer(protocol.TypeLeavePlan, planID)
}

// SetPresence sets the presence state in a plan. State is encoded as JSON; nil clears the state.
// The hub sends no answer.
func (m *Member) SetPresence(planID string, state any) {
	m.t.Helper()
	m.Request(protocol.Request{Type: protocol.TypeUpdatePresence, PlanID: planID, State: m.encode(state)})
}

// answer waits for the answer to a request for a plan, and keeps other messages for later.
func (m *Member) answer(typ protocol.Type, planID string) protocol.Message {
	m.t.Helper()
	var others []protocol.Message
	for {
		msg := m.NextMessage()
		switch {
		case msg.PlanID == planID && msg.Type == typ && !isNotice(msg):
			m.skipped = append(others, m.skipped...)
			return msg
		case msg.PlanID == planID && msg.Type == protocol.TypeError:
			m.t.Fatalf("%s: %s %q: %s%s", m.who(), typ, planID, msg.Data, m.before())
		case msg.PlanID != planID || typ == protocol.TypeLeavePlan:
			others = append(others, msg)
		}
	}
}

// Position returns the position of the client in the plan that it joined last.
func (m *Member) Position() protocol.Position {
	return m.PositionIn(m.planID)
}

// PositionIn returns the position of the client in a plan.
func (m *Member) PositionIn(planID string) protocol.Position { return m.plan(planID).chain.Position() }

// Participants returns the users who are in a plan, as the client knows them from the messages that
// the test has read, sorted by ID.
func (m *Member) Participants(planID string) []protocol.Participant {
	var all []protocol.Participant
	for _, p := range m.plan(planID).people {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b protocol.Participant) int { return strings.Compare(a.UserID, b.UserID) })
	return all
}

// Stall makes the client stop reading. The hub sees a full socket when SocketBuffer is exceeded,
// and pings stay unanswered.
func (m *Member) Stall() { m.sink.Stall(m.opts.SocketBuffer) }

// Unstall makes the client read again.
func (m *Member) Unstall() { m.sink.Unstall() }

// Cut breaks the connection without a close frame.
func (m *Member) Cut() { m.sink.End(protocol.CloseAbnormal) }

// Resume cuts the connection, connects again, and joins all plans of the client from their last
// positions, except those that it has left or was removed from. Messages that the test has not read
// are lost, as on a network that fails. Joined is the answer for the plan that was joined last.
//
// Each join must be a success. For a client whose access ended while it was away, use [Connect],
// then Request with the position as Since, and Refused.
func (m *Member) Resume() {
	m.t.Helper()
	m.Cut()
	last := m.planID
	if err := m.connect(); err != nil {
		m.t.Fatalf("reconnect %q: %v", m.id.UserID, err)
	}
	for _, p := range m.plans {
		if p.in && p.planID != last {
			m.rejoin(p)
		}
	}
	if p := m.plan(last); p.in {
		m.rejoin(p)
	}
}

func (m *Member) rejoin(p *membership) {
	m.t.Helper()
	since := p.chain.Position()
	m.Join(p.planID, &since)
}
