package client_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/client"
)

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

// A client that was connected before does not end when a proxy answers for a missing server.
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

// A slow server can complete an abandoned handshake after the next one. Then the client has
// replaced itself, and reconnects.
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

// What the client does after a close frame without a goodbye.
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
					t.Errorf("reconnected after %d", code)
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

// The first goodbye decides, even with an unknown code.
func TestFirstGoodbyeDecides(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		w.say(`{"type":"goodbye","data":{"code":4499,"reason":"for good","reconnect":false,"reauth":false,"retryAfterMs":0}}`)
		w.say(`{"type":"goodbye","data":{"code":4498,"reconnect":true}}`) // ignored
		w.lose(net.ErrClosed)
		<-c.Done()
		var closed *client.CloseError
		if err := c.Err(); !errors.As(err, &closed) || closed.Code != 4499 || closed.Reason != "for good" {
			t.Errorf("Err() = %v, want a CloseError of 4499", err)
		}
	})
}

// A server that shuts down sends the reason and the time to retry.
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
	s.broadcast("demo", 1, 1)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	if err := s.hub.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	var closed *client.CloseError
	if err := receive(t, why); !errors.As(err, &closed) || closed.Code != protocol.CloseShutdown {
		t.Errorf("waiting after %v, want a CloseError of 4503", err)
	}
	want(t, p, "reload joined", "task 1")
}

// Logs and errors do not contain the token.
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

// The client works with a transport that does not give access to its connections.
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
