package client_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/client"
)

func TestDialRefusesItsArguments(t *testing.T) {
	for _, tt := range []struct {
		endpoint string
		options  *client.Options
	}{
		{"", nil},
		{"/ws", nil},
		{"ftp://localhost/ws", nil},
		{"ws://local host/ws", nil},
		{"ws://localhost/ws", &client.Options{ClientID: "not valid"}},
	} {
		if c, err := client.Dial(t.Context(), tt.endpoint, tt.options); err == nil {
			t.Errorf("Dial(%q, %+v) = %v, want an error", tt.endpoint, tt.options, c)
		}
	}
}

func TestNegativeOptionsPanic(t *testing.T) {
	for name, o := range map[string]client.Options{
		"BackoffMin":      {BackoffMin: -1},
		"BackoffMax":      {BackoffMax: -1},
		"QueueEvents":     {QueueEvents: -1},
		"QueueBytes":      {QueueBytes: -1},
		"MaxMessageBytes": {MaxMessageBytes: -1},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != "client: Options."+name+" is negative" {
					t.Errorf("panic %v", got)
				}
			}()
			_, _ = client.Dial(t.Context(), "ws://localhost", &o)
		})
	}
}

// Answers that no repetition can cure end Dial at once.
func TestDialEndsWithARefusal(t *testing.T) {
	for _, status := range []int{302, 400, 403, 404, 405, 426} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(status)
		}))
		t.Cleanup(srv.Close)
		_, err := client.Dial(t.Context(), srv.URL, nil)
		var refused *client.HandshakeError
		if !errors.As(err, &refused) || refused.Status != status {
			t.Errorf("Dial answered with %d = %v, want a HandshakeError", status, err)
		}
	}
}

func TestDialGoesOnTrying(t *testing.T) {
	hub, live := launch(config{})
	t.Cleanup(func() { stop(t, hub, live) })
	for _, status := range []int{408, 425, 429, 500, 502, 503, 200} {
		var n atomic.Int32
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) < 3 {
				w.WriteHeader(status)
				return
			}
			live.Config.Handler.ServeHTTP(w, r)
		}))
		t.Cleanup(srv.Close)
		c, err := client.Dial(t.Context(), srv.URL+"/ws", &client.Options{
			Token: client.StaticToken(tokenOf("ann")), BackoffMin: time.Millisecond, BackoffMax: time.Millisecond,
		})
		if status == 200 {
			if err == nil {
				t.Error("Dial answered with 200 succeeds")
			}
			continue
		}
		if err != nil {
			t.Errorf("Dial answered with %d = %v, want it to go on", status, err)
			continue
		}
		_ = c.Close()
	}
}

