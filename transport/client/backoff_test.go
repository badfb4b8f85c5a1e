package client_test

import (
	"net"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
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

func TestBackoffResetsAfterAStableConnection(t *testing.T) {
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

// A connection on which the plans are not joined does not reset the back-off.
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
			w.expect(protocol.TypeJoinPlan)
			longest = max(longest, w.at.Sub(from))
		}
		if longest < 10*time.Second {
			t.Errorf("longest of 50 waits is %v, want it near 30 s", longest)
		}
	})
}

func TestServerSetsTheRetryDelay(t *testing.T) {
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
				t.Errorf("reconnected after %v, want %v", got, tt.want)
			}
		}
		from := time.Now()
		w.say(`{"type":"goodbye","data":{"code":4503,"reconnect":true,"retryAfterMs":-5}}`)
		w.lose(net.ErrClosed)
		w = s.open()
		if got := w.at.Sub(from); got > 30*time.Second {
			t.Errorf("reconnected after %v, want the back-off of the client", got)
		}
	})
}

func TestJoinIsRetried(t *testing.T) {
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
					w.expect(protocol.TypeJoinPlan)
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
		w.event("demo", 9, 8) // the plan is not joined
		if req := w.join(true, "e", 1); req.Since == nil || req.Since.Seq != 1 {
			t.Errorf("joined again since %v, want 1", req.Since)
		}
		w.event("demo", 2, 1)
		want(t, p, "reload joined", "task 1", "join-plan   1", "task 2")
	})
}

func TestPlanBackoffResets(t *testing.T) {
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
