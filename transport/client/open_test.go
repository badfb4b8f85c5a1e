package client_test

import (
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/transport/client"
)

// Open returns while no server is there, and the client connects when there is one.
func TestOpenWithoutAServer(t *testing.T) {
	s := newServer(t, config{})
	s.proxy.point("")
	waiting := make(chan error, 100)
	c, err := client.Open(s.url(), &client.Options{
		Token:      client.StaticToken(tokenOf("ann")),
		BackoffMin: time.Millisecond, BackoffMax: 50 * time.Millisecond,
		OnState: func(st client.State, err error) {
			if st == client.StateWaiting {
				waiting <- err
			}
		},
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := receive(t, waiting); err == nil {
		t.Error("OnState got no error with StateWaiting")
	}
	if st, err := c.State(), c.LastError(); st == client.StateConnected || st == client.StateClosed || err == nil {
		t.Errorf("without a server: %s, %v", st, err)
	}
	if err := c.Err(); err != nil {
		t.Errorf("Err() = %v, want nil", err)
	}
	joined := make(chan *client.Plan)
	go func() {
		p, err := c.Join(t.Context(), "demo", nil)
		if err != nil {
			t.Errorf("Join: %v", err)
		}
		joined <- p
	}()
	receive(t, waiting)
	s.proxy.point(s.http.Listener.Addr().String())
	want(t, receive(t, joined), "reload joined")
	if st, err := c.State(), c.LastError(); st != client.StateConnected || err != nil {
		t.Errorf("with a server: %s, %v", st, err)
	}
}

// A proxy may answer anything while the server is down. Two refused tokens are final, as for Dial.
func TestOpenRetries(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		src := &source{}
		c, err := client.StartLazy(&client.Options{Token: src.get}, s.dial)
		if err != nil {
			t.Fatal(err)
		}
		for _, status := range []int{404, 403, 400, 502, 301, 200} {
			(<-s.dials).answer <- client.Refuse(status)
			synctest.Wait()
			var refused *client.HandshakeError
			if err := c.LastError(); !errors.As(err, &refused) || refused.Status != status {
				t.Errorf("LastError() = %v, want a HandshakeError of %d", err, status)
			}
		}
		s.open().lose(net.ErrClosed)
		for range 2 {
			(<-s.dials).answer <- client.Refuse(http.StatusUnauthorized)
		}
		<-c.Done()
		if err := c.Err(); !errors.Is(err, client.ErrUnauthorized) {
			t.Errorf("Err() = %v, want %v", err, client.ErrUnauthorized)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, endpoint := range []string{"", "plans.example", "ftp://plans.example", "http://[::1", "ws://"} {
		if c, err := client.Open(endpoint, nil); err == nil {
			t.Errorf("Open(%q) = nil, want an error", endpoint)
			_ = c.Close()
		}
	}
	if c, err := client.Open("ws://plans.example", &client.Options{ClientID: "a b"}); err == nil {
		t.Error("Open with an invalid client ID returned no error")
		_ = c.Close()
	}
}

// A client that has never been connected can be closed, and Join then returns.
func TestCloseOfAnOpenedClient(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, err := client.StartLazy(nil, s.dial)
		if err != nil {
			t.Fatal(err)
		}
		joined := make(chan error)
		go func() {
			_, err := c.Join(t.Context(), "demo", nil)
			joined <- err
		}()
		synctest.Wait()
		from := time.Now()
		_ = c.Close()
		if got := time.Since(from); got != 0 {
			t.Errorf("Close took %v", got)
		}
		if err := <-joined; !errors.Is(err, client.ErrClosed) {
			t.Errorf("Join = %v, want %v", err, client.ErrClosed)
		}
	})
}
