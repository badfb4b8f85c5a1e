package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
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

// Dial returns immediately after an answer for which retrying cannot help.
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

func TestDialRetries(t *testing.T) {
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
				t.Error("Dial answered with 200 returned no error")
			}
			continue
		}
		if err != nil {
			t.Errorf("Dial answered with %d = %v, want further attempts", status, err)
			continue
		}
		_ = c.Close()
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	t.Parallel() // the smallest value of the header is a second
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
		t.Errorf("reconnected after %v, want a second or more", got)
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
	// With an Origin the server refuses as it does for a browser: with goodbye and 4401.
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

// The error of Dial has the reason of the last failed attempt, even during another attempt.
func TestDialReturnsTheLastError(t *testing.T) {
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
