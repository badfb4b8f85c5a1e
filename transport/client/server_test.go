package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/client"
)

// testTimeout ends calls that hang.
const testTimeout = 30 * time.Second

func tokenOf(user string) string { return "token-of-" + user }

// verifier accepts the token of each user, as tokenOf returns it.
var verifier = auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
	user, ok := strings.CutPrefix(token, "token-of-")
	if !ok || user == "" {
		return auth.Identity{}, auth.ErrInvalidToken
	}
	return auth.Identity{UserID: user, Name: strings.ToUpper(user)}, nil
})

// config has the options of a server. By default all users have access to all plans.
type config struct {
	hub      room.Options
	options  transport.Options
	verifier auth.Verifier
}

// server is an HTTP server with a hub, and a proxy in front of it for the clients.
type server struct {
	t     testing.TB
	http  *httptest.Server
	hub   *room.Hub
	proxy *proxy
}

func newServer(t testing.TB, c config) *server {
	t.Helper()
	s := &server{t: t}
	s.hub, s.http = launch(c)
	s.proxy = newProxy(t, s.http.Listener.Addr().String())
	t.Cleanup(func() { stop(t, s.hub, s.http) })
	return s
}

// launch starts a server.
func launch(c config) (*room.Hub, *httptest.Server) {
	if c.hub.Authorize == nil {
		c.hub.Authorize = func(context.Context, auth.Identity, string) error { return nil }
	}
	if c.verifier == nil {
		c.verifier = verifier
	}
	hub := room.NewHub(&c.hub)
	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(hub, c.verifier, &c.options))
	return hub, httptest.NewServer(mux)
}

func stop(t testing.TB, hub *room.Hub, srv *httptest.Server) {
	srv.Close()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if err := hub.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// url returns the endpoint at the proxy.
func (s *server) url() string { return "ws://" + s.proxy.addr() + "/ws" }

// dial connects as user, with a short back-off.
func (s *server) dial(user string) *client.Client {
	s.t.Helper()
	return s.dialWith(client.Options{Token: client.StaticToken(tokenOf(user))})
}

func (s *server) dialWith(o client.Options) *client.Client {
	s.t.Helper()
	c, err := s.tryDial(o)
	if err != nil {
		s.t.Fatalf("Dial: %v", err)
	}
	return c
}

func (s *server) tryDial(o client.Options) (*client.Client, error) {
	o.BackoffMin, o.BackoffMax = time.Millisecond, 50*time.Millisecond
	ctx, cancel := context.WithTimeout(s.t.Context(), testTimeout)
	defer cancel()
	c, err := client.Dial(ctx, s.url(), &o)
	if err == nil {
		s.t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

// broadcast sends n events to a plan, with tasks from the given number on.
func (s *server) broadcast(plan string, from, n int) {
	s.t.Helper()
	for i := from; i < from+n; i++ {
		if _, err := s.hub.BroadcastTaskUpdated(s.t.Context(), plan, i); err != nil {
			s.t.Fatalf("broadcast: %v", err)
		}
	}
}

func join(t testing.TB, c *client.Client, plan string) *client.Plan {
	t.Helper()
	return joinSince(t, c, plan, protocol.Position{})
}

func joinSince(t testing.TB, c *client.Client, plan string, since protocol.Position) *client.Plan {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	p, err := c.Join(ctx, plan, &client.JoinOptions{Since: since})
	if err != nil {
		t.Fatalf("Join(%q): %v", plan, err)
	}
	return p
}

// next returns the next item of a stream. Without one the test fails.
func next(t testing.TB, p *client.Plan) client.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	e, err := p.Next(ctx)
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	return e
}

// want takes items from a stream and compares what describe returns for them.
func want(t testing.TB, p *client.Plan, items ...string) {
	t.Helper()
	for i, w := range items {
		if got := describe(next(t, p)); got != w {
			t.Fatalf("item %d = %s, want %s", i, got, w)
		}
	}
}

// describe returns a short text for an item.
func describe(e client.Event) string {
	switch e.Kind {
	case client.Change:
		var d struct{ Task int }
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return string(e.Type) + " " + string(e.Data)
		}
		return fmt.Sprint("task ", d.Task)
	case client.Reload:
		return "reload " + string(e.Reason)
	case client.Receipt:
		return "receipt " + e.MutationID
	}
	var d struct {
		UserID, UserName string
		State            json.RawMessage
		ParticipantCount int
	}
	if err := json.Unmarshal(e.Data, &d); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %s %s %d", e.Type, d.UserID, d.State, d.ParticipantCount)
}

// ended waits for the end of a stream and returns its error.
func ended(t testing.TB, p *client.Plan) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	var last error
	for _, err := range p.All(ctx) {
		last = err
	}
	return last
}

func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(testTimeout):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}