// A client that has been connected outlives what a proxy says while the server is away.
func TestHandshakeErrorLaterIsNotFinal(t *testing.T) {
	for _, status := range []int{400, 403, 404} {
		bubble(t, func(t *testing.T, s *script) {
			_, w := s.start(nil)
			w.lose(net.ErrClosed)
			w = <-s.dials
			w.answer <- client.Refuse(status)
			s.open()
		})
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	t.Parallel() // the header knows no less than a second
	hub, live := launch(config{})
	t.Cleanup(func() { stop(t, hub, live) })
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		live.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	from := time.Now()
	c, err := client.Dial(t.Context(), srv.URL+"/ws", &client.Options{
		Token: client.StaticToken(tokenOf("ann")), BackoffMin: time.Millisecond, BackoffMax: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if got := time.Since(from); got < time.Second {
		t.Errorf("came back after %v, want a second or more", got)
	}
}

func TestDialWithABadToken(t *testing.T) {
	s := newServer(t, config{})
	_, err := s.tryDial(client.Options{Token: client.StaticToken("bad")})
	if !errors.Is(err, client.ErrUnauthorized) {
		t.Errorf("Dial = %v, want %v", err, client.ErrUnauthorized)
	}
	_, err = s.tryDial(client.Options{Token: func(context.Context, client.TokenReason) (client.Token, error) {
		return client.Token{Value: "bad"}, nil
	}})
	if !errors.Is(err, client.ErrUnauthorized) {
		t.Errorf("Dial = %v, want %v", err, client.ErrUnauthorized)
	}
	// With an Origin the server tells it as it tells a browser: goodbye and 4401.
	_, err = s.tryDial(client.Options{Header: http.Header{"Origin": {"http://" + s.proxy.addr()}}})
	var closed *client.CloseError
	if !errors.As(err, &closed) || closed.Code != protocol.CloseUnauthorized || !closed.Remote {
		t.Errorf("Dial = %v, want a CloseError of 4401", err)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	s := newServer(t, config{})
	s.proxy.point("")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := client.Dial(ctx, s.url()+"?secret=canary", &client.Options{
		Token: client.StaticToken("canary"), BackoffMin: time.Millisecond, BackoffMax: time.Millisecond,
		OnState: func(st client.State, err error) {
			if st == client.StateWaiting {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "last: ") {
		t.Errorf("Dial = %v, want %v and the last error", err, context.Canceled)
	}
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("Dial = %v, with a secret", err)
	}
}

// Also while another attempt is under way Dial knows why the last one failed.
func TestDialTellsTheLastError(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := client.Start(ctx, nil, s.dial)
			done <- err
		}()
		broken := errors.New("broken")
		(<-s.dials).answer <- broken
		<-s.dials
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) || !errors.Is(err, broken) {
			t.Errorf("Dial = %v, want %v and %v", err, context.Canceled, broken)
		}
	})
}

func TestFinalCloses(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(t *testing.T, s *server, c *client.Client)
		want error
		code protocol.CloseCode
	}{
		{"disconnected", func(t *testing.T, s *server, _ *client.Client) {
			if _, err := s.hub.Disconnect(t.Context(), "ann"); err != nil {
				t.Fatal(err)
			}
		}, client.ErrDisconnected, protocol.CloseForbidden},
		{"replaced", func(_ *testing.T, s *server, c *client.Client) {
			s.dialWith(client.Options{Token: client.StaticToken(tokenOf("ann")), ClientID: c.ClientID()})
		}, client.ErrReplaced, protocol.CloseReplaced},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, config{})
			c := s.dial("ann")
			p := join(t, c, "demo")
			tt.end(t, s, c)
			<-c.Done()
			var closed *client.CloseError
			if err := c.Err(); !errors.Is(err, tt.want) || !errors.As(err, &closed) || closed.Code != tt.code || !closed.Remote || closed.Reason == "" {
				t.Errorf("Err() = %v, want %v", err, tt.want)
			}
			if err := ended(t, p); !errors.Is(err, tt.want) {
				t.Errorf("stream ended with %v, want %v", err, tt.want)
			}
			if err := c.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
			if err := c.Err(); !errors.Is(err, tt.want) {
				t.Errorf("Err() after Close = %v, want %v", err, tt.want)
			}
		})
	}
}

// A handshake that was given up can be served late, after the next one: then the client has replaced itself.
func TestReplacedByAnOwnHandshake(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		w.lose(net.ErrClosed)
		(<-s.dials).answer <- net.ErrClosed
		w = s.open()
		w.goodbye(protocol.CloseReplaced, 0)
		w = s.open()
		w.rest(2 * time.Minute)
		w.goodbye(protocol.CloseReplaced, 0)
		<-c.Done()
		if err := c.Err(); !errors.Is(err, client.ErrReplaced) {
			t.Errorf("Err() = %v, want %v", err, client.ErrReplaced)
		}
	})
}

