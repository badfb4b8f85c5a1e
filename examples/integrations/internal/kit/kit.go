// Package kit has what the tests of the integrations share: a server on loopback, requests, and
// viewers that follow a plan with the Go client over a real socket.
package kit

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// patience ends a test that hangs. No test waits for it.
const patience = 30 * time.Second

// Serve serves h until the test ends, and returns the URL. The requests end before the hub, as in
// a service that shuts down.
func Serve(t testing.TB, h http.Handler, hub *room.Hub) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := hub.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	return srv.URL
}

// User is what a program sends with its requests: credentials, and its client ID if it has one.
type User http.Header

// Bearer is a user with a token.
func Bearer(token string) User { return User{"Authorization": {"Bearer " + token}} }

// Tab returns the user with the headers of a tab that makes a change.
func (u User) Tab(clientID, mutationID string) User {
	h := http.Header(u).Clone()
	h.Set(transport.HeaderClient, clientID)
	h.Set(transport.HeaderMutation, mutationID)
	return User(h)
}

// Do sends a request, which must get the status, and returns the answer. A body is sent as JSON
// unless it is nil.
func (u User) Do(t testing.TB, method, url string, body any, status int) (http.Header, []byte) {
	t.Helper()
	got, header, answer, err := u.send(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if got != status {
		t.Fatalf("%s %s: status %d with %s, want %d", method, url, got, bytes.TrimSpace(answer), status)
	}
	return header, answer
}

// send is Do for other goroutines than that of the test.
func (u User) send(ctx context.Context, method, url string, body any) (int, http.Header, []byte, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, nil, nil, err
		}
		content = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return 0, nil, nil, err
	}
	r.Header = http.Header(u).Clone()
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, answer, err
}

// Load loads a plan: its position and its tasks. Each task is kept as JSON under its ID as JSON.
func (u User) Load(t testing.TB, planURL string) (protocol.Position, map[string]string) {
	t.Helper()
	header, body := u.Do(t, http.MethodGet, planURL, nil, http.StatusOK)
	if got := header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
		t.Errorf("GET %s: Cache-Control %q, want no-store", planURL, got)
	}
	var position protocol.Position
	if err := position.UnmarshalText([]byte(header.Get(transport.HeaderPosition))); err != nil {
		t.Fatalf("GET %s: %s: %v", planURL, transport.HeaderPosition, err)
	}
	var plan struct{ Tasks []json.RawMessage }
	if err := json.Unmarshal(body, &plan); err != nil {
		t.Fatal(err)
	}
	tasks := map[string]string{}
	for _, task := range plan.Tasks {
		put(t, tasks, task)
	}
	return position, tasks
}

// put keeps a task under its ID.
func put(t testing.TB, tasks map[string]string, task json.RawMessage) {
	t.Helper()
	var id struct{ ID json.RawMessage }
	var text bytes.Buffer
	if err := json.Unmarshal(task, &id); err != nil {
		t.Fatal(err)
	}
	if err := json.Compact(&text, task); err != nil {
		t.Fatal(err)
	}
	tasks[string(id.ID)] = text.String()
}
