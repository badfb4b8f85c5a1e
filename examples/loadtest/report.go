package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
)

// A report is what a run has found. Times are in seconds, latencies in milliseconds.
type report struct {
	Target      string  `json:"target"`
	Plans       int     `json:"plans"`
	Connections int     `json:"connections"` // stalled readers included
	Rate        float64 `json:"rate"`        // changes a second, as asked for
	Processors  int     `json:"processors"`
	Connected   float64 `json:"connectedSeconds"` // time until all had joined
	Began       float64 `json:"beganSeconds"`     // when the changes began
	Published   float64 `json:"publishedSeconds"` // for how long they were made
	// Of deliveries, from when the change was due.
	Latency  quantiles      `json:"latency"`
	Lateness quantiles      `json:"lateness"` // of sending changes
	Requests quantiles      `json:"requests"` // from sending a change to its answer
	Joining  quantiles      `json:"joining"`  // from dialling to the join's answer
	Totals   totals         `json:"totals"`
	Faults   faults         `json:"faults"`
	Ended    int            `json:"ended"` // connections that the server closed for good
	Away     int            `json:"away"`  // that had not reconnected at the end
	Dead     int            `json:"dead"`  // that were open and answered no ping
	Reloads  counts         `json:"reloads"`
	Closes   counts         `json:"closes"`
	Errors   counts         `json:"errors"`
	Stalled  *stalledReport `json:"stalled,omitempty"`
	Storm    *stormReport   `json:"storm,omitempty"`
	Seconds  []second       `json:"seconds"`
}

// stalledReport is about the readers that did not read, and whether others had to wait for them.
type stalledReport struct {
	Count   int      `json:"count"`
	Plans   []string `json:"plans"` // where they were
	Endings counts   `json:"endings"`
	// The codes with which a server in this process has closed them.
	ServerClosed counts    `json:"serverClosed,omitempty"`
	Beside       quantiles `json:"beside"` // latency of those in the same plans
	Apart        quantiles `json:"apart"`  // and of those in the other plans
}

func newReport(s *settings, t *target) *report {
	name := "a server in this process"
	if t.own == nil {
		name = t.endpoint.Scheme + "://" + t.endpoint.Host + t.endpoint.Path // the query may hold a token
	}
	return &report{Target: name, Plans: len(t.plans), Connections: s.conns, Rate: s.rate, Processors: runtime.NumCPU()}
}

// unmatched returns an error if none of the events belongs to a change of this run.
func (r *report) unmatched() error {
	if r.Totals.Accepted == 0 || r.Totals.Deliveries > 0 {
		return nil
	}
	if r.Totals.Events > 0 {
		return errors.New("events arrived, but none had the X-Plan-Mutation of its request: broadcast with transport.Author(r, userID), " +
			"or put {mutation} into the body of -publish where the event shows it")
	}
	if r.Faults.Missing > 0 {
		return errors.New("no event arrived: either the server does not broadcast the changes of -publish to the plans of -plans, or it has lost all events")
	}
	return nil
}

// perSecond is a number of things in each second of publishing.
func (r *report) perSecond(n int) int {
	if r.Published <= 0 {
		return 0
	}
	return int(float64(n) / r.Published)
}

// print writes the report as the settings ask, and draws the plot.
func (r *report) print(w io.Writer, s *settings) error {
	var err error
	if s.json {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	} else {
		_, err = io.WriteString(w, r.text())
	}
	if s.plot != "" {
		err = errors.Join(err, os.WriteFile(s.plot, []byte(plot(r)), 0o666))
	}
	return err
}

// text is the report for people.
func (r *report) text() string {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s"+format+"\n", append([]any{name}, args...)...)
	}
	spread := func(q quantiles) string {
		return fmt.Sprintf("p50 %s   p95 %s   p99 %s   max %s", inWords(q.P50), inWords(q.P95), inWords(q.P99), inWords(q.Max))
	}
	t := r.Totals
	fmt.Fprintf(&b, "%s: %s in %s, %g changes/s for %.1f s, %s\n\n",
		r.Target, several(r.Connections, "connection"), several(r.Plans, "plan"), r.Rate, r.Published, several(r.Processors, "processor"))
	row("latency", "%s   (from when the change was due, ±0.8 %%)", spread(r.Latency))
	row("deliveries", "%s, %s/s", grouped(t.Deliveries), grouped(r.perSecond(t.Deliveries)))
	row("changes", "%s sent, %s accepted, %s never sent; requests %s", grouped(t.Sent), grouped(t.Accepted), grouped(t.NeverSent), spread(r.Requests))
	row("sent late by", "%s", spread(r.Lateness))
	if r.Connected > 0 {
		row("joins", "%s/s; %s", grouped(int(float64(r.Connections)/r.Connected)), spread(r.Joining))
	}
	f := r.Faults
	row("gaps", "%d, changes missing %d", f.Gaps, f.Missing)
	row("duplicates", "%d, out of order %d", f.Duplicates, f.OutOfOrder)
	row("reloads", "%s", inOneLine(r.Reloads))
	row("resumes", "%s", grouped(t.Resumes))
	row("closes", "%s", inOneLine(r.Closes))
	row("errors", "%s", inOneLine(r.Errors))
	if n := r.Ended + r.Away + r.Dead; n > 0 {
		row("not connected", "%s at the end: %d ended for good, %d reconnecting, %d dead", several(n, "connection"), r.Ended, r.Away, r.Dead)
	}
	if r.Stalled != nil {
		r.Stalled.write(row, spread)
	}
	if s := r.Storm; s != nil {
		row("storm", "%s cut at once, %s reconnected after %.1f s, %s resumed; %.1f s of processor time of this process",
			several(s.Cut, "connection"), grouped(s.Back), s.Seconds, grouped(s.Resumed), s.Processor)
	}
	switch {
	case f.any():
		b.WriteString("\nFAULT: not every connection received every event once and in order.\n")
	case t.Deliveries > 0:
		b.WriteString("\nEvery connection received every event once and in order, or a request to reload.\n")
	}
	return b.String()
}

func (s *stalledReport) write(row func(string, string, ...any), spread func(quantiles) string) {
	row("stalled", "%s in %s: %s", several(s.Count, "reader"), several(len(s.Plans), "plan"), inOneLine(s.Endings))
	if len(s.ServerClosed) > 0 {
		row("", "the server closed %s", inOneLine(s.ServerClosed))
	}
	if s.Endings[endedOpen] > 0 {
		row("", "the buffers of the open sockets were not full for 10 s: raise -rate, -size or -for")
	}
	row("  beside them", "%s", spread(s.Beside))
	if s.Apart.Count > 0 {
		row("  elsewhere", "%s", spread(s.Apart))
	}
}

// inOneLine is counts in one line, the most frequent first.
func inOneLine(c counts) string {
	if len(c) == 0 {
		return "0"
	}
	names := slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		if c[a] != c[b] {
			return c[b] - c[a]
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s × %s", grouped(c[name]), name)
	}
	return strings.Join(names, ", ")
}
