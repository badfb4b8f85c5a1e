package room_test

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// gathered waits until notices of joins and leaves, which the hub gathers, have been written.
func gathered() {
	time.Sleep(room.GatherNotices)
	synctest.Wait()
}

// unread takes everything that the hub writes to m, including notices that it still gathers.
func unread(t *testing.T, m *roomtest.Member) []protocol.Message {
	t.Helper()
	gathered()
	return unreadNow(t, m)
}

// unreadNow takes everything that the hub has written to m. It sends a ping, and ends at the pong.
func unreadNow(t *testing.T, m *roomtest.Member) []protocol.Message {
	t.Helper()
	synctest.Wait()
	m.Send(`{"type":"ping"}`)
	var all []protocol.Message
	for {
		msg := m.NextMessage()
		if msg.Type == protocol.TypePong {
			return all
		}
		all = append(all, msg)
	}
}

// receivedBy describes the messages of unread: type, plan and data.
func receivedBy(t *testing.T, m *roomtest.Member) []string {
	t.Helper()
	var all []string
	for _, msg := range unread(t, m) {
		all = append(all, words(msg))
	}
	return all
}

// wantNow is wantReceived without waiting for notices that the hub still gathers.
// It takes no time, for tests that measure some.
func wantNow(t *testing.T, m *roomtest.Member, want ...string) {
	t.Helper()
	var got []string
	for _, msg := range unreadNow(t, m) {
		got = append(got, words(msg))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

func words(msg protocol.Message) string {
	return strings.Join([]string{string(msg.Type), msg.PlanID, string(msg.Data)}, " ")
}

// wantReceived fails the test unless m has received exactly these messages since the last call.
func wantReceived(t *testing.T, m *roomtest.Member, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, receivedBy(t, m)); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

// wantError fails the test unless the next message is that error.
func wantError(t *testing.T, m *roomtest.Member, planID string, re protocol.Type, code protocol.ErrorCode) {
	t.Helper()
	msg := m.Next()
	var got protocol.Error
	if msg.Type != protocol.TypeError {
		t.Fatalf("got %s, want the error %s", words(msg), code)
	}
	mustDecode(t, msg, &got)
	if got.Code != code || got.Re != re || msg.PlanID != planID {
		t.Errorf("got error %q re %q of plan %q, want %q re %q of plan %q", got.Code, got.Re, msg.PlanID, code, re, planID)
	}
}

// wantClosed fails the test unless the hub has said goodbye with that code.
func wantClosed(t *testing.T, m *roomtest.Member, want protocol.CloseCode) protocol.Goodbye {
	t.Helper()
	goodbye, code := m.Closed()
	reason := want.Reason()
	if want == protocol.CloseRateLimited {
		reason = "too many messages"
	}
	if code != want || goodbye.Code != want || goodbye.Reason != reason {
		t.Errorf("closed with %d after goodbye %+v, want %d", code, goodbye, want)
	}
	a := want.Advice()
	if goodbye.Reconnect != a.Reconnect || goodbye.Reauth != a.Reauth {
		t.Errorf("goodbye %+v, want the advice %+v", goodbye, a)
	}
	return goodbye
}

// closeByPeer answers the close frame that the client of m sent.
func closeByPeer(m *roomtest.Member, code protocol.CloseCode) {
	m.Sink().SendClose(code)
	synctest.Wait()
}

// connect connects a user under a client id, without joining.
func connect(t *testing.T, h *room.Hub, userID, clientID string) *roomtest.Member {
	t.Helper()
	return roomtest.Connect(t, h, auth.Identity{UserID: userID, Name: userID}, &roomtest.Options{ClientID: clientID})
}

func TestTwoTransportsInOneRoom(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		m := of.join(t, h, "alice", "p")
		a, b := of.pipe(t, h, "bob", -1), of.pipe(t, h, "carol", -1)
		for _, p := range []*pipe{a, b} {
			p.send(`{"type":"join-plan","planId":"p"}`)
			p.read()
		}
		gathered()
		a.read()
		for n := range 3 {
			update(t, h, "p", n)
		}
		for n := range 3 {
			wantEvent(t, m, n)
		}
		got := a.read()
		if n := strings.Count(got, `"type":"task-updated"`); n != 3 || strings.Count(got, "\n") != 3 {
			t.Errorf("bob got %q, want 3 events in lines", got)
		}
		if diff := cmp.Diff(got, b.read()); diff != "" {
			t.Errorf("bob and carol differ:\n%s", diff)
		}
	})
}

