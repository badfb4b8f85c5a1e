package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLine(t *testing.T) {
	for _, test := range []struct {
		name   string
		second second
		totals totals
		faults faults
		want   string
	}{
		{"joining", second{To: 1.01, Joins: 350}, totals{Joins: 1350}, faults{}, "   1 s  1,350 joined"},
		{"running", second{To: 12, Sent: 50, Deliveries: 5021, P50: 1.234, P99: 34.56, Max: 1234}, totals{Joins: 1003, Resumes: 3}, faults{},
			"  12 s  1,000 joined  50 changes/s  5,021 deliveries/s  p50 1.23 ms  p99 34.6 ms  max 1.23 s"},
		{"nothing arrives", second{To: 12, Sent: 50, Reconnects: 7}, totals{Joins: 10}, faults{}, "  12 s  10 joined  50 changes/s  0 deliveries/s  7 reconnected"},
		{"faults", second{To: 12}, totals{Joins: 10}, faults{Gaps: 1, Duplicates: 2, OutOfOrder: 3}, "  12 s  10 joined  FAULTS: 1 gaps, 2 duplicates, 3 out of order"},
	} {
		if got := line(test.second, test.totals, test.faults); got != test.want {
			t.Errorf("%s: line = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestMetronome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		tally := newTally()
		m := newMetronome(tally, &out)
		tally.delivered(10*time.Millisecond, false)
		time.Sleep(1500 * time.Millisecond)
		tally.delivered(20*time.Millisecond, false)
		tally.delivered(30*time.Millisecond, false)
		time.Sleep(600 * time.Millisecond)
		tally.delivered(40*time.Millisecond, false)
		m.stop()
		m.stop()
		want := []second{
			{From: 0, To: 1, Deliveries: 1, P50: 10, P99: 10, Max: 10},
			{From: 1, To: 2, Deliveries: 2, P50: 30, P99: 30, Max: 30},
			{From: 2, To: 2.1, Deliveries: 1, P50: 40, P99: 40, Max: 40},
		}
		near := cmp.Comparer(func(a, b float64) bool { return a-b < 0.02*b && b-a < 0.02*b || a == b })
		if diff := cmp.Diff(want, m.seconds, near); diff != "" {
			t.Errorf("seconds (-want +got):\n%s", diff)
		}
		if got := strings.Count(out.String(), "\n"); got != 2 {
			t.Errorf("%d lines, want 2, one for each whole second:\n%s", got, &out)
		}
	})
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 12345: "12,345", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestInWords(t *testing.T) {
	for ms, want := range map[float64]string{0.0625: "0.06 ms", 9.5: "9.50 ms", 12.34: "12.3 ms", 123.4: "123 ms", 1500: "1.50 s"} {
		if got := inWords(ms); got != want {
			t.Errorf("inWords(%v) = %q, want %q", ms, got, want)
		}
	}
}
