package jwtauth_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
)

// setURL is a loopback URL, so http is allowed. Connections to it are in memory.
const setURL = "http://localhost/jwks.json"

// keyServer is an HTTP server for a key set. It records the time of each request.
type keyServer struct {
	client *http.Client // connects to the server, whatever the URL

	mu      sync.Mutex // guards the following
	handler http.HandlerFunc
	times   []time.Time
	urls    []string
}

// newKeyServer starts a server whose connections are in memory, so that it works inside a bubble of
// testing/synctest.
func newKeyServer(t testing.TB) *keyServer {
	s := &keyServer{}
	listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0)}
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(listener) })
	t.Cleanup(func() {
		server.Close()
		serving.Wait()
	})
	s.client = &http.Client{Transport: &http.Transport{DialContext: listener.dial, DisableKeepAlives: true}}
	return s
}

// listen starts a server on loopback, with or without TLS.
func listen(t testing.TB, secure bool) (*keyServer, *httptest.Server) {
	s := &keyServer{}
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	s.client = server.Client()
	return s, server
}

func (s *keyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.times = append(s.times, time.Now())
	s.urls = append(s.urls, "http://"+r.Host+r.URL.String())
	handler := s.handler
	s.mu.Unlock()
	handler(w, r)
}

// set replaces the handler for requests that arrive from now on.
func (s *keyServer) set(handler http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = handler
}

func (s *keyServer) publish(keys ...changeable) { s.set(send(http.StatusOK, setOf(keys...))) }

// requests returns the times of the requests so far.
func (s *keyServer) requests() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.times
}

// options returns options with the URL of the in-memory server.
func (s *keyServer) options() *jwtauth.Options {
	return &jwtauth.Options{JWKSURL: setURL, HTTPClient: s.client, Issuer: issuer, Audience: audience}
}

func send(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// sendAfter responds with the keys, after a delay in virtual time.
func sendAfter(delay time.Duration, keys ...changeable) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(delay):
			io.WriteString(w, setOf(keys...))
		case <-r.Context().Done():
		}
	}
}

// hang does not respond.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// hangInBody sends the header of a response and half of a body.
func hangInBody(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, `{"keys":[`)
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// disconnect closes the connection without a response.
func disconnect(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func redirect(url string) http.HandlerFunc {
	return http.RedirectHandler(url, http.StatusFound).ServeHTTP
}

// pipeListener is a listener for connections in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// signedBy returns a valid token that is signed with key, with the kid in its header.
func signedBy(kid string, key any) string {
	alg := algorithmOf(key)
	return token(alg, key, header(alg, kid), goodClaims())
}

type outcome string

const (
	accepted    outcome = "accepted"
	refused     outcome = "refused"
	expired     outcome = "expired"
	unavailable outcome = "unavailable"
	closed      outcome = "closed"
)

// verify returns the outcome of a token.
func verify(t *testing.T, v auth.Verifier, text string) outcome {
	t.Helper()
	_, err := v.Verify(t.Context(), text)
	return outcomeOf(t, err)
}

// outcomeOf returns the kind of err, which must be of exactly one kind.
func outcomeOf(t *testing.T, err error) outcome {
	t.Helper()
	if err == nil {
		return accepted
	}
	var kinds []outcome
	var exp *auth.ExpiredError
	if errors.Is(err, auth.ErrInvalidToken) {
		kinds = append(kinds, refused)
	}
	if errors.As(err, &exp) {
		kinds = append(kinds, expired)
	}
	var later *auth.UnavailableError
	if isLater := errors.As(err, &later); isLater != errors.Is(err, jwtauth.ErrUnavailable) {
		t.Errorf("error %v is either an UnavailableError or matches ErrUnavailable, want both", err)
	} else if isLater {
		kinds = append(kinds, unavailable)
	}
	if errors.Is(err, jwtauth.ErrClosed) {
		kinds = append(kinds, closed)
	}
	if len(kinds) != 1 {
		t.Errorf("error %v is of the kinds %v, want one", err, kinds)
		return ""
	}
	return kinds[0]
}

// expect verifies a token and compares the outcome.
func expect(t *testing.T, v *jwtauth.Verifier, text string, want outcome, what string) {
	t.Helper()
	if got := verify(t, v, text); got != want {
		t.Errorf("%s: token is %s, want %s", what, got, want)
	}
}

// expectLater verifies a token, which must be unavailable for the given time.
func expectLater(t *testing.T, v *jwtauth.Verifier, text string, want time.Duration, what string) {
	t.Helper()
	_, err := v.Verify(t.Context(), text)
	var later *auth.UnavailableError
	if !errors.As(err, &later) || later.RetryAfter != want {
		t.Errorf("%s: Verify = %#v, want an UnavailableError with RetryAfter %v", what, err, want)
	}
}

func expectFetches(t *testing.T, s *keyServer, want int, what string) {
	t.Helper()
	if got := len(s.requests()); got != want {
		t.Errorf("%s: %d fetches, want %d", what, got, want)
	}
}
