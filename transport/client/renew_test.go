package client_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/client"
)

// renew calls Renew in a goroutine.
func renew(ctx context.Context, c *client.Client) <-chan error {
	done := make(chan error, 1)
	go func() { done <- c.Renew(ctx) }()
	return done
}

const accepted = `{"type":"authenticate","data":{"success":true,"expiresAt":null}}`

func TestRenewOnTheOpenConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		src := &source{}
		c, w := s.start(&client.Options{Token: src.get})
		done := renew(t.Context(), c)
		if req := w.expect(protocol.TypeAuthenticate); req.Token != "t2" {
			t.Errorf("authenticated with %q, want t2", req.Token)
		}
		synctest.Wait()
		if len(done) > 0 {
			t.Error("Renew returned before the answer")
		}
		w.say(accepted)
		if err := <-done; err != nil {
			t.Errorf("Renew = %v", err)
		}
		src.want(t, client.TokenConnect, client.TokenChanged)
		w.lose(net.ErrClosed)
		if w = s.open(); w.token != "t2" {
			t.Errorf("reconnected with %q, want t2", w.token)
		}
	})
}

// Without a connection Renew makes one at once, whatever the state.
func TestRenewFromEveryState(t *testing.T) {
	states := map[string]func(s *script, c *client.Client, w *wire){
		"waiting": func(_ *script, _ *client.Client, w *wire) { w.goodbye(protocol.CloseShutdown, time.Hour) },
		"dialing": func(s *script, _ *client.Client, w *wire) {
			w.lose(net.ErrClosed)
			<-s.dials
		},
		"before the hello": func(s *script, _ *client.Client, w *wire) {
			w.lose(net.ErrClosed)
			(<-s.dials).answer <- nil
		},
		"disconnected": func(_ *script, c *client.Client, w *wire) {
			w.goodbye(protocol.CloseForbidden, 0)
			<-c.Done()
		},
		"refused twice": func(s *script, c *client.Client, w *wire) {
			w.goodbye(protocol.CloseUnauthorized, 0)
			(<-s.dials).answer <- client.Refuse(401)
			<-c.Done()
		},
	}
	for name, reach := range states {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				last := "t1"
				c, w := s.start(&client.Options{Token: func(_ context.Context, r client.TokenReason) (client.Token, error) {
					if r == client.TokenChanged {
						last = "new"
					}
					return client.Token{Value: last}, nil
				}})
				reach(s, c, w)
				synctest.Wait()
				from := time.Now()
				done := renew(t.Context(), c)
				w = s.open()
				if got := w.at.Sub(from); got != 0 || w.token != "new" {
					t.Errorf("connected after %v with %q, want at once with new", got, w.token)
				}
				if err := <-done; err != nil {
					t.Errorf("Renew = %v", err)
				}
				w.rest(time.Minute) // the server has the token already
			})
		})
	}
}

// A token that the server refuses on the connection is another user's: a new connection decides.
func TestRenewAsAnotherUser(t *testing.T) {
	for name, refuse := range map[string]bool{"accepted": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				src := &source{}
				c, w := s.start(&client.Options{Token: src.get})
				done := renew(t.Context(), c)
				w.expect(protocol.TypeAuthenticate)
				w.say(`{"type":"error","data":{"code":"bad_token","re":"authenticate"}}`)
				if w = <-s.dials; w.token != "t2" {
					t.Errorf("reconnected with %q, want t2", w.token)
				}
				if refuse {
					w.answer <- client.Refuse(401)
					if err := <-done; !errors.Is(err, client.ErrUnauthorized) {
						t.Errorf("Renew = %v, want %v", err, client.ErrUnauthorized)
					}
					if w = s.open(); w.token != "t3" {
						t.Errorf("reconnected with %q, want t3", w.token)
					}
					src.want(t, client.TokenConnect, client.TokenChanged, client.TokenRejected)
					return
				}
				w.answer <- nil
				w.hello()
				if err := <-done; err != nil {
					t.Errorf("Renew = %v", err)
				}
				src.want(t, client.TokenConnect, client.TokenChanged)
			})
		})
	}
}

// The server's refusal for the moment keeps the connection, and the client sends the token again.
func TestRenewIsSentAgain(t *testing.T) {
	for _, code := range []protocol.ErrorCode{protocol.ErrorUnavailable, protocol.ErrorRateLimited} {
		bubble(t, func(t *testing.T, s *script) {
			src := &source{}
			c, w := s.start(&client.Options{Token: src.get})
			done := renew(t.Context(), c)
			for range 5 {
				from := time.Now()
				if req := w.expect(protocol.TypeAuthenticate); req.Token != "t2" {
					t.Errorf("authenticated with %q, want t2", req.Token)
				}
				if got := time.Since(from); got > 11*time.Second {
					t.Errorf("sent again after %v, want 10.5s", got)
				}
				w.say(`{"type":"error","data":{"code":%q,"re":"authenticate"}}`, code)
			}
			w.expect(protocol.TypeAuthenticate)
			w.say(accepted)
			if err := <-done; err != nil {
				t.Errorf("Renew = %v", err)
			}
			src.want(t, client.TokenConnect, client.TokenChanged)
		})
	}
}

