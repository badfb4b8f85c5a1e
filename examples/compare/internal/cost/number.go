package cost

import (
	"fmt"
	"math"
	"slices"
)

// spread is the median of a figure, with its smallest and largest value if these read differently.
func spread(samples []Sample, value func(Sample) float64) string {
	var v []float64
	for _, s := range samples {
		if x := value(s); !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	if len(v) == 0 {
		return "–"
	}
	slices.Sort(v)
	n := len(v)
	text := number((v[(n-1)/2] + v[n/2]) / 2)
	low, high := number(v[0]), number(v[n-1])
	if low == high {
		return text
	}
	return fmt.Sprintf("%s (%s–%s)", text, low, high)
}

// number writes a figure with about three digits.
func number(v float64) string {
	switch a := math.Abs(v); {
	case v == math.Trunc(v) && a < 1000, a >= 100 && a < 1000:
		return fmt.Sprintf("%.0f", v)
	case a >= 1000:
		return thousands(int64(math.Round(v)))
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// thousands writes an integer with a comma before each three digits.
func thousands(v int64) string {
	if v < 0 {
		return "-" + thousands(-v)
	}
	if v < 1000 {
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%s,%03d", thousands(v/1000), v%1000)
}
