package transport_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// tokenOf returns the token of a user that the tests' verifier accepts.
func tokenOf(user string) string { return "token-of-" + user }

// verifier accepts the token that tokenOf returns for each user.
var verifier = auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
	user, ok := strings.CutPrefix(token, "token-of-")
	if !ok || user == "" {
		return auth.Identity{}, auth.ErrInvalidToken
	}
	return auth.Identity{UserID: user, Name: strings.ToUpper(user)}, nil
})

// failOnError is a log handler that fails the test on a record of level ERROR. Such a record means
// that the library wrote something other than a control frame, or that something panicked.
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

// kind is a kind of connection. The handler uses each kind in a different way.
type kind string

const (
	overTCP     kind = "TCP"
	overUnix    kind = "Unix"
	overTLS     kind = "TLS"     // of package crypto/tls
	overWrapper kind = "wrapper" // any other net.Conn
)

var kinds = []kind{overTCP, overUnix, overTLS, overWrapper}

// eachKind runs a test for each kind of connection.
func eachKind(t *testing.T, test func(t *testing.T, k kind)) {
	t.Helper()
	for _, k := range kinds {
		t.Run(string(k), func(t *testing.T) { test(t, k) })
	}
}

// wrapper hides the socket of a connection, so that all writes to it block.
type wrapper struct{ net.Conn }

func (w wrapper) CloseWrite() error {
	return w.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

func (w wrapper) SetWriteBuffer(bytes int) error {
	return w.Conn.(interface{ SetWriteBuffer(bytes int) error }).SetWriteBuffer(bytes)
}

// wrappingListener accepts connections of kind overWrapper.
type wrappingListener struct{ net.Listener }

func (l wrappingListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wrapper{nc}, nil
}

// server is a hub with its handler and an HTTP server.
type server struct {
	*httptest.Server // for the first kind
	hub              *room.Hub
	of               map[kind]*httptest.Server
}

// config changes the defaults of a test server. The zero value is a server with default options
// whose users may view every plan.
type config struct {
	hub        room.Options
	options    transport.Options
	verifier   auth.Verifier
	noToken    bool // without a verifier
	wrap       func(http.Handler) http.Handler
	kinds      []kind // each has a separate listener; nil: TCP
	tls, http2 bool   // of the TCP listener
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
	if len(c.kinds) == 0 {
		c.kinds = []kind{overTCP}
	}
	s := &server{hub: hub, of: make(map[kind]*httptest.Server)}
	for _, k := range c.kinds {
		s.of[k] = listen(t, k, c, handler)
	}
	s.Server = s.of[c.kinds[0]]
	t.Cleanup(func() {
		for _, srv := range s.of {
			srv.Close()
		}
		ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
		defer cancel()
		if err := hub.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	return s
}

// listen starts the server of one kind of connection.
func listen(t testing.TB, k kind, c config, handler http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(handler)
	switch k {
	case overUnix:
		dir, err := os.MkdirTemp("", "") // t.TempDir can be too long for a socket address
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		_ = srv.Listener.Close()
		if srv.Listener, err = net.Listen("unix", filepath.Join(dir, "s")); err != nil {
			t.Fatal(err)
		}
	case overWrapper:
		srv.Listener = wrappingListener{srv.Listener}
	}
	srv.EnableHTTP2 = c.http2
	if k == overTLS || c.tls || c.http2 {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	return srv
}

// newHub returns a hub for tests that only need one as an argument.
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

// receive waits for a value and fails the test if none arrives.
func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(testTimeout):
		t.Fatal("timeout waiting for a value")
		panic("unreachable")
	}
}

var discardLogger = slog.New(slog.DiscardHandler)