// What a close frame without a goodbye asks for.
func TestCloseFrameAlone(t *testing.T) {
	for code, back := range map[protocol.CloseCode]bool{
		1000: true, 1001: true, 1002: true, 1005: true, 1006: true, 1011: true, 1012: true, 4408: true, 4500: true, 4503: true, 4508: true,
		1003: false, 1007: false, 1009: false, 4400: false, 4403: false, 4409: false,
	} {
		bubble(t, func(t *testing.T, s *script) {
			c, w := s.start(nil)
			w.lose(&client.CloseError{Code: code, Remote: true})
			select {
			case w := <-s.dials:
				if !back {
					t.Errorf("came back after %d", code)
				}
				w.answer <- nil
			case <-c.Done():
				if back {
					t.Errorf("ended after %d", code)
				}
			}
		})
	}
}

// A goodbye has the last word, also with a code that is not known yet.
func TestGoodbyeHasTheLastWord(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		w.say(`{"type":"goodbye","data":{"code":4499,"reason":"for good","reconnect":false,"reauth":false,"retryAfterMs":0}}`)
		w.say(`{"type":"goodbye","data":{"code":4498,"reconnect":true}}`) // too late
		w.lose(net.ErrClosed)
		<-c.Done()
		var closed *client.CloseError
		if err := c.Err(); !errors.As(err, &closed) || closed.Code != 4499 || closed.Reason != "for good" {
			t.Errorf("Err() = %v, want a CloseError of 4499", err)
		}
	})
}

// A server that shuts down says when to come back.
func TestShutdownOfTheServer(t *testing.T) {
	s := newServer(t, config{})
	why := make(chan error, 10)
	c := s.dialWith(client.Options{
		Token: client.StaticToken(tokenOf("ann")),
		OnState: func(st client.State, err error) {
			if st == client.StateWaiting {
				why <- err
			}
		},
	})
	p := join(t, c, "demo")
	s.tell("demo", 1, 1)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	if err := s.hub.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	var closed *client.CloseError
	if err := receive(t, why); !errors.As(err, &closed) || closed.Code != protocol.CloseShutdown {
		t.Errorf("waiting because of %v, want a CloseError of 4503", err)
	}
	want(t, p, "reload joined", "task 1")
}

// Neither logs nor errors hold the token.
func TestTokenIsNotLogged(t *testing.T) {
	var log strings.Builder
	handler := slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})
	s := newServer(t, config{hub: room.Options{Authorize: func(context.Context, auth.Identity, string) error { return room.ErrForbidden }}})
	c := s.dialWith(client.Options{Token: client.StaticToken(tokenOf("canary")), Logger: slog.New(handler)})
	if _, err := c.Join(t.Context(), "demo", nil); err == nil || strings.Contains(err.Error(), "token-of") {
		t.Errorf("Join = %v", err)
	}
	s.proxy.point("")
	_ = c.Close()
	if strings.Contains(log.String(), "token-of") {
		t.Errorf("log with a token:\n%s", log.String())
	}
}

// A transport that gives no access to its connections will do.
func TestHTTPClientOfTheProgram(t *testing.T) {
	s := newServer(t, config{})
	var used atomic.Int32
	c := s.dialWith(client.Options{
		Token: client.StaticToken(tokenOf("ann")), Header: http.Header{"X-Trace": {"1"}},
		HTTPClient: &http.Client{Timeout: testTimeout, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			used.Add(1)
			if r.Header.Get("X-Trace") != "1" {
				t.Error("Options.Header was not sent")
			}
			resp, err := http.DefaultTransport.RoundTrip(r.WithContext(context.Background()))
			if err == nil && resp.StatusCode == http.StatusSwitchingProtocols {
				resp.Body = hidden{resp.Body.(io.ReadWriteCloser)}
			}
			return resp, err
		})},
	})
	p := join(t, c, "demo")
	s.proxy.cut()
	want(t, p, "reload joined", "join-plan   1")
	_ = c.Close()
	if n := used.Load(); n != 2 {
		t.Errorf("the HTTP client was used %d times, want 2", n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type hidden struct{ io.ReadWriteCloser }
