package bench

import (
	"math"
	"slices"
)

// Medians are the samples of one scenario, and the figures taken of them.
type Medians struct{ samples []Sample }

// used returns the samples that count: those that did not fail and were not disturbed, or where
// there are none, those that did not fail. disturbed reports the latter.
func (m Medians) used(impl, variant string) (samples []Sample, disturbed bool) {
	var quiet []Sample
	for _, s := range m.samples {
		if s.Impl != impl || s.Variant != variant || s.Err != "" {
			continue
		}
		samples = append(samples, s)
		if !s.Disturbed {
			quiet = append(quiet, s)
		}
	}
	if len(quiet) > 0 {
		return quiet, false
	}
	return samples, len(samples) > 0
}

// Of returns the median of a figure, or NaN if it was not measured.
func (m Medians) Of(impl, variant string, value func(Sample) float64) float64 {
	used, _ := m.used(impl, variant)
	return median(values(used, value))
}

// Worst returns the largest of a figure over all samples that did not fail, disturbed or not, or
// NaN.
func (m Medians) Worst(impl, variant string, value func(Sample) float64) float64 {
	var all []Sample
	for _, s := range m.samples {
		if s.Impl == impl && s.Variant == variant && s.Err == "" {
			all = append(all, s)
		}
	}
	if v := values(all, value); len(v) > 0 {
		return slices.Max(v)
	}
	return math.NaN()
}

func values(samples []Sample, value func(Sample) float64) (v []float64) {
	for _, s := range samples {
		if x := value(s); !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	return v
}

// median of an even number of values is the mean of the two in the middle.
func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}
