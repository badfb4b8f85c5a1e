package room_test

import (
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// sinks makes connections of one kind.
type sinks struct{ blocking bool }

// eachSink runs a test in virtual time for each kind of connection: one whose TryWrite takes bytes
// without blocking, as a socket does, and one with only blocking writes, as over TLS.
func eachSink(t *testing.T, opts *room.Options, test func(t *testing.T, h *room.Hub, of sinks)) {
	t.Helper()
	eachKind(t, func(t *testing.T, of sinks) {
		bubble(t, opts, func(t *testing.T, h *room.Hub) { test(t, h, of) })
	})
}

// eachKind runs a test for each kind of connection of eachSink.
func eachKind(t *testing.T, test func(t *testing.T, of sinks)) {
	t.Helper()
	t.Run("socket", func(t *testing.T) { test(t, sinks{}) })
	t.Run("blocking", func(t *testing.T) { test(t, sinks{blocking: true}) })
}

// join connects a user and joins a plan.
func (of sinks) join(t *testing.T, h *room.Hub, userID, planID string) *roomtest.Member {
	t.Helper()
	m := of.connect(t, h, userID, roomtest.Options{})
	m.Join(planID, nil)
	return m
}

// connect connects a user.
func (of sinks) connect(t *testing.T, h *room.Hub, userID string, opts roomtest.Options) *roomtest.Member {
	t.Helper()
	opts.Blocking = of.blocking
	return roomtest.Connect(t, h, auth.Identity{UserID: userID, Name: userID}, &opts)
}

// pipe is a connection whose frames are lines of text. It takes as many bytes as the test allows,
// and leaves pings unanswered.
type pipe struct {
	*roomtest.Sink
	session *room.Session
}

// openPipe connects a user through a pipe, which ends with the test.
func openPipe(t *testing.T, h *room.Hub, userID string, window int) *pipe {
	t.Helper()
	return sinks{}.pipe(t, h, userID, window)
}

// pipe connects a user through a pipe, which ends with the test. A negative window means no limit.
func (of sinks) pipe(t *testing.T, h *room.Hub, userID string, window int) *pipe {
	t.Helper()
	return of.pipeAs(t, h, userID, window, roomtest.Lines{})
}

// pipeAs is pipe with another framing.
func (of sinks) pipeAs(t *testing.T, h *room.Hub, userID string, window int, f roomtest.Lines) *pipe {
	t.Helper()
	o := roomtest.SinkOptions{Blocking: of.blocking, Mute: true, Framing: f}
	p := &pipe{Sink: roomtest.NewSink(&o)}
	p.SetWindow(window)
	if err := p.Connect(h, auth.Identity{UserID: userID, Name: userID}, nil); err != nil {
		t.Fatalf("Connect: %v", err)
	}
	p.session = p.Session()
	t.Cleanup(func() { p.End(protocol.CloseAbnormal) })
	return p
}

// open lets n more bytes through; negative is all.
func (p *pipe) open(n int) { p.SetWindow(n) }

func (p *pipe) send(message string) { p.Send(message) }

// read takes what has been written.
func (p *pipe) read() string {
	synctest.Wait()
	return p.Take()
}

// state reports whether the hub has finished or cut the connection.
func (p *pipe) state() (finished, cut bool) {
	synctest.Wait()
	state := p.State()
	return state.Finished, state.Cut
}
