package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/examples/cluster/internal/history"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// A viewer whose access ends stops following the plan, and that is not an error. Its history has
// everything that the judge needs.
func TestViewerIsRemoved(t *testing.T) {
	hub := room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
	})
	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(hub, auth.VerifierFunc(verify), nil))
	loaded := make(chan struct{}, 1)
	mux.HandleFunc("GET /plan", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, plan{})
		loaded <- struct{}{}
	})
	server := httptest.NewServer(mux)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	defer server.Close()
	defer func() {
		if err := hub.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	}()
	var log, lines bytes.Buffer
	h := history.NewWriter(&lines)
	v := newViewer(viewerOptions{
		name: "v", user: checkerPrefix + "-v", base: server.URL, node: "n1", plans: []string{"p"},
		history: h, log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	ended := make(chan struct{})
	go func() { defer close(ended); v.run(ctx) }()
	await := func(c <-chan struct{}, what string) {
		t.Helper()
		select {
		case <-c:
		case <-ctx.Done():
			t.Fatal(what)
		}
	}
	await(loaded, "the viewer has not loaded the plan")
	if _, err := hub.Broadcast(ctx, "p", protocol.TaskUpdated(task{Plan: "p", Change: 1})); err != nil {
		t.Fatal(err)
	}
	for v.follows["p"].checker.Counts().Delivered == 0 {
		if ctx.Err() != nil {
			t.Fatal("the viewer has no event")
		}
		runtime.Gosched()
	}
	if !v.follows["p"].settled() {
		t.Error("the plan is not settled, although it was loaded")
	}
	if n, err := hub.Revoke(ctx, "p", v.user); n != 1 || err != nil {
		t.Fatalf("Revoke removed %d members: %v", n, err)
	}
	await(ended, "the viewer still follows the plan")
	if log.Len() > 0 {
		t.Errorf("the viewer has logged\n%s", &log)
	}
	if v.follows["p"].settled() {
		t.Error("the plan is settled, although the access to it has ended")
	}

	file := filepath.Join(t.TempDir(), viewersFile)
	if err := errors.Join(h.Flush(), os.WriteFile(file, lines.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	records, err := history.Read[history.Record](file)
	if err != nil {
		t.Fatal(err)
	}
	attempts := []history.Attempt{{Plan: "p", Change: 1, Result: history.Acknowledged}}
	if r := history.Judge(records, attempts, history.Terms{}); len(r.Problems) > 0 || r.Delivered != 1 {
		t.Errorf("%d events, problems %q", r.Delivered, r.Problems)
	}
}
