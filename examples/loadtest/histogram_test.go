package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestHistogramError compares with sorted samples, over the whole range.
func TestHistogramError(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h histogram
	var all []time.Duration
	for range 20_000 {
		d := time.Duration(math.Exp(r.Float64()*math.Log(float64(time.Hour)/1e3))) * time.Microsecond
		h.add(d)
		all = append(all, d)
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999} {
		want := all[int(q*float64(len(all)))]
		got := h.quantile(q)
		if off := (got - want).Abs(); off > max(want*8/1000, time.Microsecond) {
			t.Errorf("quantile(%v) = %v, want %v within 0.8 %%", q, got, want)
		}
	}
	if h.max != all[len(all)-1] || h.quantile(1) != h.max {
		t.Errorf("max = %v, quantile(1) = %v, want %v", h.max, h.quantile(1), all[len(all)-1])
	}
}

func TestHistogramBuckets(t *testing.T) {
	last := -1
	for us := range 1 << 20 {
		b := bucketOf(time.Duration(us) * time.Microsecond)
		if b < last || b > last+1 {
			t.Fatalf("bucketOf(%d µs) = %d after %d", us, b, last)
		}
		last = b
	}
	for _, d := range []time.Duration{-time.Second, 0, time.Nanosecond, 71 * time.Minute, 72 * time.Minute, 1000 * time.Hour, math.MaxInt64} {
		if b := bucketOf(d); b < 0 || b >= bucketCount {
			t.Errorf("bucketOf(%v) = %d of %d", d, b, bucketCount)
		}
	}
}

func TestHistogramQuantiles(t *testing.T) {
	var h histogram
	if diff := cmp.Diff(quantiles{}, h.quantiles()); diff != "" {
		t.Errorf("of none (-want +got):\n%s", diff)
	}
	h.add(20 * time.Microsecond)
	h.add(20 * time.Microsecond)
	h.add(1500 * time.Microsecond)
	if diff := cmp.Diff(quantiles{Count: 3, P50: 0.02, P95: 1.496, P99: 1.496, Max: 1.5}, h.quantiles()); diff != "" {
		t.Errorf("of three (-want +got):\n%s", diff)
	}
}
