package room_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/internal/roster"
	"github.com/planrooms/planrooms/room/roomtest"
)

// Sockets that are full, and connections that end, while the gate of their node is shut.

// eachSocket runs a test on a cluster for each kind of connection of eachSink.
func eachSocket(t *testing.T, n int, o room.Options, test func(t *testing.T, nodes []*node, of sinks)) {
	t.Helper()
	eachKind(t, func(t *testing.T, of sinks) {
		nodes(t, n, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) { test(t, nodes, of) })
	})
}

// joined connects a user through a pipe that takes everything, and joins plan p.
func (of sinks) joined(t *testing.T, n *node, user string) *pipe {
	t.Helper()
	p := of.pipe(t, n.Hub, user, -1)
	p.send(`{"type":"join-plan","planId":"p"}`)
	if got := p.read(); !strings.Contains(got, `"type":"join-plan"`) {
		t.Fatalf("got %q, want the answer to the join", got)
	}
	return p
}

// TestJoinAnswerBehindAPong has the answer to a join wait behind a pong, for a full socket. The
// gate shuts before the socket takes bytes again: only the pong is written.
func TestJoinAnswerBehindAPong(t *testing.T) {
	eachSocket(t, 1, room.Options{WriteTimeout: time.Minute, PingEvery: -1}, func(t *testing.T, nodes []*node, of sinks) {
		p := of.pipe(t, nodes[0].Hub, "alice", -1)
		p.read()
		p.open(0)
		p.send(`{"type":"ping"}`)
		p.send(`{"type":"join-plan","planId":"p"}`)
		time.Sleep(15 * time.Second) // so that both are in one batch
		nodes[0].engine.Pause()
		time.Sleep(15 * time.Second)
		p.open(-1)
		if got := kinds(t, p.read()); got != "pong" {
			t.Errorf("got %q while the gate is shut, want a pong", got)
		}
		nodes[0].engine.Resume()
		nodes[0].awaitReady(t)
		if got := kinds(t, p.read()); got != "join-plan" {
			t.Errorf("got %q, want the answer to the join", got)
		}
	})
}

// TestTimeOfAPeerBehindAShutGate has a peer that takes nothing for long. Most of the time the gate
// is shut, so the peer is not too slow, neither for a write nor for the frame.
func TestTimeOfAPeerBehindAShutGate(t *testing.T) {
	eachSocket(t, 1, room.Options{WriteTimeout: 30 * time.Second, PingEvery: -1}, func(t *testing.T, nodes []*node, of sinks) {
		p := of.joined(t, nodes[0], "alice")
		p.open(10)
		publish(t, nodes[0].Hub, "p", "one")
		for range 4 { // 100 s, which is longer than a frame may take
			nodes[0].engine.Pause()
			time.Sleep(22 * time.Second)
			nodes[0].engine.Resume()
			time.Sleep(3 * time.Second)
		}
		p.open(10)
		if finished, cut := p.state(); finished || cut {
			t.Fatal("the connection was closed")
		}
		p.open(-1)
		if got := kinds(t, p.read()); got != "task-updated" || nodes[0].Stats().TooSlow > 0 {
			t.Errorf("got %q and closed %d connections, want the event", got, nodes[0].Stats().TooSlow)
		}
	})
}

// TestShutdownBehindAShutGate shuts a node down while an event of a plan waits for its gate. The
// client gets no receipt, which would say that it has all events, and resumes on the other node.
func TestShutdownBehindAShutGate(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		publish(t, nodes[1].Hub, "p", "one")
		wantTitle(t, alice, "one")
		since := alice.Position()
		nodes[0].loseTenure(t)
		publish(t, nodes[1].Hub, "p", "two")
		last := publish(t, nodes[1].Hub, "q", "elsewhere")
		synctest.Wait()
		if at, err := nodes[0].Position(t.Context(), "p"); err != nil || at != last {
			t.Fatalf("position %+v, %v, want %+v", at, err, last)
		}
		if err := nodes[0].Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if msg := alice.NextMessage(); msg.Type != protocol.TypeGoodbye {
			t.Errorf("got %s, want goodbye", words(msg))
		}
		alice = nodes[1].connect(t, "alice")
		alice.Join("p", &since)
		if !alice.Joined.Recovered {
			t.Error("alice has to load the plan")
		}
		wantTitle(t, alice, "two")
	})
}

// TestNoticesBehindAShutGate has more notices wait than a member may have waiting: since it is the
// gate that holds them up, the member is not closed.
func TestNoticesBehindAShutGate(t *testing.T) {
	const limit = 1024 + 3*100 // three for each user of PresenceLimit
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		other := newBareNode(t, m, "other", nodes[0].epochOf(t)).engine
		nodes[0].loseTenure(t)

		people := roster.NewOwn()
		send := func() {
			body, _ := people.Delta(room.MaxMessage / 2)
			msg := record.AppendMessage(nil, record.ClusterHash("test"), record.MessagePresence, body)
			if err := other.Send(t.Context(), "", msg); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		for i := range limit + 1 { // users of the other node who join and leave
			p := roster.Person{UserID: fmt.Sprint("user-", i), JoinedAt: time.Now(), Connections: 1}
			people.Set("p", p)
			send()
			people.Remove("p", p.UserID)
			send()
		}
		nodes[0].engine.SetDelay(0, 0)
		nodes[0].awaitReady(t)
		leaves := 0
		for _, msg := range unread(t, alice) {
			if msg.Type == protocol.TypeLeavePlan {
				leaves++
			}
		}
		if leaves != limit+1 {
			t.Errorf("alice received %d leaves, want %d", leaves, limit+1)
		}
	})
}
