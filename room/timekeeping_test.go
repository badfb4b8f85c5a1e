package room_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// wantConnections fails the test unless the hub has that many connections.
func wantConnections(t *testing.T, h *room.Hub, want int) {
	t.Helper()
	synctest.Wait()
	if got := h.Stats().Connections; got != want {
		t.Errorf("%d connections, want %d", got, want)
	}
}

func TestFirstMessage(t *testing.T) {
	for _, test := range []struct {
		name, send string
		closed     bool
	}{
		{"none", "", true},
		{"a good one", `{"type":"ping"}`, false},
		{"a bad one", `x`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
				m := of.connect(t, h, "alice", roomtest.Options{})
				time.Sleep(30*time.Second - 1)
				wantConnections(t, h, 1)
				if test.send != "" {
					m.Send(test.send)
				}
				time.Sleep(time.Nanosecond)
				if test.closed {
					wantConnections(t, h, 0)
					wantClosed(t, m, protocol.CloseTimeout)
				}
				if time.Sleep(time.Hour); !test.closed {
					wantConnections(t, h, 1)
				}
			})
		})
	}
}

func TestPings(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		bob := of.join(t, h, "bob", "p")
		start := time.Now()
		p := of.pipe(t, h, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		p.read()
		unread(t, bob)
		for n := range time.Duration(3) {
			time.Sleep(time.Until(start.Add((n+1)*25*time.Second - 1)))
			if got := p.read(); got != "" {
				t.Errorf("wrote %q before a ping was due", got)
			}
			time.Sleep(time.Nanosecond)
			if got := p.read(); got != "(ping)\n" {
				t.Errorf("wrote %q, want a ping", got)
			}
			p.session.Seen()
		}
		time.Sleep(25 * time.Second)
		p.read()
		time.Sleep(10*time.Second - 1)
		wantNow(t, bob)
		wantConnections(t, h, 2)
		time.Sleep(time.Nanosecond)
		wantReceived(t, bob, left("p", "alice", 1)) // 35 s after the last byte, without lingering
		wantConnections(t, h, 1)
		if got := p.read(); !strings.Contains(got, `"code":4408`) || !strings.HasSuffix(got, "(close 4408 timed out)\n") {
			t.Errorf("wrote %q, want goodbye and close 4408", got)
		}
	})
}

// Any byte after the ping is a sign of life, even at the last moment.
func TestAnyByteIsASignOfLife(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", -1)
		p.send(`{"type":"ping"}`)
		for range 3 {
			time.Sleep(25*time.Second + 9*time.Second)
			p.session.Seen()
			time.Sleep(time.Second)
			wantConnections(t, h, 1)
			// The ping that followed at once was sent 50 s after the last.
			time.Sleep(15 * time.Second)
			p.session.Seen()
			synctest.Wait()
			p.read()
		}
	})
}

// A peer that accepts all bytes and sends none, such as a stopped process, is closed in time,
// however much is written to it.
func TestSilentPeer(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		bob := of.join(t, h, "bob", "p")
		p := of.pipe(t, h, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		for n := range 35 {
			wantConnections(t, h, 2)
			update(t, h, "p", n)
			time.Sleep(time.Second)
		}
		wantConnections(t, h, 1)
		if got := p.read(); !strings.HasSuffix(got, "(close 4408 timed out)\n") {
			t.Errorf("wrote %q, want close 4408 at the end", got)
		}
		if got := unread(t, bob); len(got) != 37 { // join, events, leave
			t.Errorf("the other connection got %d messages, want 37", len(got))
		}
	})
}

// A peer that takes bytes slowly and sends none stays connected as long as writes wait for it,
// because the ping is queued behind them.
func TestSlowPeerIsAlive(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		p.read()
		p.open(0)
		for n := range 100 {
			update(t, h, "p", n)
		}
		for range 60 {
			synctest.Wait()
			time.Sleep(2 * time.Second)
			p.open(50)
		}
		wantConnections(t, h, 1)
	})
}

func TestNoPings(t *testing.T) {
	eachSink(t, &room.Options{PingEvery: -1}, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", -1)
		p.send(`{"type":"ping"}`)
		p.read()
		time.Sleep(29 * time.Minute)
		if got := p.read(); got != "" {
			t.Errorf("wrote %q", got)
		}
		wantConnections(t, h, 1)
	})
}

