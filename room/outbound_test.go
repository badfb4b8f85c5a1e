package room_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// stalledPipe connects a user whose socket takes nothing once the user has joined plan p.
func stalledPipe(t *testing.T, h *room.Hub, userID string) *pipe {
	t.Helper()
	p := openPipe(t, h, userID, -1)
	p.send(`{"type":"join-plan","planId":"p"}`)
	p.read()
	p.open(0)
	return p
}

// members returns the number of connections in plan p.
func members(h *room.Hub) int {
	synctest.Wait()
	info, _ := h.Room("p")
	return info.Connections
}

func notify(t *testing.T, h *room.Hub, userID string, bytes int) (queued int) {
	t.Helper()
	queued, err := h.Notify(t.Context(), userID, protocol.Event{Type: "note", Data: json.RawMessage(jsonOf(bytes))})
	if err != nil {
		t.Fatalf("Notify: %v", err)
	}
	return queued
}

// wantOpen fails the test if the hub has ended the connection.
func wantOpen(t *testing.T, h *room.Hub, p *pipe) {
	t.Helper()
	if finished, closed := p.state(); finished || closed {
		t.Fatalf("the connection is over: %+v", h.Stats())
	}
}

// All messages within the rate are answered, however late the client reads.
func TestAnswersWaitForTheReader(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		p := stalledPipe(t, h, "alice")
		for range 127 {
			p.send(pingMessage)
		}
		time.Sleep(9 * time.Second)
		p.open(-1)
		if n := strings.Count(p.read(), `"type":"pong"`); n != 127 {
			t.Errorf("%d answers, want 127", n)
		}
		wantOpen(t, h, p)
	})
}

// The hub handles no further message of a connection until the client reads its answers.
func TestWorkerPauses(t *testing.T) {
	eachSink(t, &room.Options{QueuePerConnection: 3000}, func(t *testing.T, h *room.Hub, of sinks) {
		p := stalledPipe(t, h, "alice")
		for range 100 {
			p.send(pingMessage)
		}
		p.send(`{"type":"leave-plan","planId":"p"}`)
		if members(h) != 1 {
			t.Error("a message was handled although the queued answers exceed the limit")
		}
		p.open(1000)
		if members(h) != 1 {
			t.Error("a message was handled although most answers before it are still queued")
		}
		p.open(-1)
		if members(h) != 0 {
			t.Error("the last message is not handled after the client has read the answers before it")
		}
		got := p.read()
		if n := strings.Count(got, `"type":"pong"`); n != 100 || !strings.Contains(got, `"type":"leave-plan"`) {
			t.Errorf("%d pongs of 100 in %q", n, got)
		}
	})
}

// A client that reads slowly and sends at the allowed rate is not closed, and none of its messages
// is refused.
func TestSlowReaderIsNotClosed(t *testing.T) {
	const messages = 600
	eachSink(t, &room.Options{QueuePerConnection: 2000, PingEvery: -1}, func(t *testing.T, h *room.Hub, of sinks) {
		p := stalledPipe(t, h, "alice")
		go func() {
			for range messages {
				p.send(pingMessage)
				time.Sleep(100 * time.Millisecond)
			}
		}()
		got := ""
		for begin := time.Now(); strings.Count(got, `"type":"pong"`) < messages; {
			time.Sleep(time.Second)
			p.open(200) // three or four answers
			got += p.read()
			wantOpen(t, h, p)
			if time.Since(begin) > 10*time.Minute {
				t.Fatalf("%d answers of %d", strings.Count(got, `"type":"pong"`), messages)
			}
		}
		if strings.Contains(got, "rate_limited") {
			t.Error("a message was refused")
		}
	})
}

