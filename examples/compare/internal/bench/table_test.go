package bench_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/compare/internal/bench"
	"github.com/planrooms/planrooms/examples/compare/internal/load"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

func cpu(s bench.Sample) float64 { return s.CPU }

// sample is one of a scenario with one variant.
func sample(impl string, cpu float64, change func(*bench.Sample)) bench.Sample {
	s := bench.Sample{Impl: impl, Result: load.Result{CPU: cpu, Published: 1}}
	if change != nil {
		change(&s)
	}
	return s
}

func disturbed(s *bench.Sample) { s.Disturbed = true }
func failed(s *bench.Sample)    { s.Err = "the server reported no address" }

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		name    string
		samples []bench.Sample
		want    float64
	}{
		{"none", nil, math.NaN()},
		{"one", []bench.Sample{sample("raw", 3, nil)}, 3},
		{"even", []bench.Sample{sample("raw", 4, nil), sample("raw", 1, nil)}, 2.5},
		{"odd", []bench.Sample{sample("raw", 9, nil), sample("raw", 1, nil), sample("raw", 2, nil)}, 2},
		{"of another", []bench.Sample{sample("gws", 3, nil)}, math.NaN()},
		{"disturbed ones do not count", []bench.Sample{sample("raw", 9, disturbed), sample("raw", 2, nil)}, 2},
		{"unless there are no others", []bench.Sample{sample("raw", 9, disturbed)}, 9},
		{"failed ones never count", []bench.Sample{sample("raw", 9, failed), sample("raw", 2, disturbed)}, 2},
	} {
		if got := bench.NewMedians(test.samples).Of("raw", "", cpu); !cmp.Equal(got, test.want, cmp.Comparer(same)) {
			t.Errorf("%s: median = %v, want %v", test.name, got, test.want)
		}
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestWorstHidesNothing(t *testing.T) {
	m := bench.NewMedians([]bench.Sample{sample("raw", 1, nil), sample("raw", 7, disturbed), sample("raw", 2, nil)})
	if got := m.Worst("raw", "", cpu); got != 7 {
		t.Errorf("worst = %v, want 7", got)
	}
}

func TestPrintTable(t *testing.T) {
	s := bench.Scenario{
		ID: "S0", Title: "title", Caption: "Caption.",
		Variants: []bench.Variant{{Skip: map[string]string{"melody": "reason"}}},
		Columns:  []bench.Column{{Head: "CPU", Format: "%.2f", Value: cpu}},
		Aims: []bench.Aim{
			{Text: "good", AtMost: 2, Reached: func(m bench.Medians) float64 { return m.Of(peer.Ours, "", cpu) }},
			{Text: "bad", AtMost: 0.5, Reached: func(m bench.Medians) float64 { return m.Of(peer.Ours, "", cpu) }},
			{Text: "unknown", AtMost: 1, Reached: func(m bench.Medians) float64 { return m.Of("coder", "", cpu) }},
		},
	}
	var got strings.Builder
	err := bench.PrintTable(&got, s, []bench.Sample{
		sample(peer.Ours, 1.5, nil),
		sample(peer.Raw, 1, disturbed),
		sample("gws", 2, func(s *bench.Sample) { s.Lost = 3 }),
		sample("coder", 0, failed),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `
### S0: title

Caption.

| implementation | CPU | × raw | samples |
|---|---:|---:|---:|
| planrooms | 1.50 | 1.50 | 1 |
| raw | 1.00 | 1.00 | 1 \* |
| gws | 2.00 | 2.00 | 1 |

- melody was not run: reason.
- coder failed: the server reported no address.
- Lost or out of order in the worst sample: gws 3.
- good: aim ≤ 2, measured 1.50: reached
- bad: aim ≤ 0.50, measured 1.50: **missed**
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("PrintTable (-want +got):\n%s", diff)
	}
}
