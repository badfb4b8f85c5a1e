package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
	"github.com/planrooms/planrooms/protocol"
)

// cheap is a configuration for tests, whose passwords cost nothing to check.
func cheap() config { return config{tokenTTL: time.Hour, demo: true, passwordCost: bcrypt.MinCost} }

// board is a taskboard that serves, and a client of it.
type board struct {
	t       *testing.T
	url     string
	service *service
	log     *logBuffer
	stop    func()
}

// start serves a seeded board from a new file until the end of the test. A warning in the log
// fails the test.
func start(t *testing.T) *board {
	t.Helper()
	return serveBoard(t, filepath.Join(t.TempDir(), "board.db"), cheap())
}

// serveBoard serves the board at path. The service may be adjusted before it starts.
func serveBoard(t *testing.T, path string, c config, adjust ...func(s *service)) *board {
	t.Helper()
	b := &board{t: t, log: &logBuffer{}}
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if b.service, err = newService(t.Context(), db, c, slog.New(slog.NewTextHandler(b.log, nil))); err != nil {
		t.Fatal(err)
	}
	if err := b.service.prepareDemo(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, f := range adjust {
		f(b.service)
	}
	srv := httptest.NewServer(b.service.routes())
	b.url = srv.URL
	b.stop = sync.OnceFunc(func() {
		if err := drain(srv.Config, b.service.live); err != nil {
			t.Errorf("drain: %v", err)
		}
		srv.Close()
		b.service.close()
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
		for line := range strings.Lines(b.log.String()) {
			if !strings.Contains(line, "level=INFO") {
				t.Errorf("logged %s", line)
			}
		}
	})
	t.Cleanup(b.stop)
	return b
}

// logBuffer takes what several goroutines log.
type logBuffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// take returns what has been logged and forgets it: the test has expected it.
func (l *logBuffer) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

// httpClient keeps no connections: one that was never used would hold up a shutdown.
var httpClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

type response struct {
	*http.Response
	body []byte
}

// code returns what a refusal says to programs.
func (r response) code() string {
	var body refusal
	_ = json.Unmarshal(r.body, &body)
	return body.Code
}

// do makes a request as the person, if it is not nil. The headers are pairs of name and value.
func (b *board) do(method, path string, p *person, body string, headers ...string) response {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(b.t.Context()), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if p != nil {
		req.Header.Set("Authorization", "Bearer "+p.Token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response{resp, text}
}

// must makes a request that must be answered with status. It decodes the answer into v unless v
// is nil.
func (b *board) must(status int, v any, method, path string, p *person, body string, headers ...string) response {
	b.t.Helper()
	resp := b.do(method, path, p, body, headers...)
	if resp.StatusCode != status {
		b.t.Fatalf("%s %s %.200s: status %d %s, want %d", method, path, body, resp.StatusCode, resp.body, status)
	}
	if v == nil {
		return resp
	}
	if got := resp.Header.Get("Content-Type"); got != "application/json" {
		b.t.Fatalf("%s %s: Content-Type %q", method, path, got)
	}
	if err := json.Unmarshal(resp.body, v); err != nil {
		b.t.Fatalf("%s %s: %v in %s", method, path, err, resp.body)
	}
	return resp
}

// person is somebody who has logged in.
type person struct {
	access
	cookie string // as a header
}

func (b *board) login(email string) *person {
	b.t.Helper()
	return b.loginWith(email, demoPassword)
}

func (b *board) loginWith(email, password string) *person {
	b.t.Helper()
	var p person
	resp := b.must(http.StatusOK, &p.access, "POST", "/api/login", nil, fmt.Sprintf(`{"email":%q,"password":%q}`, email, password))
	for _, c := range resp.Cookies() {
		p.cookie = c.Name + "=" + c.Value
	}
	return &p
}

// planView is a plan as its GET shows it.
type planView struct {
	store.Plan
	Position protocol.Position
}

// plan loads the plan with this title.
func (b *board) plan(p *person, title string) planView {
	b.t.Helper()
	var list struct{ Plans []store.PlanSummary }
	b.must(http.StatusOK, &list, "GET", "/api/plans", p, "")
	i := slices.IndexFunc(list.Plans, func(s store.PlanSummary) bool { return s.Title == title })
	if i < 0 {
		b.t.Fatalf("plans %+v, want one called %s", list.Plans, title)
	}
	var v planView
	b.must(http.StatusOK, &v, "GET", "/api/plans/"+list.Plans[i].ID, p, "")
	return v
}

func ids(tasks []store.Task) []string {
	var all []string
	for _, t := range tasks {
		all = append(all, t.ID)
	}
	return all
}

// quoted returns v as JSON.
func quoted(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// stranger is a user who is in no plan of the demo.
func (b *board) stranger() *person {
	b.t.Helper()
	hash, err := b.service.passwords.hash("correct horse")
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.service.store.CreateUser(b.t.Context(), "Dora", "Dora@Example.com", hash); err != nil {
		b.t.Fatal(err)
	}
	return b.loginWith("dora@example.com", "correct horse")
}
