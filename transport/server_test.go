package transport_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// tokenOf returns the token that the verifier of the tests accepts for a user.
func tokenOf(user string) string { return "token-of-" + user }

// verifier accepts tokenOf every user.
var verifier = auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
	user, ok := strings.CutPrefix(token, "token-of-")
	if !ok || user == "" {
		return auth.Identity{}, auth.ErrInvalidToken
	}
	return auth.Identity{UserID: user, Name: strings.ToUpper(user)}, nil
})

// failOnError is a log that fails the test for every record of level error: the library must have written something
// other than a control frame, or something panicked.
type failOnError struct {
	slog.Handler
	t testing.TB
}

func (h failOnError) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

func (h failOnError) Handle(_ context.Context, r slog.Record) error {
	h.t.Errorf("log: %s", r.Message)
	r.Attrs(func(a slog.Attr) bool { h.t.Errorf("log: %s", a); return true })
	return nil
}

func (h failOnError) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h failOnError) WithGroup(string) slog.Handler      { return h }

func testLogger(t testing.TB) *slog.Logger {
	return slog.New(failOnError{slog.DiscardHandler, t})
}

// server is a hub behind a handler behind HTTP.
type server struct {
	*httptest.Server
	hub *room.Hub
}

// config is what a test changes about a server; the zero value is a server of defaults that lets everybody see every plan.
type config struct {
	hub        room.Options
	options    transport.Options
	verifier   auth.Verifier
	noToken    bool // no verifier
	wrap       func(http.Handler) http.Handler
	tls, http2 bool
}

func newServer(t testing.TB, c config) *server {
	t.Helper()
	if c.hub.Authorize == nil {
		c.hub.Authorize = func(context.Context, auth.Identity, string) error { return nil }
	}
	if c.hub.Logger == nil {
		c.hub.Logger = testLogger(t)
	}
	if c.options.Logger == nil {
		c.options.Logger = testLogger(t)
	}
	if c.verifier == nil && !c.noToken {
		c.verifier = verifier
	}
	hub := room.NewHub(&c.hub)
	handler := transport.NewHandler(hub, c.verifier, &c.options)
	if c.wrap != nil {
		handler = c.wrap(handler)
	}
	s := httptest.NewUnstartedServer(handler)
	s.EnableHTTP2 = c.http2
	if c.tls || c.http2 {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(func() {
		s.Close()
		ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
		defer cancel()
		if err := hub.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	return &server{s, hub}
}

// newHub returns a hub that nothing is done with.
func newHub(t testing.TB) *room.Hub {
	return room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
		Logger:    testLogger(t),
	})
}

func decodeData[T any](t testing.TB, m protocol.Message) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(m.Data, &v); err != nil {
		t.Fatalf("data of %q: %v", m.Type, err)
	}
	return v
}

// receive waits for a value that must come.
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

var discardLogger = slog.New(slog.DiscardHandler)