// Messages that waited in the network because the hub did not read arrive at once, and are not over
// the rate.
func TestSlowReaderIsNotOverTheRate(t *testing.T) {
	const messages = 600
	eachSink(t, &room.Options{QueuePerConnection: 2000, PingEvery: -1}, func(t *testing.T, h *room.Hub, of sinks) {
		p := stalledPipe(t, h, "alice")
		network := make(chan string, messages)
		go func() {
			for range messages {
				network <- pingMessage
				time.Sleep(100 * time.Millisecond)
			}
			close(network)
		}()
		go func() {
			for message := range network {
				p.send(message)
			}
		}()
		for range 6 {
			time.Sleep(9 * time.Second)
			p.open(100) // one or two answers
		}
		if len(network) < 128+100 {
			t.Fatalf("%d messages wait in the network, want more than a burst", len(network))
		}
		p.open(-1)
		time.Sleep(time.Minute)
		if got := p.read(); strings.Count(got, `"type":"pong"`) != messages {
			t.Errorf("%d answers, want %d: %q", strings.Count(got, `"type":"pong"`), messages, got[max(0, len(got)-500):])
		}
		wantOpen(t, h, p)
	})
}

// The end of a connection releases its reader.
func TestSlowReaderEnds(t *testing.T) {
	eachSink(t, &room.Options{QueuePerConnection: 2000}, func(t *testing.T, h *room.Hub, of sinks) {
		p := stalledPipe(t, h, "alice")
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for range 400 {
				p.send(pingMessage)
				time.Sleep(10 * time.Millisecond)
			}
		}()
		<-sent
		if got := h.Stats(); got.TooSlow != 1 {
			t.Errorf("%+v, want the connection closed as too slow", got)
		}
	})
}

// A transport's reader that waits for space in the inbox, because the client does not read its
// answers, goes on when the host closes the connection: otherwise it would wait for ever.
func TestDisconnectOfASlowReader(t *testing.T) {
	eachSink(t, &room.Options{QueuePerConnection: 2000, WriteTimeout: time.Hour, PingEvery: -1}, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", 0)
		var sent atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 400 {
				p.send(pingMessage)
				sent.Add(1)
				time.Sleep(10 * time.Millisecond)
			}
		}()
		time.Sleep(10 * time.Second)
		if n := sent.Load(); n == 400 {
			t.Fatal("all messages were taken, so the reader did not wait")
		}
		if _, err := h.Disconnect(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		<-done
	})
}

// Errors for messages over the rate are queued for the reader like all other answers.
func TestRefusalsWaitForTheReader(t *testing.T) {
	bubble(t, &room.Options{QueuePerConnection: 1000, WriteTimeout: 3 * time.Hour, IdleTimeout: 3 * time.Hour, PingEvery: -1}, func(t *testing.T, h *room.Hub) {
		p := stalledPipe(t, h, "alice")
		time.Sleep(time.Second) // the bucket is full again
		var sent atomic.Int64
		go func() {
			for range 8 {
				for range 128 {
					p.send(`{"type":"update-presence","planId":"p","data":{"state":1}}`)
				}
				time.Sleep(time.Nanosecond) // they are handled, unless too much waits
				p.send(pingMessage)
				sent.Add(1)
				time.Sleep(20 * time.Second)
			}
		}()
		time.Sleep(time.Hour)
		n := sent.Load()
		if n < 3 || n > 5 {
			t.Errorf("%d messages over the rate were refused while nothing was read, want as many as fit in 1,000 bytes", n)
		}
		p.open(-1)
		if got := int64(strings.Count(p.read(), "rate_limited")); got != n+1 {
			t.Errorf("%d messages over the rate were refused, want %d and the one that waited", got, n)
		}
		time.Sleep(3 * time.Minute)
		wantOpen(t, h, p)
	})
}

