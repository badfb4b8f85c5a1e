package client_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

// afterTheEnd is a log handler that calls f once, after the client has judged the end of a
// connection and before it acts on it: the client logs the end between the two.
type afterTheEnd struct {
	slog.Handler
	f atomic.Pointer[func()]
}

func newAfterTheEnd() *afterTheEnd { return &afterTheEnd{Handler: slog.DiscardHandler} }

func (*afterTheEnd) Enabled(context.Context, slog.Level) bool { return true }

func (h *afterTheEnd) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "client: connection ended" {
		if f := h.f.Swap(nil); f != nil {
			(*f)()
		}
	}
	return nil
}

// disconnect ends the connection for good.
func (w *wire) disconnect() { w.goodbye(protocol.CloseForbidden, 0) }

// A restart that the program asks for between the judgment of a final end and the end itself
// counts: the client goes on, with its plans.
func TestRestartBeforeTheEnd(t *testing.T) {
	calls := map[string]func(t *testing.T, c *client.Client) (result <-chan error){
		"Reconnect": func(t *testing.T, c *client.Client) <-chan error {
			done := make(chan error, 1)
			done <- c.Reconnect()
			return done
		},
		"Renew": func(t *testing.T, c *client.Client) <-chan error {
			done := renew(t.Context(), c)
			synctest.Wait() // until it waits for the connection
			return done
		},
	}
	ends := map[string]func(w *wire){
		"disconnected": func(w *wire) { w.disconnect() },
		"replaced":     func(w *wire) { w.goodbye(protocol.CloseReplaced, 0) },
	}
	for name, call := range calls {
		for end, finally := range ends {
			t.Run(name+"/"+end, func(t *testing.T) {
				bubble(t, func(t *testing.T, s *script) {
					src, window := &source{}, newAfterTheEnd()
					var last client.State
					c, w := s.start(&client.Options{
						Token: src.get, Logger: slog.New(window),
						OnState: func(s client.State, _ error) { last = s },
					})
					p := w.enter(c, "demo")
					want(t, p, "reload joined")
					called := make(chan (<-chan error), 1)
					f := func() { called <- call(t, c) }
					window.f.Store(&f)
					finally(w)
					done := <-called
					synctest.Wait()
					if st := c.State(); st == client.StateClosed {
						t.Fatalf("the client has ended with %v, want another connection", c.Err())
					}
					from := time.Now()
					w = s.open()
					if got := w.at.Sub(from); got != 0 || w.token != "t2" {
						t.Errorf("connected after %v with %q, want at once with t2", got, w.token)
					}
					if err := <-done; err != nil {
						t.Errorf("%s = %v", name, err)
					}
					w.join(true, "e", 0)
					want(t, p, "join-plan   1")
					if last != client.StateConnected {
						t.Errorf("last state %s, want connected", last)
					}
				})
			})
		}
	}
}

// Close between the judgment of a final end and the end itself is the reason of the end.
func TestCloseBeforeTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		window := newAfterTheEnd()
		c, w := s.start(&client.Options{Logger: slog.New(window)})
		p := w.enter(c, "demo")
		closed := make(chan struct{})
		f := func() {
			go func() {
				defer close(closed)
				_ = c.Reconnect()
				_ = c.Close()
			}()
			synctest.Wait()
		}
		window.f.Store(&f)
		w.disconnect()
		<-closed
		if err := c.Err(); err != client.ErrClosed {
			t.Errorf("Err() = %v, want %v", err, client.ErrClosed)
		}
		if e, err := p.Next(t.Context()); err != client.ErrClosed {
			t.Errorf("Next = %s, %v, want %v", describe(e), err, client.ErrClosed)
		}
	})
}

// Renew on a connection that has ended, but is not released yet, makes another one at once.
func TestRenewWhileTheConnectionIsReleased(t *testing.T) {
	ends := map[string]error{
		"lost":         net.ErrClosed,
		"disconnected": &client.CloseError{Code: protocol.CloseForbidden, Remote: true},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				src := &source{}
				c, w := s.start(&client.Options{Token: src.get, BackoffMin: time.Hour, BackoffMax: time.Hour})
				called := make(chan (<-chan error), 1)
				w.released = func() {
					done := renew(t.Context(), c)
					synctest.Wait()
					called <- done
				}
				w.lose(end)
				done := <-called
				from := time.Now()
				synctest.Wait()
				if st := c.State(); st == client.StateClosed {
					t.Fatalf("the client has ended with %v, want another connection", c.Err())
				}
				next := s.open()
				if got := next.at.Sub(from); got != 0 || next.token != "t2" {
					t.Errorf("connected after %v with %q, want at once with t2", got, next.token)
				}
				if err := <-done; err != nil {
					t.Errorf("Renew = %v", err)
				}
			})
		})
	}
}

// What the program asks of a plan while the connection is released is done on the next one.
func TestPlansWhileTheConnectionIsReleased(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		kept, left := w.enter(c, "kept"), w.enter(c, "left")
		joined := make(chan *client.Plan, 1)
		w.released = func() {
			left.Leave()
			if err := kept.SetPresence("here"); err != nil {
				t.Errorf("SetPresence: %v", err)
			}
			go func() {
				p, err := c.Join(t.Context(), "left", nil)
				if err != nil {
					t.Errorf("Join: %v", err)
				}
				joined <- p
			}()
			synctest.Wait()
		}
		w.lose(net.ErrClosed)
		w = s.open()
		for range 2 {
			w.join(false, "e", 0)
		}
		if req := w.expect(protocol.TypeUpdatePresence); req.PlanID != "kept" || string(req.State) != `"here"` {
			t.Errorf("set state %s in %q, want the state here in kept", req.State, req.PlanID)
		}
		want(t, <-joined, "reload joined")
		w.silent()
	})
}

// After Close, Join returns ErrClosed, even if the client had ended for another reason.
func TestJoinAfterTheEndAndClose(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		w.disconnect()
		<-c.Done()
		if _, err := c.Join(t.Context(), "demo", nil); !errors.Is(err, client.ErrDisconnected) {
			t.Errorf("Join = %v, want %v", err, client.ErrDisconnected)
		}
		_ = c.Close()
		if _, err := c.Join(t.Context(), "demo", nil); !errors.Is(err, client.ErrClosed) {
			t.Errorf("Join = %v, want %v", err, client.ErrClosed)
		}
	})
}