func TestExpiry(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		bob := of.join(t, h, "bob", "p")
		at := time.Now().Add(90 * time.Second)
		alice := roomtest.Connect(t, h, auth.Identity{UserID: "alice", Name: "alice", ExpiresAt: at}, &roomtest.Options{Blocking: of.blocking})
		alice.Join("p", nil)
		unread(t, bob)
		time.Sleep(time.Until(at) - 1)
		wantConnections(t, h, 2)
		wantNow(t, bob)
		time.Sleep(time.Nanosecond)
		wantConnections(t, h, 1)
		wantReceived(t, bob, left("p", "alice", 1))
		wantClosed(t, alice, protocol.CloseUnauthorized)
	})
}

// A socket that takes no byte for 10 s gets 4508 if it takes one in the next second, and is cut if
// not.
func TestTooSlow(t *testing.T) {
	tests := []struct {
		name     string
		window   int           // taken after the join
		takes    time.Duration // when the socket takes everything again; 0 is never
		survives bool
		goodbye  bool
	}{
		{name: "for good"},
		{name: "for good, in a frame", window: 10},
		{name: "just in time", takes: 10*time.Second - 1, survives: true},
		{name: "just in time, in a frame", window: 10, takes: 10*time.Second - 1, survives: true},
		{name: "in time for the goodbye", takes: 11*time.Second - 1, goodbye: true},
		{name: "in time for the goodbye, in a frame", window: 10, takes: 11*time.Second - 1, goodbye: true},
		{name: "too late for the goodbye", takes: 11*time.Second + 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
				bob := of.join(t, h, "bob", "p")
				p := of.pipe(t, h, "alice", -1)
				p.send(`{"type":"join-plan","planId":"p"}`)
				p.read()
				p.open(test.window)
				for n := range 3 {
					update(t, h, "p", n)
				}
				synctest.Wait()
				if test.takes > 0 {
					time.Sleep(test.takes)
					p.open(-1)
				}
				time.Sleep(12*time.Second - test.takes)
				finished, closed := p.state()
				got := p.read()
				if test.survives {
					if closed || finished || strings.Count(got, `"task-updated"`) != 3 {
						t.Errorf("closed %v, finished %v, wrote %q; want all events", closed, finished, got)
					}
					return
				}
				if h.Stats().TooSlow != 1 {
					t.Errorf("TooSlow = %d, want 1", h.Stats().TooSlow)
				}
				if test.goodbye != finished || test.goodbye == closed {
					t.Errorf("finished %v, cut %v, goodbye %v", finished, closed, test.goodbye)
				}
				if test.goodbye {
					first, _, _ := strings.Cut(got, "\n")
					if test.window > 0 && !strings.Contains(first, `"task-updated"`) {
						t.Errorf("the rest of the frame is missing: %q", first)
					}
					if !strings.Contains(got, `"code":4508`) || !strings.HasSuffix(got, "(close 4508 too slow)\n") {
						t.Errorf("wrote %q, want goodbye and close 4508", got)
					}
				}
				update(t, h, "p", 9)
				if n := len(unread(t, bob)); n < 4 {
					t.Errorf("the other connection got %d messages", n)
				}
			})
		})
	}
}

// An occasional byte keeps a connection for at most 60 s.
func TestFrameTakesTooLong(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		p.read()
		p.open(1)
		update(t, h, "p", 1)
		for n := range 7 {
			synctest.Wait()
			if got := h.Stats().TooSlow; got != 0 {
				t.Fatalf("closed after %d s", 9*n)
			}
			time.Sleep(9 * time.Second)
			p.open(1)
		}
		synctest.Wait()
		if got := h.Stats().TooSlow; got != 1 {
			t.Errorf("TooSlow = %d after 63 s on one frame, want 1", got)
		}
	})
}

// The 60 s are for each frame: a client that reads slowly but steadily stays connected.
func TestSteadyReaderStays(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		p.read()
		update(t, h, "p", 100)
		frame := len(p.read())
		p.open(0)
		for n := range 20 {
			update(t, h, "p", 101+n)
		}
		for range 20 * 4 {
			synctest.Wait()
			time.Sleep(9 * time.Second)
			p.open(frame/4 + 1)
		}
		p.open(-1)
		if finished, closed := p.state(); finished || closed {
			t.Errorf("finished %v, cut %v: it took a frame every 36 s", finished, closed)
		}
	})
}