// At the limit, only events of Notify are dropped, and they are counted.
func TestNotifyIsDropped(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		p := stalledPipe(t, h, "alice")
		reads := connect(t, h, "alice", "")
		bob := connect(t, h, "bob", "")
		queued := 0
		for range 600 {
			n := notify(t, h, "alice", 1000)
			if n < 1 || n > 2 {
				t.Fatalf("queued for %d connections, want the tab that reads, and the other one while it can", n)
			}
			queued += n - 1
		}
		dropped := h.Stats().NotifiesDropped
		if queued < 400 || queued > 520 || int(dropped) != 600-queued {
			t.Errorf("%d events wait for the connection and %d were dropped, want all that fit 512 KiB and the others", queued, dropped)
		}
		p.send(pingMessage)
		revoke(t, h, "p", "alice")
		p.open(-1)
		got := p.read()
		if n := strings.Count(got, `"type":"note"`); n != queued {
			t.Errorf("%d events arrived, want the %d that were queued", n, queued)
		}
		if !strings.Contains(got, `"type":"removed"`) || !strings.Contains(got, `"type":"pong"`) {
			t.Error("something else than an event of Notify was dropped")
		}
		wantOpen(t, h, p)
		if n := len(unread(t, reads)); n != 600 {
			t.Errorf("the other tab got %d events of 600", n)
		}
		if n := notify(t, h, "alice", 1000); n != 2 {
			t.Errorf("queued for %d connections once all are read, want 2", n)
		}
		wantReceived(t, bob)
	})
}

// QueuePerUser bounds all connections of one user together. It pauses only the connections with a
// queue, and no other user.
func TestQueuePerUser(t *testing.T) {
	bubble(t, &room.Options{QueuePerUser: 10_000}, func(t *testing.T, h *room.Hub) {
		a, b := stalledPipe(t, h, "alice"), stalledPipe(t, h, "alice")
		reads := roomtest.Join(t, h, "alice", "p")
		bob := stalledPipe(t, h, "bob")
		for n := range 8 {
			if got := notify(t, h, "alice", 1000); got != 3 {
				t.Fatalf("event %d is queued for %d connections, want all: it counts once", n, got)
			}
		}
		if got := notify(t, h, "alice", 1000); got != 3 {
			t.Errorf("queued for %d connections, want all: one event may exceed the limit", got)
		}
		if got := notify(t, h, "alice", 1000); got != 1 {
			t.Errorf("queued for %d connections at the bound, want the one to which nothing waits", got)
		}
		for _, p := range []*pipe{a, b, bob} {
			p.send(`{"type":"leave-plan","planId":"p"}`)
		}
		reads.Send(`{"type":"leave-plan","planId":"p"}`)
		if got := members(h); got != 2 {
			t.Errorf("%d connections remain, want the two that have to read first", got)
		}
		a.open(-1)
		if got := members(h); got != 1 {
			t.Errorf("%d connections remain, want the one that does not read", got)
		}
		b.open(-1)
		if got := members(h); got != 0 {
			t.Errorf("%d connections remain, want none", got)
		}
		for name, p := range map[string]*pipe{"a": a, "b": b} {
			if got := p.read(); strings.Count(got, `"type":"note"`) != 9 {
				t.Errorf("%s got %d events of 9", name, strings.Count(got, `"type":"note"`))
			}
		}
	})
}

// The queue of a connection is written before the goodbye, and released with the connection.
func TestQueueEndsWithTheConnection(t *testing.T) {
	bubble(t, &room.Options{QueuePerUser: 10_000}, func(t *testing.T, h *room.Hub) {
		for n := range 5 {
			p := stalledPipe(t, h, "alice")
			for range 8 {
				if got := notify(t, h, "alice", 1000); got != 1 {
					t.Fatalf("connection %d: queued for %d connections: the queues of closed connections still count", n, got)
				}
			}
			if n%2 == 0 {
				_ = p.Close()
				continue
			}
			p.session.Close(protocol.CloseInternal)
			p.open(-1)
			if got := p.read(); strings.Count(got, `"type":"note"`) != 8 || !strings.HasSuffix(got, fmt.Sprintf("(close 4500 %s)\n", protocol.CloseInternal.Reason())) {
				t.Errorf("wrote %q, want 8 events and the goodbye", got)
			}
		}
	})
}
