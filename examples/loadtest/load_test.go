package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/room"
)

// check makes a run of 40 changes or a few more, which has to end without an error, and checks what
// every run has in common.
func check(t *testing.T, h *host, s *settings) *report {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	h.before(40, interrupt)
	r, err := load(ctx, s, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if r.Totals.Sent == 0 || r.Totals.Sent != r.Totals.Accepted {
		t.Errorf("%d changes sent, %d accepted", r.Totals.Sent, r.Totals.Accepted)
	}
	if int(r.Latency.Count) != r.Totals.Deliveries {
		t.Errorf("%d deliveries, %d latencies", r.Totals.Deliveries, r.Latency.Count)
	}
	return r
}

func TestLoad(t *testing.T) {
	h := newHost(t, hostOptions{})
	r := check(t, h, settingsFor(t, h.endpoint(), "-plans", "plan-%d", "-rooms", "2", "-conns", "8"))
	if diff := cmp.Diff(faults{}, r.Faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	// There are twice as many events, but a run ends when all changes have been received.
	if want := 4 * r.Totals.Sent; r.Totals.Deliveries != want || r.Totals.Events <= want || r.Totals.Events > 2*want {
		t.Errorf("%d deliveries, %d events of %d changes to 4 connections each, want %d and up to %d",
			r.Totals.Deliveries, r.Totals.Events, r.Totals.Sent, want, 2*want)
	}
	if r.Totals.Joins != 8 || r.Totals.Resumes != 0 || len(r.Closes)+len(r.Errors)+len(r.Reloads) > 0 {
		t.Errorf("%d joins, %d resumes, closes %v, errors %v, reloads %v", r.Totals.Joins, r.Totals.Resumes, r.Closes, r.Errors, r.Reloads)
	}
}

// TestFaults has one connection of four get something else than the host sends.
func TestFaults(t *testing.T) {
	same := func(frame []byte) [][]byte { return [][]byte{frame} }
	for _, test := range []struct {
		name   string
		meddle func() func(n int, frame []byte) [][]byte
		want   faults
	}{
		// Events come in pairs, of which the first, odd one counts as the change.
		{"an event is dropped", func() func(int, []byte) [][]byte {
			return func(n int, frame []byte) [][]byte {
				if n == 4 {
					return [][]byte{}
				}
				return same(frame)
			}
		}, faults{Gaps: 1}},
		{"a change is dropped", func() func(int, []byte) [][]byte {
			return func(n int, frame []byte) [][]byte {
				if n == 5 || n == 6 {
					return [][]byte{}
				}
				return same(frame)
			}
		}, faults{Gaps: 1, Missing: 1}},
		{"an event comes twice", func() func(int, []byte) [][]byte {
			return func(n int, frame []byte) [][]byte {
				if n == 4 {
					return [][]byte{frame, frame}
				}
				return same(frame)
			}
		}, faults{Duplicates: 1}},
		{"two change places", func() func(int, []byte) [][]byte {
			var kept []byte
			return func(n int, frame []byte) [][]byte {
				switch n {
				case 4:
					kept = frame
					return [][]byte{}
				case 5:
					return [][]byte{frame, kept}
				}
				return same(frame)
			}
		}, faults{Gaps: 1, OutOfOrder: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, hostOptions{})
			r := check(t, h, settingsFor(t, newMeddler(t, h, test.meddle()), "-drain", "100ms"))
			if diff := cmp.Diff(test.want, r.Faults); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFaultAtTheEnd has the last events dropped, after which nothing comes that could name them:
// only the count of changes shows it.
func TestFaultAtTheEnd(t *testing.T) {
	t.Parallel()
	const last = 10
	h := newHost(t, hostOptions{})
	endpoint := newMeddler(t, h, func(n int, frame []byte) [][]byte {
		if n >= last {
			return [][]byte{}
		}
		return [][]byte{frame}
	})
	s := settingsFor(t, endpoint, "-drain", "100ms")
	r := check(t, h, s)
	if want := (faults{Missing: r.Totals.Accepted - last/2}); r.Faults != want {
		t.Errorf("faults %+v, want %+v", r.Faults, want)
	}
}

// TestExitStatus goes through the whole program: a fault is 1, and the report says so.
func TestExitStatus(t *testing.T) {
	for _, test := range []struct {
		name string
		drop bool
		want int
		text string
	}{
		{"good", false, statusGood, "Every connection received every event once and in order"},
		{"gap", true, statusFaults, "FAULT"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHost(t, hostOptions{})
			endpoint := newMeddler(t, h, func(n int, frame []byte) [][]byte {
				if test.drop && (n == 3 || n == 4) {
					return [][]byte{}
				}
				return [][]byte{frame}
			})
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			h.before(20, interrupt)
			var stdout, stderr bytes.Buffer
			got := run(ctx, []string{"-url", endpoint, "-conns", "3", "-rate", "200", "-for", "1h", "-drain", "100ms"}, &stdout, &stderr, false)
			if got != test.want || !strings.Contains(stdout.String(), test.text) || stderr.Len() > 0 {
				t.Errorf("run = %d, want %d and %q; it printed:\n%s\n%s", got, test.want, test.text, &stdout, &stderr)
			}
		})
	}
}

// TestLostConnection has a connection cut: it resumes where it was, which is not a fault.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostOptions{})
	endpoint := newMeddler(t, h, func(n int, frame []byte) [][]byte {
		if n == 5 {
			return nil
		}
		return [][]byte{frame}
	})
	r := check(t, h, settingsFor(t, endpoint))
	if r.Faults.any() || r.Totals.Resumes != 1 || r.Totals.Deliveries != 4*r.Totals.Sent || len(r.Reloads) > 0 {
		t.Errorf("faults %+v, %d resumes, %d deliveries of %d changes to 4 connections, reloads %v",
			r.Faults, r.Totals.Resumes, r.Totals.Deliveries, r.Totals.Sent, r.Reloads)
	}
	if diff := cmp.Diff(counts{"1006": 1}, r.Closes); diff != "" {
		t.Errorf("closes (-want +got):\n%s", diff)
	}
}

// TestReload has a connection cut for longer than the history: it gets a request to reload, which
// is not a fault either.
func TestReload(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostOptions{hub: room.Options{HistoryEvents: 1}})
	endpoint := newMeddler(t, h, func(n int, frame []byte) [][]byte {
		switch {
		case n == 20:
			return nil
		case n > 2:
			return [][]byte{} // the event that it misses when it reconnects
		}
		return [][]byte{frame}
	})
	r := check(t, h, settingsFor(t, endpoint))
	if r.Faults.any() || r.Totals.Resumes != 0 || r.Reloads["not recovered"] != 1 {
		t.Errorf("faults %+v, %d resumes, reloads %v", r.Faults, r.Totals.Resumes, r.Reloads)
	}
}

// TestResync has the host ask all to reload.
func TestResync(t *testing.T) {
	h := newHost(t, hostOptions{})
	h.before(10, func() {
		if err := h.hub.Resync(context.Background(), "demo"); err != nil {
			t.Error(err)
		}
	})
	r := check(t, h, settingsFor(t, h.endpoint()))
	if r.Faults.any() || r.Reloads["resync"] != 4 {
		t.Errorf("faults %+v, reloads %v, want 4 × resync", r.Faults, r.Reloads)
	}
}

// TestToken has all tokens refused in the middle of a run.
func TestToken(t *testing.T) {
	h := newHost(t, hostOptions{})
	h.before(10, h.forget)
	r := check(t, h, settingsFor(t, h.endpoint(), "-user", "alice"))
	if h.logins != 2 || len(r.Errors) > 0 {
		t.Errorf("%d logins, want 2; errors %v", h.logins, r.Errors)
	}
}

// TestDisconnected has the host disconnect a user: those connections do not come back, and miss
// nothing.
func TestDisconnected(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostOptions{})
	h.before(10, func() {
		if _, err := h.hub.Disconnect(context.Background(), "bob"); err != nil {
			t.Error(err)
		}
	})
	r := check(t, h, settingsFor(t, h.endpoint(), "-user", "alice", "-user", "bob"))
	if r.Faults.any() || r.Ended != 2 {
		t.Errorf("faults %+v, %d ended, want 2", r.Faults, r.Ended)
	}
	if diff := cmp.Diff(counts{"4403": 2}, r.Closes); diff != "" {
		t.Errorf("closes (-want +got):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name string
		host hostOptions
		args []string
		want []string
	}{
		{"too many connections", hostOptions{hub: room.Options{ConnectionsPerUser: 1}}, []string{"-user", "alice", "-user", "bob"},
			[]string{"HTTP status 429", "ConnectionsPerUser", "4 connections share 2 tokens, which is enough for 40"}},
		{"forbidden", hostOptions{forbidden: true}, nil, []string{"join refused: forbidden", "-plans"}},
		{"no login there", hostOptions{}, []string{"-login", "POST {http}/nowhere {user}"}, []string{"log in as alice", "HTTP status 404", "-preset"}},
		{"a bad token", hostOptions{}, []string{"-token", "nonsense", "-publish", "PATCH {http}/x"}, []string{"401", "-token"}},
		{"no plan there", hostOptions{}, []string{"-load", "GET {http}/nowhere/{plan}"}, []string{"-load of plan demo", "404"}},
		{"nothing to change there", hostOptions{}, []string{"-publish", "PATCH {http}/nowhere"}, []string{"all of the first", "404"}},
		{"full", hostOptions{refuse: func(r *http.Request) int {
			if r.URL.Path == "/ws" {
				return http.StatusServiceUnavailable
			}
			return 0
		}}, nil, []string{"of 4: HTTP status 503", "MaxConnections"}},
		{"no mutation ids", hostOptions{silent: true}, nil, []string{"transport.Author"}},
		{"no events", hostOptions{mute: true}, []string{"-drain", "100ms"}, []string{"no event arrived"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, test.host)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			h.before(40, interrupt)
			_, err := load(ctx, settingsFor(t, h.endpoint(), append([]string{"-drain", "100ms"}, test.args...)...), io.Discard)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("load = %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestRunErrors(t *testing.T) {
	for name, args := range map[string][]string{
		"usage":     {"-rate", "0"},
		"no server": {"-url", "ws://127.0.0.1:1/ws"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if got := run(t.Context(), args, &stdout, &stderr, false); got != statusFailed || !strings.Contains(stderr.String(), "loadtest: ") {
				t.Errorf("run(%q) = %d, want %d; it printed %s", args, got, statusFailed, &stderr)
			}
		})
	}
	if got := run(t.Context(), []string{"-h"}, io.Discard, io.Discard, false); got != statusGood {
		t.Errorf("run(-h) = %d, want %d", got, statusGood)
	}
}

// TestOwnServer is the run that needs nothing else.
func TestOwnServer(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), []string{"-rooms", "2", "-conns", "10", "-rate", "200", "-for", "100ms", "-stalled", "20%", "-json"}, &stdout, &stderr, true)
	var r report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil || status != statusGood || stderr.Len() > 0 {
		t.Fatalf("run = %d, %v; it printed:\n%s\n%s", status, err, &stdout, &stderr)
	}
	if r.Totals.Deliveries != 4*r.Totals.Sent || r.Totals.Joins != 8 || r.Stalled == nil {
		t.Fatalf("%d deliveries of %d changes to 4 connections each, %d joins, stalled %v", r.Totals.Deliveries, r.Totals.Sent, r.Totals.Joins, r.Stalled)
	}
	// In so short a time no connection fills its socket's buffer.
	if diff := cmp.Diff(counts{endedOpen: 2}, r.Stalled.Endings); diff != "" {
		t.Errorf("endings of stalled readers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"plan-1"}, r.Stalled.Plans); diff != "" {
		t.Errorf("plans with stalled readers (-want +got):\n%s", diff)
	}
	if both := r.Stalled.Beside.Count + r.Stalled.Apart.Count; r.Stalled.Beside.Count == 0 || both != r.Latency.Count {
		t.Errorf("%d latencies beside stalled readers, %d elsewhere, %d in all", r.Stalled.Beside.Count, r.Stalled.Apart.Count, r.Latency.Count)
	}
}

// TestInterrupt has somebody press Ctrl-C in a run of an hour.
func TestInterrupt(t *testing.T) {
	h := newHost(t, hostOptions{})
	r := check(t, h, settingsFor(t, h.endpoint()))
	if r.Faults.any() || r.Totals.Sent < 40 || r.Totals.Deliveries != 4*r.Totals.Sent || len(r.Errors) > 0 {
		t.Errorf("faults %+v, %+v, errors %v", r.Faults, r.Totals, r.Errors)
	}
}

// TestInterruptEarly has it pressed while connections are still being made.
func TestInterruptEarly(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	h := newHost(t, hostOptions{joined: interrupt})
	r, err := load(ctx, settingsFor(t, h.endpoint(), "-ramp", "1h"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if r.Totals.Joins != 1 || r.Totals.Sent != 0 || r.Faults.any() || len(r.Errors) > 0 {
		t.Errorf("%+v, faults %+v, errors %v; want 1 join and nothing else", r.Totals, r.Faults, r.Errors)
	}
}

// TestLatencyCountsFromDue has far more changes due than can be made one after the other: each
// delivery is as late as its change, and more.
func TestLatencyCountsFromDue(t *testing.T) {
	h := newHost(t, hostOptions{})
	r := check(t, h, settingsFor(t, h.endpoint(), "-rate", "1e6", "-inflight", "1"))
	if r.Latency.Max < r.Lateness.Max || r.Lateness.Max < r.Requests.P50*10 || r.Totals.NeverSent == 0 {
		t.Errorf("latency %+v, sent late by %+v, requests %+v, %d never sent", r.Latency, r.Lateness, r.Requests, r.Totals.NeverSent)
	}
}
