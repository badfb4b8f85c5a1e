package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

// source returns numbered tokens and records the reasons.
type source struct {
	lives func() time.Duration // lifetime of the next token; nil: it never expires

	mu     sync.Mutex // guards the following
	fails  error
	asked  []client.TokenReason
	tokens int
}

func (s *source) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = err
}

func (s *source) get(_ context.Context, reason client.TokenReason) (client.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, reason)
	if s.fails != nil {
		return client.Token{}, s.fails
	}
	s.tokens++
	t := client.Token{Value: fmt.Sprint("t", s.tokens)}
	if s.lives != nil {
		t.ExpiresAt = time.Now().Add(s.lives())
	}
	return t, nil
}

func (s *source) want(t *testing.T, reasons ...client.TokenReason) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if fmt.Sprint(s.asked) != fmt.Sprint(reasons) {
		t.Errorf("Options.Token was called to %v, want %v", s.asked, reasons)
	}
}

func always(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

func TestTokenIsRenewedInTime(t *testing.T) {
	for _, tt := range []struct {
		lives time.Duration
		want  []time.Duration // from one token to the next
	}{
		{time.Hour, []time.Duration{time.Hour - 30*time.Second, time.Hour - 30*time.Second}},
		{time.Minute + 1, []time.Duration{30*time.Second + 1}},
		{40 * time.Second, []time.Duration{20 * time.Second, 20 * time.Second}},
		{12 * time.Second, []time.Duration{6 * time.Second, 10500 * time.Millisecond, 10500 * time.Millisecond}},
	} {
		t.Run(tt.lives.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				src := &source{lives: always(tt.lives)}
				_, w := s.start(&client.Options{Token: src.get})
				for i, want := range tt.want {
					from := time.Now()
					req := w.expect(protocol.TypeAuthenticate)
					if got := time.Since(from); got != want {
						t.Errorf("renewal %d after %v, want %v", i, got, want)
					}
					if want := fmt.Sprint("t", i+2); req.Token != want {
						t.Errorf("renewed with %q, want %q", req.Token, want)
					}
					w.say(`{"type":"authenticate","data":{"success":true,"expiresAt":null}}`)
				}
				w.lose(net.ErrClosed)
				w = s.open()
				if want := fmt.Sprint("t", src.tokens); w.token != want {
					t.Errorf("reconnected with %q, want %q", w.token, want)
				}
			})
		})
	}
}

// The client uses the expiry that the server reports if the program gives none.
func TestTokenExpiryFromTheServer(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		src := &source{}
		n := 0
		src.lives = func() time.Duration { n++; return time.Minute }
		_, w := s.start(&client.Options{Token: func(ctx context.Context, r client.TokenReason) (client.Token, error) {
			tok, err := src.get(ctx, r)
			if n > 1 {
				tok.ExpiresAt = time.Time{}
			}
			return tok, err
		}})
		w.expect(protocol.TypeAuthenticate)
		end, err := json.Marshal(time.Now().Add(time.Hour).UTC())
		if err != nil {
			t.Fatal(err)
		}
		from := time.Now()
		w.say(`{"type":"authenticate","data":{"success":true,"expiresAt":%s}}`, end)
		w.expect(protocol.TypeAuthenticate)
		if got := time.Since(from); got != time.Hour-30*time.Second {
			t.Errorf("next renewal after %v, want 59m30s", got)
		}
	})
}

func TestRenewalIsRetried(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		src := &source{lives: always(time.Hour)}
		_, w := s.start(&client.Options{Token: src.get})
		w.rest(time.Hour - 31*time.Second)
		src.fail(errors.New("login is down"))
		w.rest(2 * time.Second)
		src.fail(nil)
		from := time.Now()
		w.expect(protocol.TypeAuthenticate) // after half of the remaining time
		if got := time.Since(from); got > 15*time.Second || got < 5*time.Second {
			t.Errorf("renewed again after %v, want 15 s after it failed", got)
		}
		from = time.Now()
		w.say(`{"type":"error","data":{"code":"unavailable","re":"authenticate"}}`)
		w.expect(protocol.TypeAuthenticate)
		if got := time.Since(from); got != 10500*time.Millisecond {
			t.Errorf("renewed again after %v, want 10.5s", got)
		}
		src.want(t, client.TokenConnect, client.TokenRenew, client.TokenRenew, client.TokenRenew)
	})
}

func TestRenewalIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		src := &source{lives: always(40 * time.Second)}
		c, w := s.start(&client.Options{Token: src.get})
		p := w.enter(c, "demo")
		want(t, p, "reload joined")
		w.expect(protocol.TypeAuthenticate)
		w.say(`{"type":"error","data":{"code":"bad_token","re":"authenticate"}}`)
		if code := <-w.code; code != protocol.CloseNormal {
			t.Errorf("closed with %d, want 1000", code)
		}
		w = s.open()
		w.join(true, "e", 0)
		if w.token != "t3" {
			t.Errorf("reconnected with %q, want t3", w.token)
		}
		src.want(t, client.TokenConnect, client.TokenRenew, client.TokenRejected)
		want(t, p, "join-plan   1")
	})
}