// However few bytes a socket takes at a time, the client reads whole frames, each once and in
// order.
func TestShortWrites(t *testing.T) {
	for _, step := range []int{1, 2, 7, 64, 100, 1000} {
		t.Run(fmt.Sprint(step, " bytes"), func(t *testing.T) {
			eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
				all := of.pipe(t, h, "alice", -1)
				few := of.pipe(t, h, "alice", 0)
				var want, got strings.Builder
				for _, p := range []*pipe{all, few} {
					p.send(`{"type":"join-plan","planId":"p"}`)
				}
				want.WriteString(all.read())
				for n := range 5 {
					update(t, h, "p", n)
					few.send(`{"type":"ping"}`)
				}
				want.WriteString(all.read())
				for range 10_000 / step {
					few.open(step)
					got.WriteString(few.read())
				}
				events := func(stream string) (events []string) {
					for line := range strings.Lines(stream) {
						msg, err := protocol.Decode([]byte(line))
						if err != nil {
							t.Fatalf("line %q: %v", line, err)
						}
						if msg.Seq > 0 {
							events = append(events, line)
						}
					}
					return events
				}
				if diff := cmp.Diff(events(want.String()), events(got.String())); diff != "" {
					t.Errorf("events (-at once +piecemeal):\n%s", diff)
				}
				if n := strings.Count(got.String(), `"type":"pong"`); n != 6 {
					t.Errorf("%d pongs, want the hello and 5 answers in %q", n, got.String())
				}
			})
		})
	}
}

// Answers keep their order, including those that are queued while another one is half written.
func TestShortWritesOfAnswers(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", -1)
		p.read()
		p.open(0)
		var got strings.Builder
		for n := range 60 {
			p.send(fmt.Sprintf(`{"type":"t%02d"}`, n))
			got.WriteString(p.read())
			p.open(40)
		}
		p.open(-1)
		got.WriteString(p.read())
		n := 0
		for line := range strings.Lines(got.String()) {
			if want := fmt.Sprintf(`"re":"t%02d"`, n); !strings.Contains(line, want) {
				t.Fatalf("answer %d is %q", n, line)
			}
			n++
		}
		if n != 60 {
			t.Errorf("%d answers, want 60", n)
		}
	})
}

func TestBrokenSocket(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		p.read()
		p.Fail(net.ErrClosed)
		update(t, h, "p", 1)
		if _, closed := p.state(); !closed {
			t.Error("a connection whose write fails is not closed")
		}
	})
}

// Control frames of the transport are written at frame boundaries, the newest only, and never after
// the close frame.
func TestControlFramesOfTheTransport(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", -1)
		p.read()
		p.session.WriteControl([]byte("(pong 0)\n"))
		if got := p.read(); got != "(pong 0)\n" {
			t.Errorf("got %q", got)
		}
		p.open(10)
		p.send(`{"type":"ping"}`)
		got := p.read()
		for n := range 3 {
			p.session.WriteControl(fmt.Appendf(nil, "(pong %d)\n", n))
		}
		p.open(-1)
		got += p.read()
		if !strings.HasPrefix(got, `{"type":"pong"`) || !strings.HasSuffix(got, "}\n(pong 2)\n") || strings.Contains(got, "(pong 1)") {
			t.Errorf("got %q, want the answer to ping and the newest control frame", got)
		}
		p.session.CloseFrame(protocol.CloseNormal, []byte("(closed)\n"))
		p.session.WriteControl([]byte("(pong 4)\n"))
		p.send(`{"type":"ping"}`)
		p.session.Close(protocol.CloseInternal)
		if got := p.read(); got != "(closed)\n" {
			t.Errorf("got %q, want the close frame of the transport alone", got)
		}
		if finished, _ := p.state(); !finished {
			t.Error("the hub did not call Finish after the last frame")
		}
	})
}

func mustDecode(t *testing.T, msg protocol.Message, data any) {
	t.Helper()
	if err := json.Unmarshal(msg.Data, data); err != nil {
		t.Fatalf("%s: %v", words(msg), err)
	}
}
