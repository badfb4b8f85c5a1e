package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A target is the server under load. All of it is fixed at creation.
type target struct {
	endpoint    url.URL
	header      http.Header // of every handshake and request
	plans       []string
	credentials *credentials
	publish     func(ctx context.Context, c change, mutation string) error
	own         *ownServer   // nil: another process
	http        *http.Client // nil with a server of its own
}

// requestTimeout bounds one request.
const requestTimeout = 15 * time.Second

// newTarget logs in, and looks for the tasks to change, on the server that the settings name.
func newTarget(ctx context.Context, s *settings) (*target, error) {
	t := &target{endpoint: *s.endpoint, header: s.header, plans: s.plans}
	t.http = &http.Client{
		Timeout:   requestTimeout,
		Transport: &http.Transport{MaxIdleConnsPerHost: s.inflight, MaxConnsPerHost: s.inflight, IdleConnTimeout: time.Minute},
		// It would carry the token away.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if err := t.authenticate(ctx, s); err != nil {
		return nil, err
	}
	tasks := make([]string, len(t.plans))
	if s.publish.has("task") {
		for i, plan := range t.plans {
			var err error
			if tasks[i], err = t.ask(ctx, s.load, s.taskPath, map[string]string{"plan": plan}, t.credentials.token(i)); err != nil {
				return nil, fmt.Errorf("-load of plan %s: %w", plan, err)
			}
		}
	}
	pad := strings.Repeat("x", s.size)
	t.publish = func(ctx context.Context, c change, mutation string) error {
		number := c.index*len(t.plans) + c.plan
		values := map[string]string{
			"plan": t.plans[c.plan], "task": tasks[c.plan], "n": strconv.Itoa(number), "mutation": mutation, "pad": pad,
		}
		return t.change(ctx, s.publish, values, number, mutation)
	}
	return t, nil
}

// authenticate finds the tokens.
func (t *target) authenticate(ctx context.Context, s *settings) error {
	if s.login == nil {
		t.credentials = &credentials{tokens: s.tokens}
		return nil
	}
	var err error
	t.credentials, err = loginAll(ctx, s.users, func(ctx context.Context, user string) (string, error) {
		return t.ask(ctx, s.login, s.tokenPath, map[string]string{"user": user}, "")
	})
	return err
}

// ask makes a request and returns what stands at path in the answer.
func (t *target) ask(ctx context.Context, request *template, path string, values map[string]string, token string) (string, error) {
	req, err := t.request(ctx, request, values, token)
	if err != nil {
		return "", err
	}
	body, err := fetch(t.http, req)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	return lookup(body, path)
}

func (t *target) request(ctx context.Context, request *template, values map[string]string, token string) (*http.Request, error) {
	values["http"] = httpOf(&t.endpoint)
	req, err := request.request(ctx, values)
	if err != nil {
		return nil, err
	}
	for name, v := range t.headerFor(token) {
		req.Header[name] = v
	}
	return req, nil
}

// change makes one change. A token that has expired meanwhile is renewed once.
func (t *target) change(ctx context.Context, request *template, values map[string]string, number int, mutation string) error {
	for attempt := 0; ; attempt++ {
		token := t.credentials.token(number)
		req, err := t.request(ctx, request, values, token)
		if err != nil {
			return err
		}
		req.Header.Set("X-Plan-Mutation", mutation)
		_, err = fetch(t.http, req)
		var refused *refusedError
		if attempt > 0 || !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
			return err
		}
		if t.credentials.renew(ctx, number, token) != nil {
			return err
		}
	}
}

// endpointFor returns where a client with an id connects.
func (t *target) endpointFor(client string) *url.URL {
	u := t.endpoint
	q := u.Query()
	q.Set("client", client)
	u.RawQuery = q.Encode()
	return &u
}

func (t *target) headerFor(token string) http.Header {
	h := t.header.Clone()
	if h == nil {
		h = http.Header{}
	}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return h
}

// close ends what the target has open. Viewers must be gone.
func (t *target) close() error {
	if t.own != nil {
		return t.own.close()
	}
	t.http.CloseIdleConnections()
	return nil
}

// httpOf is the beginning of the URLs of the server that has a WebSocket endpoint: {http} in
// templates.
func httpOf(endpoint *url.URL) string {
	scheme := "http"
	if endpoint.Scheme == "wss" || endpoint.Scheme == "https" {
		scheme = "https"
	}
	return scheme + "://" + endpoint.Host
}
