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

func TestBackoffIsJitteredAndGrows(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, w := s.start(nil)
		ceiling := 500 * time.Millisecond
		var longest time.Duration
		for range 200 {
			from := time.Now()
			w.lose(net.ErrClosed)
			w = <-s.dials
			wait := w.at.Sub(from)
			if wait > ceiling {
				t.Fatalf("waited %v, want at most %v", wait, ceiling)
			}
			longest = max(longest, wait)
			w.answer <- net.ErrClosed // the handshake fails
			w = <-s.dials
			ceiling = min(4*ceiling, 30*time.Second)
			w.answer <- nil
		}
		if longest < 20*time.Second {
			t.Errorf("longest of 200 waits is %v, want it near 30 s", longest)
		}
		w.lose(net.ErrClosed)
	})
}

func TestBackoffBeginsAnewAfterAStableConnection(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stable time.Duration
		want   time.Duration // the longest wait that may be
	}{
		{"stable", 5 * time.Second, 500 * time.Millisecond},
		{"not yet", 5*time.Second - 1, 30 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				_, w := s.start(nil)
				for range 10 {
					w.lose(net.ErrClosed)
					w = s.open()
				}
				var longest time.Duration
				for range 50 {
					time.Sleep(tt.stable)
					from := time.Now()
					w.lose(net.ErrClosed)
					w = s.open()
					longest = max(longest, w.at.Sub(from))
				}
				if longest > tt.want || longest < tt.want/2 {
					t.Errorf("longest of 50 waits is %v, want it near %v", longest, tt.want)
				}
			})
		})
	}
}

// While a plan that it is there for is not joined a connection is of no use.
func TestConnectionWithoutItsPlanIsNotStable(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		w.enter(c, "demo")
		var longest time.Duration
		for range 50 {
			time.Sleep(10 * time.Second)
			from := time.Now()
			w.lose(net.ErrClosed)
			w = s.open()
			w.hear(protocol.TypeJoinPlan)
			longest = max(longest, w.at.Sub(from))
		}
		if longest < 10*time.Second {
			t.Errorf("longest of 50 waits is %v, want it near 30 s", longest)
		}
	})
}

func TestServerSaysWhenToComeBack(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, w := s.start(nil)
		for _, tt := range []struct{ ask, want time.Duration }{
			{1234 * time.Millisecond, 1234 * time.Millisecond},
			{time.Minute, time.Minute},
			{1000 * time.Hour, time.Hour},
		} {
			from := time.Now()
			w.goodbye(protocol.CloseShutdown, tt.ask)
			w = s.open()
			if got := w.at.Sub(from); got != tt.want {
				t.Errorf("came back after %v, want %v", got, tt.want)
			}
		}
		from := time.Now()
		w.say(`{"type":"goodbye","data":{"code":4503,"reconnect":true,"retryAfterMs":-5}}`)
		w.lose(net.ErrClosed)
		w = s.open()
		if got := w.at.Sub(from); got > 30*time.Second {
			t.Errorf("came back after %v, want the client's own back-off", got)
		}
	})
}

func TestSilenceIsProbedAndThenCut(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, w := s.start(nil)
		from := time.Now()
		w.hear(protocol.TypePing)
		if got := time.Since(from); got != 25*time.Second {
			t.Errorf("ping after %v of silence, want 25s", got)
		}
		time.Sleep(9 * time.Second)
		w.say(`{"type":"pong"}`)
		from = time.Now()
		w.hear(protocol.TypePing)
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

// A client that could not look at the clock in time does not blame the server.
func TestLateLookAtTheClock(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		<-w.up // the ping, which is not answered
		time.Sleep(9 * time.Second)
		if err := p.SetPresence(1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second) // nobody takes the message
		w.hear(protocol.TypeUpdatePresence)
		from := time.Now()
		if req, err := protocol.DecodeRequest(<-w.up); err != nil || req.Type != protocol.TypePing {
			t.Fatalf("the client says %v, %v, want another ping", req, err)
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
		w.hear(protocol.TypePing)
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
		<-w.over // nobody hears the ping
		if got := time.Since(from); got > 36*time.Second {
			t.Errorf("cut after %v, want 35 s, and 1 s to hear why", got)
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

func TestJoinIsTriedAgain(t *testing.T) {
	for _, code := range []protocol.ErrorCode{protocol.ErrorUnavailable, protocol.ErrorRateLimited, "from_the_future"} {
		t.Run(string(code), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				c, w := s.start(nil)
				joined := make(chan error)
				go func() {
					_, err := c.Join(t.Context(), "demo", nil)
					joined <- err
				}()
				ceiling := 500 * time.Millisecond
				from := time.Now()
				for range 8 {
					w.hear(protocol.TypeJoinPlan)
					if got := time.Since(from); got > ceiling {
						t.Errorf("joined again after %v, want at most %v", got, ceiling)
					} else if from = time.Now(); got > 0 {
						ceiling *= 2
					}
					w.say(`{"type":"error","planId":"demo","data":{"code":%q,"re":"join-plan"}}`, code)
				}
				w.join(false, "e", 1)
				if err := <-joined; err != nil {
					t.Errorf("Join: %v", err)
				}
			})
		})
	}
}

func TestRemovedForAWhile(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.event("demo", 1, 0)
		w.say(`{"type":"removed","planId":"demo","data":{"reason":"access could not be checked","retry":true}}`)
		w.event("demo", 9, 8) // belongs to nothing
		if req := w.join(true, "e", 1); req.Since == nil || req.Since.Seq != 1 {
			t.Errorf("joined again since %v, want 1", req.Since)
		}
		w.event("demo", 2, 1)
		want(t, p, "reload joined", "task 1", "join-plan   1", "task 2")
	})
}

func TestPlanBackoffBeginsAnew(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		w.enter(c, "demo")
		for range 50 {
			w.rest(5 * time.Second)
			from := time.Now()
			w.say(`{"type":"removed","planId":"demo","data":{"retry":true}}`)
			w.join(true, "e", 0)
			if got := time.Since(from); got > 500*time.Millisecond {
				t.Fatalf("joined again after %v, want at most 500ms", got)
			}
		}
	})
}

// When a write fails the reader may have heard why the server has gone.
func TestServerGoesWhileTheClientWrites(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		if err := p.SetPresence(1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // it is being written
		w.lose(&client.CloseError{Code: protocol.CloseForbidden, Remote: true})
		<-c.Done()
		if err := c.Err(); !errors.Is(err, client.ErrDisconnected) {
			t.Errorf("Err() = %v, want %v", err, client.ErrDisconnected)
		}
	})
}

// Many changes of a state between two messages are one; and the client never says more than the server takes.
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
			last = string(w.hear(protocol.TypeUpdatePresence).State)
			n++
			if limit := 128 + int(time.Since(from)/(100*time.Millisecond)); n > limit {
				t.Fatalf("%d messages in %v, want at most %d", n, time.Since(from), limit)
			}
		}
		<-done
		w.silent()
	})
}

func TestStateChangesAreTold(t *testing.T) {
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
