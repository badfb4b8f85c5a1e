package main

import (
	"errors"
	"maps"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// A tally is what all connections and requests of a run have met with. It is safe for concurrent
// use.
type tally struct {
	begin time.Time // of the run; fixed at creation

	mu       sync.Mutex // guards the following
	latency  histogram  // of deliveries, from when the change was due
	beside   histogram  // the share of the plans with stalled readers
	apart    histogram  // and that of the others
	joining  histogram  // from dialling to the join's answer
	requests histogram  // from sending a change to its answer
	lateness histogram  // from when a change was due to sending it
	totals   totals
	faults   faults
	reloads  counts
	closes   counts
	errors   counts

	window  histogram // the latencies of the second that is running
	current second
	since   float64 // when it began
}

// totals are what there was of everything.
type totals struct {
	Sent       int `json:"sent"`       // changes
	Accepted   int `json:"accepted"`   // changes that were answered with 2xx
	NeverSent  int `json:"neverSent"`  // changes that were due while too many others were in flight
	Deliveries int `json:"deliveries"` // changes received, once for each connection
	Events     int `json:"events"`     // events and receipts received, including those of other changes
	Joins      int `json:"joins"`
	Resumes    int `json:"resumes"` // joins after a reconnect that lost nothing
}

// faults are what a server must not do. All must be 0.
type faults struct {
	Gaps int `json:"gaps"` // events before which others were missing, without a resync
	// An accepted change that a connection neither received nor was excused from by a reload.
	Missing    int `json:"missing"`
	Duplicates int `json:"duplicates"`
	OutOfOrder int `json:"outOfOrder"`
}

func (f faults) any() bool { return f != faults{} }

// second is what happened in one second.
type second struct {
	From       float64 `json:"from"` // when it began, in seconds of the run
	To         float64 `json:"to"`   // and when it ended: the last one is shorter
	Deliveries int     `json:"deliveries"`
	P50        float64 `json:"p50Ms"`
	P99        float64 `json:"p99Ms"`
	Max        float64 `json:"maxMs"`
	Sent       int     `json:"sent"`
	Joins      int     `json:"joins"`
	Reconnects int     `json:"reconnects"`
}

// counts counts by name, up to a number of names.
type counts map[string]int

func (c counts) add(name string) {
	if _, known := c[name]; !known && len(c) >= 40 {
		name = "others"
	}
	c[name]++
}

func newTally() *tally {
	return &tally{begin: time.Now(), reloads: counts{}, closes: counts{}, errors: counts{}}
}

// now is how long the run has been going.
func (t *tally) now() time.Duration { return time.Since(t.begin) }

func (t *tally) delivered(latency time.Duration, beside bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.totals.Deliveries++
	t.current.Deliveries++
	t.latency.add(latency)
	t.window.add(latency)
	if beside {
		t.beside.add(latency)
	} else {
		t.apart.add(latency)
	}
}

func (t *tally) event(v verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.totals.Events++
	switch v {
	case gap:
		t.faults.Gaps++
	case duplicate:
		t.faults.Duplicates++
	case outOfOrder:
		t.faults.OutOfOrder++
	}
}

func (t *tally) joined(took time.Duration, how arrival) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.joining.add(took)
	t.totals.Joins++
	t.current.Joins++
	switch how {
	case arrivedFirst:
		return
	case arrivedResumed:
		t.totals.Resumes++
	case arrivedToReload:
		t.reloads.add("not recovered")
	case arrivedAstray:
		t.faults.Gaps++
	}
	t.current.Reconnects++
}

func (t *tally) reloaded(reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reloads.add(reason)
}

func (t *tally) closed(code protocol.CloseCode) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closes.add(strconv.Itoa(int(code)))
}

func (t *tally) failed(what string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errors.add(what + ": " + brief(err))
}

func (t *tally) sent(late time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.totals.Sent++
	t.current.Sent++
	t.lateness.add(late)
}

func (t *tally) answered(took time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests.add(took)
	if ok {
		t.totals.Accepted++
	}
}

func (t *tally) unsent(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.totals.NeverSent += n
}

func (t *tally) missing(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults.Missing += n
}

// cut ends the second that is running and begins another.
func (t *tally) cut() second {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.current
	s.From, s.To = t.since, t.now().Seconds()
	t.since = s.To
	s.P50, s.P99, s.Max = milliseconds(t.window.quantile(0.5)), milliseconds(t.window.quantile(0.99)), milliseconds(t.window.max)
	t.window, t.current = histogram{}, second{}
	return s
}

func (t *tally) counters() (totals, faults) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.totals, t.faults
}

// fill copies everything into a report.
func (t *tally) fill(r *report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Latency, r.Joining, r.Requests, r.Lateness = t.latency.quantiles(), t.joining.quantiles(), t.requests.quantiles(), t.lateness.quantiles()
	r.Totals, r.Faults = t.totals, t.faults
	r.Reloads, r.Closes, r.Errors = maps.Clone(t.reloads), maps.Clone(t.closes), maps.Clone(t.errors)
	if r.Stalled != nil {
		r.Stalled.Beside, r.Stalled.Apart = t.beside.quantiles(), t.apart.quantiles()
	}
}

// brief is an error without the addresses in it, which are others each time.
func brief(err error) string {
	if withURL := (*url.Error)(nil); errors.As(err, &withURL) {
		err = withURL.Err
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}