// A token is not lost with the connection on which it was sent, or with an answer.
func TestRenewSurvivesTheConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		src := &source{}
		c, w := s.start(&client.Options{Token: src.get})
		first := renew(t.Context(), c)
		w.expect(protocol.TypeAuthenticate) // is not answered
		from := time.Now()
		w.expect(protocol.TypeAuthenticate)
		if got := time.Since(from); got != 30*time.Second {
			t.Errorf("sent again after %v, want 30s", got)
		}
		second := renew(t.Context(), c)
		synctest.Wait()
		w.lose(net.ErrClosed)
		if w = s.open(); w.token != "t3" {
			t.Errorf("reconnected with %q, want t3", w.token)
		}
		if err1, err2 := <-first, <-second; err1 != nil || err2 != nil {
			t.Errorf("Renew = %v, %v", err1, err2)
		}
		w.rest(time.Minute)
	})
}

func TestRenewErrors(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		src := &source{}
		c, w := s.start(&client.Options{Token: src.get})
		down := errors.New("login is down")
		src.fail(down)
		if err := c.Renew(t.Context()); !errors.Is(err, down) {
			t.Errorf("Renew = %v, want %v", err, down)
		}
		src.fail(nil)
		w.silent()
		if st := c.State(); st != client.StateConnected {
			t.Errorf("state %s, want connected", st)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := renew(ctx, c)
		w.expect(protocol.TypeAuthenticate)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Renew = %v, want %v", err, context.Canceled)
		}
		done = renew(t.Context(), c)
		synctest.Wait()
		w.goodbye(protocol.CloseForbidden, 0)
		if err := <-done; !errors.Is(err, client.ErrDisconnected) {
			t.Errorf("Renew = %v, want %v", err, client.ErrDisconnected)
		}
		_ = c.Close()
		if err := c.Renew(t.Context()); err != client.ErrClosed {
			t.Errorf("Renew after Close = %v, want %v", err, client.ErrClosed)
		}
	})
	bubble(t, func(t *testing.T, s *script) {
		c, _ := s.start(nil)
		if err := c.Renew(t.Context()); err == nil {
			t.Error("Renew without Options.Token returned no error")
		}
	})
}

// On a real server: after a login as another user the client is that user.
func TestRenewChangesTheUser(t *testing.T) {
	user := make(chan string, 1)
	user <- "ann"
	s := newServer(t, config{hub: room.Options{Authorize: func(_ context.Context, id auth.Identity, _ string) error {
		if id.UserID != "bob" {
			return room.ErrForbidden
		}
		return nil
	}}})
	c := s.dialWith(client.Options{Token: func(context.Context, client.TokenReason) (client.Token, error) {
		return client.Token{Value: tokenOf(<-user)}, nil
	}})
	if _, err := c.Join(t.Context(), "demo", nil); !errors.Is(err, client.ErrForbidden) {
		t.Errorf("Join = %v, want %v", err, client.ErrForbidden)
	}
	user <- "bob"
	if err := c.Renew(t.Context()); err != nil {
		t.Fatalf("Renew: %v", err)
	}
	if got := c.UserID(); got != "bob" {
		t.Errorf("UserID() = %q, want bob", got)
	}
	want(t, join(t, c, "demo"), "reload joined")
}

// hanging is a TokenFunc that ignores its context until the test ends.
func hanging(t *testing.T, first int32) (f client.TokenFunc, calls *atomic.Int32) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	calls = new(atomic.Int32)
	return func(context.Context, client.TokenReason) (client.Token, error) {
		if calls.Add(1) > first {
			<-release
		}
		return client.Token{Value: "t", ExpiresAt: time.Now().Add(time.Minute)}, nil
	}, calls
}

// A TokenFunc that ignores its context delays neither Close, nor Join, nor Renew, nor the renewal.
func TestHangingTokenFunc(t *testing.T) {
	within := func(t *testing.T, what string, limit time.Duration, f func()) {
		t.Helper()
		from := time.Now()
		f()
		if got := time.Since(from); got > limit {
			t.Errorf("%s took %v, want at most %v", what, got, limit)
		}
	}
	t.Run("connecting", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			f, calls := hanging(t, 0)
			c, err := client.StartLazy(&client.Options{Token: f}, s.dial)
			if err != nil {
				t.Fatal(err)
			}
			within(t, "Join", time.Second, func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := c.Join(ctx, "demo", nil); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Join = %v, want %v", err, context.DeadlineExceeded)
				}
			})
			time.Sleep(5 * time.Minute)
			if n := calls.Load(); n != 1 {
				t.Errorf("%d calls at the same time, want 1", n)
			}
			if err := c.LastError(); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("LastError() = %v, want %v", err, context.DeadlineExceeded)
			}
			within(t, "Close", 2*time.Second, func() { _ = c.Close() })
		})
	})
	t.Run("renewing", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			f, _ := hanging(t, 1)
			c, w := s.start(&client.Options{Token: f})
			w.rest(40 * time.Second)
			within(t, "Renew", 2*time.Second, func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := c.Renew(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Renew = %v, want %v", err, context.DeadlineExceeded)
				}
			})
			w.lose(net.ErrClosed)
			within(t, "the reconnect", 2*time.Second, func() { synctest.Wait() })
			renewed := renew(t.Context(), c)
			synctest.Wait()
			within(t, "Close", 3*time.Second, func() { _ = c.Close() })
			if err := <-renewed; err != client.ErrClosed {
				t.Errorf("Renew = %v, want %v", err, client.ErrClosed)
			}
		})
	})
}
