package client_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

// A client without plans that receives messages sends one as well: a server closes a connection on
// which the client sends nothing for 30 s.
func TestClientSpeaksWithin30s(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, w := s.start(nil)
		for range 4 {
			time.Sleep(6 * time.Second)
			w.say(`{"type":"assigned","data":1}`)
		}
		from := w.at
		w.expect(protocol.TypePing)
		if got := time.Since(from); got > 26*time.Second {
			t.Errorf("first message after %v, want 25s", got)
		}
	})
}

// A client whose plans were all denied still resets the back-off and answers the server's limits.
func TestOnlyDeniedPlans(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		for range 10 {
			w.lose(net.ErrClosed)
			w = s.open()
		}
		var longest time.Duration
		for range 30 {
			done := make(chan error)
			go func() {
				_, err := c.Join(t.Context(), "demo", nil)
				done <- err
			}()
			w.expect(protocol.TypeJoinPlan)
			w.say(`{"type":"error","planId":"demo","data":{"code":"forbidden","re":"join-plan"}}`)
			if err := <-done; err == nil {
				t.Fatal("Join returned no error")
			}
			w.rest(30 * time.Second) // with a ping
			from := time.Now()
			w.lose(net.ErrClosed)
			synctest.Wait()
			// The next connection has a plan that is denied after the hello.
			go func() { _, _ = c.Join(t.Context(), "demo", nil) }()
			w = s.open()
			longest = max(longest, w.at.Sub(from))
			w.expect(protocol.TypeJoinPlan)
			w.say(`{"type":"error","planId":"demo","data":{"code":"forbidden","re":"join-plan"}}`)
			w.rest(30 * time.Second)
			from = time.Now()
			w.lose(net.ErrClosed)
			w = s.open()
			longest = max(longest, w.at.Sub(from))
		}
		if longest > 500*time.Millisecond {
			t.Errorf("longest wait %v, want up to 500ms", longest)
		}
	})
}

// A join, and a leave that a join waits for, are not waited for without limit.
func TestRequestWithoutAnAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		joined := make(chan *client.Plan)
		enter := func() {
			p, err := c.Join(t.Context(), "demo", nil)
			if err != nil {
				t.Errorf("Join: %v", err)
			}
			joined <- p
		}
		go enter()
		from := time.Now()
		w.expect(protocol.TypeJoinPlan)
		w.expect(protocol.TypeJoinPlan)
		if got := time.Since(from); got < 30*time.Second || got > 31*time.Second {
			t.Errorf("joined again after %v, want 30s", got)
		}
		w.joined("demo", false, "e", 1)
		p := <-joined
		want(t, p, "reload joined")
		w.rest(time.Minute)
		p.Leave()
		w.expect(protocol.TypeLeavePlan)
		go enter()
		from = time.Now()
		w.join(false, "e", 1)
		if got := time.Since(from); got < 29*time.Second || got > 31*time.Second {
			t.Errorf("joined after %v, want 30s", got)
		}
		<-joined
	})
}

// A server that accepts a token and then refuses it does not make the client reconnect in a loop.
func TestRefusalAfterTheHelloBacksOff(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		src := &source{}
		_, w := s.start(&client.Options{Token: src.get})
		from := time.Now()
		for range 50 {
			w.goodbye(protocol.CloseUnauthorized, 0)
			w = s.open()
		}
		if got := time.Since(from); got < 5*time.Minute {
			t.Errorf("50 refusals in %v, want a back-off", got)
		}
	})
}

// The same state is sent once, and one that the server refused for its rate is sent again.
func TestPresenceIsSentAsOftenAsNeeded(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		show := func(state any) {
			t.Helper()
			if err := p.SetPresence(state); err != nil {
				t.Errorf("SetPresence: %v", err)
			}
		}
		show(nil)
		w.silent() // the server has no state to clear
		show(1)
		w.expect(protocol.TypeUpdatePresence)
		show(1)
		w.silent()
		show(2)
		w.expect(protocol.TypeUpdatePresence)
		w.say(`{"type":"error","planId":"demo","data":{"code":"rate_limited","re":"update-presence"}}`)
		synctest.Wait()
		from := time.Now()
		show(3)
		if req := w.expect(protocol.TypeUpdatePresence); string(req.State) != "3" {
			t.Errorf("state %s, want 3", req.State)
		}
		if got := time.Since(from); got != time.Second {
			t.Errorf("sent again after %v, want 1s", got)
		}
		w.rest(time.Minute)
	})
}
