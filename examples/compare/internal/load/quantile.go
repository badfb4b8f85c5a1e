package load

import (
	"math"
	"slices"
)

// Quantiles sorts times, in nanoseconds, in place, and returns their median, 99th percentile and
// maximum in microseconds. They are the times of actual deliveries: nothing is interpolated.
func Quantiles(times []int64) (p50, p99, top float64) {
	if len(times) == 0 {
		return 0, 0, 0
	}
	slices.Sort(times)
	at := func(q float64) float64 {
		i := int(math.Ceil(q*float64(len(times)))) - 1
		return float64(times[max(i, 0)]) / 1e3
	}
	return at(0.5), at(0.99), at(1)
}
