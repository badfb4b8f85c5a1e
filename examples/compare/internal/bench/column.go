package bench

import (
	"maps"
	"math"
	"slices"
)

func cpu(s Sample) float64        { return s.CPU }
func p50(s Sample) float64        { return s.P50 }
func p99(s Sample) float64        { return s.P99 }
func callP50(s Sample) float64    { return s.CallP50 }
func callP99(s Sample) float64    { return s.CallP99 }
func behindP50(s Sample) float64  { return s.BehindP50 }
func callAllocs(s Sample) float64 { return s.CallAllocs }
func joinBytes(s Sample) float64  { return float64(s.JoinBytes) }
func memoryRSS(s Sample) float64  { return s.MemoryRSS }

// unverified is the CPU time of connecting without that of verifying the token. The others verify
// none.
func unverified(s Sample) float64 { return s.ConnectCPU - s.VerifierCPU }

// unsigned is the CPU time of connecting without that of checking the token's signature.
func unsigned(s Sample) float64 { return s.ConnectCPU - s.SignatureCPU }

// missing is how much of what had to arrive in order did not.
func missing(s Sample) float64 { return float64(s.Lost + s.Disorder) }

// core is the share of a core's time that the server used, in ms per second, by the core's place in
// their order.
func core(place int) func(Sample) float64 {
	return func(s Sample) float64 {
		cores := slices.Sorted(maps.Keys(s.Cores))
		if place >= len(cores) || s.Seconds == 0 {
			return math.NaN()
		}
		return s.Cores[cores[place]] / s.Seconds * 1e3
	}
}

// deliveryColumns are those of every scenario that delivers.
func deliveryColumns() []Column {
	return []Column{
		{"CPU µs/delivery", "%.2f", cpu},
		{"p50 µs", "%.0f", p50},
		{"p99 µs", "%.0f", p99},
		{"deliveries/s", "%.0f", func(s Sample) float64 { return s.PerSecond }},
		{"allocs/delivery", "%.3f", func(s Sample) float64 { return s.Allocs }},
		{"writes/delivery", "%.2f", func(s Sample) float64 { return s.Writes }},
		{"B/delivery", "%.0f", func(s Sample) float64 { return s.FrameBytes }},
		{"lost", "%.0f", func(s Sample) float64 { return float64(s.Lost) }},
		{"out of order", "%.0f", func(s Sample) float64 { return float64(s.Disorder) }},
		{"server cores", "%.2f", func(s Sample) float64 { return s.Busy }},
		foreignColumn(),
	}
}

func foreignColumn() Column {
	return Column{"foreign", "%.2f", func(s Sample) float64 { return s.Foreign }}
}
