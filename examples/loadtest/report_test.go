package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample is a report with everything in it.
func sample() *report {
	q := quantiles{Count: 9000, P50: 1.5, P95: 3, P99: 12, Max: 250}
	return &report{
		Target: "ws://plans.example/ws", Plans: 2, Connections: 1000, Rate: 50, Processors: 2,
		Connected: 2, Began: 2, Published: 3,
		Latency: q, Lateness: q, Requests: q, Joining: q,
		Totals: totals{Sent: 150, Accepted: 149, NeverSent: 1, Deliveries: 9000, Events: 18000, Joins: 1003, Resumes: 2},
		Ended:  1, Away: 2, Dead: 3,
		Reloads: counts{"resync": 1}, Closes: counts{"1006": 2, "4508": 3, "4403": 2}, Errors: counts{"publish: HTTP status 500": 1},
		Stalled: &stalledReport{Count: 100, Plans: []string{"a"}, Endings: counts{endedCut: 99, endedOpen: 1}, ServerClosed: counts{"4508": 99}, Beside: q, Apart: q},
		Seconds: []second{
			{From: 0, To: 2, Joins: 1000},
			{From: 2, To: 3, Sent: 50, Deliveries: 3000, P50: 1.5, P99: 9, Max: 20},
			{From: 3, To: 4, Sent: 50},
			{From: 4, To: 5, Sent: 50, Deliveries: 6000, P50: 0.2, P99: 12, Max: 2500, Reconnects: 1234},
			{From: 5, To: 5.1, Deliveries: 10, P50: 1, P99: 1, Max: 1},
		},
	}
}

func TestReportText(t *testing.T) {
	got := sample().text()
	for _, want := range []string{
		"ws://plans.example/ws: 1,000 connections in 2 plans, 50 changes/s for 3.0 s, 2 processors\n",
		"latency       p50 1.50 ms   p95 3.00 ms   p99 12.0 ms   max 250 ms   (from when the change was due, ±0.8 %)\n",
		"deliveries    9,000, 3,000/s\n",
		"changes       150 sent, 149 accepted, 1 never sent; requests p50",
		"joins         500/s; p50",
		"gaps          0, changes missing 0\n",
		"duplicates    0, out of order 0\n",
		"resumes       2\n",
		"closes        3 × 4508, 2 × 1006, 2 × 4403\n",
		"errors        1 × publish: HTTP status 500\n",
		"not connected 6 connections at the end: 1 ended for good, 2 reconnecting, 3 dead\n",
		"stalled       100 readers in 1 plan: 99 × cut, 1 × still open\n",
		"the server closed 99 × 4508\n",
		"  beside them p50",
		"  elsewhere   p50",
		"\nEvery connection received every event once and in order, or a request to reload.\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in the report:\n%s", want, got)
		}
	}
	r := sample()
	r.Faults.Missing = 1
	if got := r.text(); !strings.Contains(got, "FAULT") || strings.Contains(got, "Every connection") {
		t.Errorf("the report of a fault does not say so:\n%s", got)
	}
}

func TestReportJSON(t *testing.T) {
	var b bytes.Buffer
	want := sample()
	if err := want.print(&b, &settings{json: true}); err != nil {
		t.Fatal(err)
	}
	got := new(report)
	if err := json.Unmarshal(b.Bytes(), got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestPlot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plot.svg")
	if err := sample().print(io.Discard, &settings{plot: file}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := string(b)
	wellFormed(t, got)
	for what, want := range map[string]int{
		`class="bar"`:           2, // the seconds with deliveries, but not the rest at the end
		`class="line p50" d="M`: 2, // the legend and the line
		`class="back"`:          2, // the legend and one mark
		">1,234<":               1,
		">10 s<":                1, // the scale goes up to the maximum
		"p50 1.50 ms":           1,
	} {
		if n := strings.Count(got, what); n != want {
			t.Errorf("%s stands %d times in the plot, want %d", what, n, want)
		}
	}
	if line := scaleOf(plotted(sample())).path(plotted(sample()), "p50"); strings.Count(line, "M") != 2 {
		t.Errorf("path %q, want it broken where there was nothing", line)
	}
}

func TestPlotOfNothing(t *testing.T) {
	got := plot(&report{})
	wellFormed(t, got)
	if strings.Contains(got, "NaN") || strings.Contains(got, "Inf") {
		t.Errorf("the plot of nothing holds no numbers:\n%s", got)
	}
}

func wellFormed(t *testing.T, document string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(document))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
	}
}

func TestDescriptors(t *testing.T) {
	few := &settings{conns: 10}
	if err := enoughDescriptors(few); err != nil {
		t.Errorf("enoughDescriptors of 10 connections = %v", err)
	}
	if _, known := descriptorLimit(); !known {
		return
	}
	many := &settings{conns: 1 << 29}
	if err := enoughDescriptors(many); err == nil || !strings.Contains(err.Error(), "ulimit -n") {
		t.Errorf("enoughDescriptors of 2^29 connections = %v, want what to do", err)
	}
	if own, other := descriptorsNeeded(&settings{conns: 1000}), descriptorsNeeded(settingsFor(t, "ws://h/ws", "-conns", "1000")); own != 2064 || other != 1072 {
		t.Errorf("descriptorsNeeded = %d with a server of its own, %d without, want 2064, 1072", own, other)
	}
}
