package client_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

// After Close the server sends leave-plan to the others immediately, without the grace period of a
// lost connection.
func TestCloseLeaves(t *testing.T) {
	s := newServer(t, config{})
	watch := join(t, s.dial("ann"), "demo")
	c := s.dial("bob")
	p := join(t, c, "demo")
	want(t, watch, "reload joined", "join-plan bob  2")
	if err := c.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	want(t, watch, "leave-plan bob  1")
	if err := ended(t, p); !errors.Is(err, client.ErrClosed) {
		t.Errorf("stream ended with %v, want %v", err, client.ErrClosed)
	}
	if err := c.Err(); err != client.ErrClosed {
		t.Errorf("Err() = %v, want %v", err, client.ErrClosed)
	}
	if _, err := c.Join(t.Context(), "demo", nil); !errors.Is(err, client.ErrClosed) {
		t.Errorf("Join after Close = %v, want %v", err, client.ErrClosed)
	}
	if err := p.SetPresence(1); !errors.Is(err, client.ErrClosed) {
		t.Errorf("SetPresence after Close = %v, want %v", err, client.ErrClosed)
	}
}

// Close returns soon, even if the server neither reads nor writes.
func TestCloseDespiteAFrozenServer(t *testing.T) {
	t.Parallel() // it takes as long as Close waits
	s := newServer(t, config{})
	c := s.dial("ann")
	join(t, c, "demo")
	s.proxy.freeze()
	from := time.Now()
	_ = c.Close()
	if got := time.Since(from); got > 4*time.Second {
		t.Errorf("Close took %v", got)
	}
}

func TestCloseAtEveryMoment(t *testing.T) {
	block := make(chan struct{})
	moments := map[string]func(t *testing.T, s *script) *client.Client{
		"connected": func(_ *testing.T, s *script) *client.Client {
			c, _ := s.start(nil)
			return c
		},
		"joined": func(_ *testing.T, s *script) *client.Client {
			c, w := s.start(nil)
			w.enter(c, "demo")
			go w.expect(protocol.TypeLeavePlan)
			return c
		},
		"writing": func(_ *testing.T, s *script) *client.Client {
			c, w := s.start(nil)
			w.enter(c, "demo") // the test does not read the leave-plan
			return c
		},
		"waiting": func(_ *testing.T, s *script) *client.Client {
			c, w := s.start(nil)
			w.goodbye(protocol.CloseShutdown, time.Minute)
			time.Sleep(time.Second)
			return c
		},
		"handshake": func(_ *testing.T, s *script) *client.Client {
			c, w := s.start(nil)
			w.lose(net.ErrClosed)
			<-s.dials
			return c
		},
		"before the hello": func(_ *testing.T, s *script) *client.Client {
			c, w := s.start(nil)
			w.lose(net.ErrClosed)
			w = <-s.dials
			w.answer <- nil
			return c
		},
		"after goodbye": func(_ *testing.T, s *script) *client.Client {
			c, w := s.start(nil)
			w.say(`{"type":"goodbye","data":{"code":4503,"reconnect":true}}`)
			return c
		},
		"asking for a token": func(_ *testing.T, s *script) *client.Client {
			n := 0
			c, w := s.start(&client.Options{Token: func(ctx context.Context, _ client.TokenReason) (client.Token, error) {
				if n++; n > 1 {
					<-ctx.Done()
					return client.Token{}, ctx.Err()
				}
				return client.Token{Value: "t", ExpiresAt: time.Now().Add(time.Minute)}, nil
			}})
			_ = w
			time.Sleep(31 * time.Second)
			return c
		},
	}
	defer close(block)
	for name, reach := range moments {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				c := reach(t, s)
				from := time.Now()
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() { _ = c.Close() })
				}
				wg.Wait()
				if got := time.Since(from); got > 3*time.Second {
					t.Errorf("Close took %v", got)
				}
				if st, err := c.State(), c.Err(); st != client.StateClosed || err != client.ErrClosed {
					t.Errorf("after Close: %s, %v", st, err)
				}
				<-c.Done()
			})
		})
	}
}

// With all methods called concurrently, nothing hangs, and all calls end with the client.
func TestCloseDuringEverything(t *testing.T) {
	s := newServer(t, config{})
	for range 20 {
		c := s.dial("ann")
		ctx := t.Context()
		var wg sync.WaitGroup
		for _, plan := range []string{"a", "b", "c"} {
			wg.Go(func() {
				for {
					p, err := c.Join(ctx, plan, nil)
					if err != nil {
						if !errors.Is(err, client.ErrClosed) {
							t.Errorf("Join: %v", err)
						}
						return
					}
					if err := p.SetPresence(plan); err != nil && !errors.Is(err, client.ErrClosed) {
						t.Errorf("SetPresence: %v", err)
					}
					_, err = p.Next(ctx)
					_, _, _ = p.Participants(), p.ParticipantCount(), p.Position()
					p.Leave()
					if err != nil {
						return
					}
				}
			})
			wg.Go(func() { s.broadcast(plan, 1, 20) })
		}
		wg.Go(s.proxy.cut)
		wg.Go(func() { _, _ = c.NextNotice(ctx) })
		wg.Go(func() { s.broadcast("a", 1, 20); _ = c.Close() })
		wg.Wait()
	}
}

// Closing a link returns soon too, as for a client whose renewed token was refused.
func TestCloseFrameThatIsNotAnswered(t *testing.T) {
	t.Parallel() // it takes as long as Close waits
	s := newServer(t, config{})
	header := http.Header{"Authorization": {"Bearer " + tokenOf("ann")}}
	l, err := client.DialSocket(t.Context(), s.url(), header, http.DefaultClient, 1000)
	if err != nil {
		t.Fatal(err)
	}
	s.proxy.freeze()
	from := time.Now()
	l.Close(protocol.CloseNormal)
	l.Release()
	if got := time.Since(from); got > 4*time.Second {
		t.Errorf("Close took %v", got)
	}
}
