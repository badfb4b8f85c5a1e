package jwtauth_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
)

const setURL = "https://login.example.com/jwks.json"

// publisher answers for the key set's URL in memory, so that it can be used in a
// bubble. It notes each request.
type publisher struct {
	mu       sync.Mutex // guards the following
	answer   func(*http.Request) (*http.Response, error)
	requests []string
	times    []time.Time
}

func (p *publisher) RoundTrip(req *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.requests = append(p.requests, req.URL.String())
	p.times = append(p.times, time.Now())
	answer := p.answer
	p.mu.Unlock()
	return answer(req)
}

// publish makes p answer with a document from now on.
func (p *publisher) publish(document string) { p.respond(http.StatusOK, document) }

func (p *publisher) respond(status int, body string) {
	p.set(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
	})
}

func (p *publisher) set(answer func(*http.Request) (*http.Response, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *publisher) fetches() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.requests)
}

// hang waits for the end of the request.
func hang(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func (p *publisher) options() *jwtauth.Options {
	return &jwtauth.Options{JWKSURL: setURL, HTTPClient: &http.Client{Transport: p}, Issuer: issuer, Audience: audience}
}

// signedBy returns a good token of the Ed25519 key, or of another, by its kid.
func signedBy(kid string, key any) string {
	alg := "EdDSA"
	if _, ok := key.(interface{ Size() int }); ok {
		alg = "RS256"
	}
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

// verify returns what came of a token. Each error is of exactly one kind.
func verify(t *testing.T, v auth.Verifier, text string) outcome {
	t.Helper()
	_, err := v.Verify(t.Context(), text)
	return outcomeOf(t, err)
}

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
	if errors.Is(err, jwtauth.ErrUnavailable) {
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
