package bench_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/compare/internal/bench"
	"github.com/planrooms/planrooms/examples/compare/internal/load"
	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// TestMain lets the test's own binary be both sides of a measurement, as the program is.
func TestMain(m *testing.M) {
	if ran, err := bench.Child(os.Args[1:], os.Stdout); ran {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// small is a scenario that takes no time worth mentioning.
func small() bench.Scenario {
	return bench.Scenario{
		ID: "S0",
		Variants: []bench.Variant{
			{Name: "few", Load: load.Config{
				Connections: 4, Rooms: 2, Mode: load.Closed, Window: 1, Measure: 10 * time.Millisecond, FrameBytes: 524, Limit: time.Minute,
			}},
			// No connections: it fails.
			{Name: "none", Load: load.Config{Limit: time.Minute}, Only: []string{peer.Raw}},
		},
		Columns: []bench.Column{{Head: "CPU", Format: "%.2f", Value: cpu}},
	}
}

func newRunner(t *testing.T) *bench.Runner {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the children end with the thread
	cpus, err := machine.Allowed()
	if err != nil {
		t.Fatal(err)
	}
	return &bench.Runner{CPUs: cpus, ServerCPUs: 1, Impls: peer.Names(), Rounds: 2, Foreign: 1e6, Progress: t.Output()}
}

func TestRunner(t *testing.T) {
	r := newRunner(t)
	r.Impls = []string{"gws", peer.Raw, peer.Ours}
	var raw bytes.Buffer
	r.Raw = &raw
	samples, err := r.Run(t.Context(), []bench.Scenario{small()})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, s := range samples["S0"] {
		order = append(order, fmt.Sprint(s.Round, " ", s.Impl, " ", s.Variant))
		if failed := s.Err != ""; failed != (s.Variant == "none") {
			t.Errorf("%s %s: error %q", s.Impl, s.Variant, s.Err)
		}
		if s.Err == "" && (s.Deliveries == 0 || s.Lost != 0 || s.Disorder != 0) {
			t.Errorf("%s %s: %d deliveries, %d lost, %d out of order", s.Impl, s.Variant, s.Deliveries, s.Lost, s.Disorder)
		}
	}
	want := []string{
		"1 planrooms few", "1 raw few", "1 raw none", "1 gws few",
		"2 raw few", "2 raw none", "2 gws few", "2 planrooms few",
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("the order of samples (-want +got):\n%s", diff)
	}
	for line := range strings.Lines(raw.String()) {
		var s bench.Sample
		if err := json.Unmarshal([]byte(line), &s); err != nil || s.Scenario != "S0" {
			t.Errorf("a line of the raw samples is %q: %v", line, err)
		}
	}
	if got := strings.Count(raw.String(), "\n"); got != len(want) {
		t.Errorf("%d raw samples, want %d", got, len(want))
	}
}

func TestRunnerRepeatsWhatIsDisturbed(t *testing.T) {
	r := newRunner(t)
	// Everything is disturbed.
	r.Impls, r.Rounds, r.Foreign, r.Repeats = []string{peer.Raw}, 1, -1, 2
	s := small()
	s.Variants = s.Variants[:1]
	samples, err := r.Run(t.Context(), []bench.Scenario{s})
	if err != nil {
		t.Fatal(err)
	}
	if got := samples["S0"]; len(got) != 3 || !got[2].Disturbed {
		t.Errorf("%d samples, want the first and two repeats, all disturbed", len(got))
	}
}

func TestScenariosMakeSense(t *testing.T) {
	for _, quick := range []bool{true, false} {
		var ids []string
		for _, s := range bench.Scenarios(bench.Plan{Quick: quick, Hold: time.Minute, HoldConnections: 19_000, CPUs: 2}) {
			ids = append(ids, s.ID)
			if s.Title == "" || s.Caption == "" || len(s.Columns) == 0 || len(s.Aims) == 0 || len(s.Variants) == 0 {
				t.Errorf("%s lacks something", s.ID)
			}
			for _, v := range s.Variants {
				if err := v.Load.Check(); err != nil {
					t.Errorf("%s %s: %v", s.ID, v.Name, err)
				}
			}
			if err := bench.PrintTable(t.Output(), s, nil); err != nil {
				t.Errorf("PrintTable(%s) without samples: %v", s.ID, err)
			}
		}
		want := []string{"S1", "S2", "S3", "S4", "S5", "S9", "S6", "S7", "S8", "S10", "S11"}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("scenarios (-want +got):\n%s", diff)
		}
	}
}

func TestProfileName(t *testing.T) {
	for _, test := range []struct {
		sample bench.Sample
		want   string
	}{
		{bench.Sample{Scenario: "S1", Impl: "raw"}, "S1-raw.pprof"},
		{bench.Sample{Scenario: "S7", Impl: "gws", Variant: "16 KiB, 10 % stalled"}, "S7-gws-16-KiB-10-stalled.pprof"},
	} {
		if got := bench.ProfileName(test.sample); got != test.want {
			t.Errorf("profileName(%s, %s, %q) = %q, want %q", test.sample.Scenario, test.sample.Impl, test.sample.Variant, got, test.want)
		}
	}
}