func TestTokenNearItsEndIsNotUsedToConnect(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		life := time.Hour
		src := &source{lives: func() time.Duration { return life }}
		_, w := s.start(&client.Options{Token: src.get, BackoffMin: time.Nanosecond, BackoffMax: time.Nanosecond})
		w.lose(net.ErrClosed)
		if w = s.open(); w.token != "t1" {
			t.Errorf("reconnected with %q, want t1", w.token)
		}
		w.rest(life - 31*time.Second)
		src.fail(errors.New("login is down"))
		w.rest(2 * time.Second)
		src.fail(nil)
		w.lose(net.ErrClosed)
		if w = s.open(); w.token != "t2" {
			t.Errorf("reconnected with %q, want t2", w.token)
		}
		src.want(t, client.TokenConnect, client.TokenRenew, client.TokenConnect)
	})
}

func TestTokenIsAskedForAgain(t *testing.T) {
	for name, fail := range map[string]func() (client.Token, error){
		"error": func() (client.Token, error) { return client.Token{}, errors.New("login is down") },
		"empty": func() (client.Token, error) { return client.Token{}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				n := 0
				s.start(&client.Options{Token: func(context.Context, client.TokenReason) (client.Token, error) {
					if n++; n < 4 {
						return fail()
					}
					return client.Token{Value: "t"}, nil
				}})
			})
		})
	}
}

func TestSecondRefusalIsFinal(t *testing.T) {
	refusals := map[string]func(w *wire){
		"4401 before the hello": func(w *wire) {
			w.answer <- nil
			w.goodbye(protocol.CloseUnauthorized, 0)
		},
		"4401 after the hello": func(w *wire) {
			w.answer <- nil
			w.hello()
			w.goodbye(protocol.CloseUnauthorized, 0)
		},
		"close frame alone": func(w *wire) {
			w.answer <- nil
			w.lose(&client.CloseError{Code: protocol.CloseUnauthorized, Remote: true})
		},
		"HTTP 401": func(w *wire) { w.answer <- client.Refuse(http.StatusUnauthorized) },
	}
	for first, refuse := range refusals {
		for second, again := range refusals {
			if second == "4401 after the hello" {
				continue // the token was accepted in between
			}
			t.Run(first+", "+second, func(t *testing.T) {
				bubble(t, func(t *testing.T, s *script) {
					src := &source{}
					c, w := s.start(&client.Options{Token: src.get})
					w.lose(net.ErrClosed)
					refuse(<-s.dials)
					w = <-s.dials
					src.want(t, client.TokenConnect, client.TokenRejected)
					again(w)
					<-c.Done()
					if err := c.Err(); !errors.Is(err, client.ErrUnauthorized) {
						t.Errorf("Err() = %v, want %v", err, client.ErrUnauthorized)
					}
				})
			})
		}
		t.Run(first+", then accepted", func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				src := &source{}
				_, w := s.start(&client.Options{Token: src.get})
				w.lose(net.ErrClosed)
				for range 3 {
					refuse(<-s.dials)
					w = s.open()
					w.lose(net.ErrClosed)
				}
				s.open()
				src.want(t, client.TokenConnect, client.TokenRejected, client.TokenRejected, client.TokenRejected)
			})
		})
	}
}

func TestTokenFuncUnauthorized(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		src := &source{}
		c, w := s.start(&client.Options{Token: src.get})
		p := w.enter(c, "demo")
		w.event("demo", 1, 0)
		src.fail(fmt.Errorf("logged out: %w", client.ErrUnauthorized))
		w.goodbye(protocol.CloseUnauthorized, 0)
		<-c.Done()
		if err := c.Err(); !errors.Is(err, client.ErrUnauthorized) {
			t.Errorf("Err() = %v, want %v", err, client.ErrUnauthorized)
		}
		want(t, p, "reload joined", "task 1") // queued items can still be taken
		if err := ended(t, p); !errors.Is(err, client.ErrUnauthorized) {
			t.Errorf("stream ended with %v, want %v", err, client.ErrUnauthorized)
		}
		if _, err := c.Join(t.Context(), "other", nil); !errors.Is(err, client.ErrUnauthorized) {
			t.Errorf("Join = %v, want %v", err, client.ErrUnauthorized)
		}
	})
}

func TestTokenIsNotPrinted(t *testing.T) {
	tok := client.Token{Value: "canary"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, tok); got != "client.Token" && got != "client.Token{}" {
			t.Errorf("Sprintf(%q) = %q", format, got)
		}
	}
}
