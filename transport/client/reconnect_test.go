package client_test

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

func reconnect(t *testing.T, c *client.Client) {
	t.Helper()
	if err := c.Reconnect(); err != nil {
		t.Errorf("Reconnect: %v", err)
	}
}

// In each state Reconnect starts the next attempt at once.
func TestReconnectIsAtOnce(t *testing.T) {
	states := map[string]func(s *script, w *wire){
		"connected": func(*script, *wire) {},
		"waiting": func(_ *script, w *wire) {
			w.goodbye(protocol.CloseShutdown, time.Hour)
		},
		"dialing": func(s *script, w *wire) {
			w.lose(net.ErrClosed)
			<-s.dials // the handshake is not answered
		},
		"before the hello": func(s *script, w *wire) {
			w.lose(net.ErrClosed)
			(<-s.dials).answer <- nil
		},
		"after goodbye": func(_ *script, w *wire) {
			w.say(`{"type":"goodbye","data":{"code":4503,"reconnect":true,"retryAfterMs":60000}}`)
		},
	}
	for name, reach := range states {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				c, w := s.start(nil)
				p := w.enter(c, "demo")
				w.event("demo", 1, 0)
				want(t, p, "reload joined", "task 1")
				reach(s, w)
				synctest.Wait()
				from := time.Now()
				reconnect(t, c)
				w = s.open()
				if got := w.at.Sub(from); got != 0 {
					t.Errorf("connected after %v, want at once", got)
				}
				if req := w.join(true, "e", 1); req.Since == nil || req.Since.Seq != 1 {
					t.Errorf("joined since %v, want 1", req.Since)
				}
				w.event("demo", 2, 1)
				want(t, p, "join-plan   1", "task 2")
			})
		})
	}
}

// Reconnect resets the back-off, and a call that an attempt has served does not shorten a later
// wait.
func TestReconnectResetsTheBackoff(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		for range 20 {
			w.lose(net.ErrClosed)
			w = s.open()
		}
		reconnect(t, c)
		w = s.open()
		var longest time.Duration
		for range 20 {
			from := time.Now()
			w.lose(net.ErrClosed)
			w = s.open()
			longest = max(longest, w.at.Sub(from))
			reconnect(t, c)
			w = s.open()
		}
		if longest > 500*time.Millisecond || longest == 0 {
			t.Errorf("longest wait %v, want up to 500ms", longest)
		}
	})
}

// Reconnect restarts a client after a final end.
func TestReconnectAfterAFinalEnd(t *testing.T) {
	ends := map[string]struct {
		end  func(src *source, w *wire)
		want error
	}{
		"disconnected": {func(_ *source, w *wire) { w.goodbye(protocol.CloseForbidden, 0) }, client.ErrDisconnected},
		"no token": {func(src *source, w *wire) {
			src.fail(client.ErrUnauthorized)
			w.goodbye(protocol.CloseUnauthorized, 0)
		}, client.ErrUnauthorized},
	}
	for name, tt := range ends {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				src := &source{}
				c, w := s.start(&client.Options{Token: src.get})
				p := w.enter(c, "demo")
				want(t, p, "reload joined")
				tt.end(src, w)
				<-c.Done()
				if err := c.Err(); !errors.Is(err, tt.want) {
					t.Errorf("Err() = %v, want %v", err, tt.want)
				}
				if _, err := c.NextNotice(t.Context()); !errors.Is(err, tt.want) {
					t.Errorf("NextNotice = %v, want %v", err, tt.want)
				}
				src.fail(nil)
				reconnect(t, c)
				if st, err := c.State(), c.Err(); st != client.StateConnecting || err != nil {
					t.Errorf("after Reconnect: %s, %v", st, err)
				}
				w = s.open()
				if w.token != "t2" {
					t.Errorf("connected with %q, want t2", w.token)
				}
				if err := ended(t, p); !errors.Is(err, tt.want) {
					t.Errorf("stream ended with %v, want %v", err, tt.want)
				}
				want(t, w.enter(c, "demo"), "reload joined")
				w.say(`{"type":"assigned","data":1}`)
				if m, err := c.NextNotice(t.Context()); err != nil || m.Type != "assigned" {
					t.Errorf("NextNotice = %+v, %v, want assigned", m, err)
				}
				go w.expect(protocol.TypeLeavePlan)
				_ = c.Close()
				<-c.Done()
				if err := c.Err(); err != client.ErrClosed {
					t.Errorf("Err() = %v, want %v", err, client.ErrClosed)
				}
			})
		})
	}
}

// OnState is called for one run after the other, never concurrently.
func TestReconnectInOnState(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		var c *client.Client
		var got []client.State
		var calls atomic.Int32
		o := &client.Options{OnState: func(st client.State, _ error) {
			if calls.Add(1) > 1 {
				t.Error("OnState is called concurrently")
				return
			}
			defer calls.Add(-1)
			got = append(got, st)
			if st == client.StateClosed && len(got) == 3 {
				reconnect(t, c)
				time.Sleep(time.Second)
			}
		}}
		c, w := s.start(o)
		w.goodbye(protocol.CloseForbidden, 0)
		w = s.open()
		synctest.Wait()
		w.goodbye(protocol.CloseForbidden, 0)
		<-c.Done()
		want := []client.State{
			client.StateConnecting, client.StateConnected, client.StateClosed,
			client.StateConnecting, client.StateConnected, client.StateClosed,
		}
		if len(got) != len(want) {
			t.Fatalf("states %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("states %v, want %v", got, want)
			}
		}
	})
}

func TestReconnectAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, _ := s.start(nil)
		_ = c.Close()
		if err := c.Reconnect(); err != client.ErrClosed {
			t.Errorf("Reconnect after Close = %v, want %v", err, client.ErrClosed)
		}
		if err := c.Err(); err != client.ErrClosed {
			t.Errorf("Err() = %v, want %v", err, client.ErrClosed)
		}
	})
}

// Calls of Reconnect, Renew and Close at the same time leave no goroutine and no client behind.
func TestReconnectDuringEverything(t *testing.T) {
	s := newServer(t, config{})
	for range 20 {
		c := s.dial("ann")
		join(t, c, "demo")
		done := make(chan struct{})
		for range 3 {
			go func() {
				defer func() { done <- struct{}{} }()
				for c.Reconnect() == nil {
					if err := c.Renew(t.Context()); err != nil && !errors.Is(err, client.ErrClosed) {
						t.Errorf("Renew: %v", err)
					}
				}
			}()
		}
		if _, err := s.hub.Disconnect(t.Context(), "ann"); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		for range 3 {
			<-done
		}
	}
}
