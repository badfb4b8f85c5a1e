package client_test

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

func TestSilenceIsProbedAndThenCut(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, w := s.start(nil)
		from := time.Now()
		w.expect(protocol.TypePing)
		if got := time.Since(from); got != 25*time.Second {
			t.Errorf("ping after %v of silence, want 25s", got)
		}
		time.Sleep(9 * time.Second)
		w.say(`{"type":"pong"}`)
		from = time.Now()
		w.expect(protocol.TypePing)
		if got := time.Since(from); got != 25*time.Second {
			t.Errorf("ping after %v of silence, want 25s", got)
		}
		<-w.over
		if got := time.Since(from); got != 35*time.Second {
			t.Errorf("cut after %v of silence, want 35s", got)
		}
		s.open()
	})
}

// A client that was suspended sends another ping before it ends the connection.
func TestSuspendedClientPingsAgain(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		<-w.up // the ping; the test does not answer it
		time.Sleep(9 * time.Second)
		if err := p.SetPresence(1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second) // the test does not read the message
		w.expect(protocol.TypeUpdatePresence)
		from := time.Now()
		if req, err := protocol.DecodeRequest(<-w.up); err != nil || req.Type != protocol.TypePing {
			t.Fatalf("the client sent %v, %v, want another ping", req, err)
		}
		<-w.over
		if got := time.Since(from); got != 10*time.Second {
			t.Errorf("cut after %v, want 10s", got)
		}
		s.open()
	})
}

func TestAnythingIsASignOfLife(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, w := s.start(nil)
		w.expect(protocol.TypePing)
		w.say(`{"type":"pong"}`)
		for range 10 {
			time.Sleep(24 * time.Second)
			w.say(`{"type":"something-new"}`)
		}
		w.silent()
	})
}

func TestStuckWriteIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		w.enter(c, "demo")
		from := time.Now()
		<-w.over // the test does not read the ping
		if got := time.Since(from); got > 36*time.Second {
			t.Errorf("cut after %v, want 35 s, and 1 s for the close frame", got)
		}
		s.open()
	})
}

func TestMissingHello(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, w := s.start(nil)
		w.lose(net.ErrClosed)
		w = <-s.dials
		w.answer <- nil
		from := time.Now()
		for range 3 {
			time.Sleep(3 * time.Second)
			w.say(`{"type":"task-updated","planId":"demo","seq":1,"prev":0}`)
		}
		<-w.over
		if got := time.Since(from); got != 10*time.Second {
			t.Errorf("cut after %v without a hello, want 10s", got)
		}
		s.open()
	})
}

func TestHandshakeIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, w := s.start(&client.Options{BackoffMin: time.Nanosecond, BackoffMax: time.Nanosecond})
		w.lose(net.ErrClosed)
		w = <-s.dials
		next := <-s.dials
		if got := next.at.Sub(w.at).Round(time.Millisecond); got != 10*time.Second {
			t.Errorf("next attempt after %v, want 10s", got)
		}
		next.answer <- nil
		next.hello()
	})
}

func TestCloseFrameMustFollowGoodbye(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, w := s.start(nil)
		from := time.Now()
		w.say(`{"type":"goodbye","data":{"code":4503,"reason":"shutting down","reconnect":true,"reauth":false,"retryAfterMs":0}}`)
		<-w.over
		if got := time.Since(from); got != 2*time.Second {
			t.Errorf("cut %v after goodbye, want 2s", got)
		}
		s.open()
	})
}

// When a write fails, the error is that of the close frame that the reader received.
func TestServerGoesWhileTheClientWrites(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		if err := p.SetPresence(1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the write is under way
		w.lose(&client.CloseError{Code: protocol.CloseForbidden, Remote: true})
		<-c.Done()
		if err := c.Err(); !errors.Is(err, client.ErrDisconnected) {
			t.Errorf("Err() = %v, want %v", err, client.ErrDisconnected)
		}
	})
}

// Changes of a state between two messages are merged, and the client keeps to the rate limit.
func TestPresenceIsPaced(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		from, n := time.Now(), 0
		var last string
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 10_000 {
				if err := p.SetPresence(i); err != nil {
					t.Error(err)
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
		for last != "9999" {
			last = string(w.expect(protocol.TypeUpdatePresence).State)
			n++
			if limit := 128 + int(time.Since(from)/(100*time.Millisecond)); n > limit {
				t.Fatalf("%d messages in %v, want at most %d", n, time.Since(from), limit)
			}
		}
		<-done
		w.silent()
	})
}

func TestStateChangesAreReported(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		var got []string
		c, w := s.start(&client.Options{OnState: func(st client.State, err error) { got = append(got, fmt.Sprint(st, " ", err)) }})
		broken := errors.New("broken")
		w.lose(broken)
		s.open()
		synctest.Wait()
		if st := c.State(); st != client.StateConnected {
			t.Errorf("State() = %q, want %q", st, client.StateConnected)
		}
		if err := c.Err(); err != nil {
			t.Errorf("Err() = %v, want nil", err)
		}
		_ = c.Close()
		if st := c.State(); st != client.StateClosed {
			t.Errorf("State() = %q, want %q", st, client.StateClosed)
		}
		want := []string{"connecting <nil>", "connected <nil>", "waiting broken", "connecting <nil>", "connected <nil>", "closed client: closed"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("states %q, want %q", got, want)
		}
	})
}
