package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// stallAt connects a stalled reader to a host.
func stallAt(t *testing.T, h *host) *stalled {
	t.Helper()
	target, err := newTarget(t.Context(), settingsFor(t, h.endpoint()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.close() }) // never fails
	q, err := stall(t.Context(), target, 0, 0, "stalled")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.socket.cut)
	return q
}

func TestStalled(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostOptions{hub: room.Options{WriteTimeout: 50 * time.Millisecond}, transport: transport.Options{WriteBuffer: 4096}})
	q := stallAt(t, h)
	for range 20 {
		if _, err := h.hub.BroadcastTaskUpdated(t.Context(), "demo", strings.Repeat("x", 200_000)); err != nil {
			t.Fatal(err)
		}
	}
	if code := <-h.gone; code != protocol.CloseTooSlow {
		t.Errorf("the host closed with %d, want %d", code, protocol.CloseTooSlow)
	}
	if end := q.ending(10 * time.Second); end != endedCut && end != "4508" {
		t.Errorf("ending = %q, want %q or 4508", end, endedCut)
	}
}

func TestStalledOpen(t *testing.T) {
	h := newHost(t, hostOptions{})
	q := stallAt(t, h)
	if _, err := h.hub.BroadcastTaskUpdated(t.Context(), "demo", "x"); err != nil {
		t.Fatal(err)
	}
	if end := q.ending(100 * time.Millisecond); end != endedOpen {
		t.Errorf("ending = %q, want %q", end, endedOpen)
	}
}

// TestStalledClosedByTheHost has the host close a stalled reader that still has room for the
// message.
func TestStalledClosedByTheHost(t *testing.T) {
	h := newHost(t, hostOptions{})
	q := stallAt(t, h)
	if _, err := h.hub.Disconnect(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if end := q.ending(10 * time.Second); end != "4403" {
		t.Errorf("ending = %q, want 4403", end)
	}
}

func TestStallRefused(t *testing.T) {
	for name, o := range map[string]hostOptions{
		"join refused": {forbidden: true},
		"refused":      {refuse: func(r *http.Request) int { return map[string]int{"/ws": http.StatusServiceUnavailable}[r.URL.Path] }},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, o)
			_, err := load(t.Context(), settingsFor(t, h.endpoint(), "-stalled", "1"), io.Discard)
			if err == nil || !strings.Contains(err.Error(), "refused") && !strings.Contains(err.Error(), "503") {
				t.Errorf("load = %v, want an error", err)
			}
		})
	}
}
