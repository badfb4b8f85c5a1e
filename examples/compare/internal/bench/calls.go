package bench

import (
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/load"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// callScenarios measure what the host's own code waits for.
func callScenarios(p Plan) []Scenario {
	config := load.Config{
		Connections: 10_000, Rooms: 1, Mode: load.Calls, Rate: 5, Measure: p.pick(2*time.Second, 40*time.Second), FrameBytes: 400,
	}
	all := Variant{Name: "all read", Load: run(config)}
	config.Stalled = 0.1
	some := Variant{
		Name: "10 % stalled",
		Load: run(config),
		Skip: map[string]string{peer.Raw: "its loop waits for the first reader that stalls"},
	}
	aim := func(what string, v Variant, atMost float64, value func(Sample) float64) Aim {
		return Aim{
			Text:    what + inVariant(v.Name),
			AtMost:  atMost,
			Reached: func(m Medians) float64 { return m.Of(peer.Ours, v.Name, value) },
		}
	}
	return []Scenario{{
		ID:    "S11",
		Title: "the call that publishes, in a room of 10,000",
		Caption: "The server makes two calls, 5 times a second, while all clients read and while 1,000 have stopped reading. The first of the two follows a pause, after which none of its data " +
			"is in the processor's caches: 10,000 writes to sockets came between. The second follows immediately. A call that the writes of the room interrupt " +
			"on the one core includes them. Allocations are counted for at most 64 further calls, with the statistics of the runtime, and their " +
			"median is given. One of ours is the caller's, which converts a json.RawMessage to any. raw writes to all clients before it returns.",
		Impls:    []string{peer.Ours, peer.Raw, "gws"},
		Variants: []Variant{all, some},
		Columns: []Column{
			{"call p50 µs", "%.1f", callP50},
			{"call p99 µs", "%.1f", callP99},
			{"call max µs", "%.0f", func(s Sample) float64 { return s.CallMax }},
			{"second: p50 µs", "%.1f", behindP50},
			{"p99 µs", "%.1f", func(s Sample) float64 { return s.BehindP99 }},
			{"allocs/call", "%.0f", callAllocs},
			{"calls", "%.0f", func(s Sample) float64 { return float64(s.CallCount) }},
			{"delivery p99 µs", "%.0f", p99},
			{"lost", "%.0f", func(s Sample) float64 { return float64(s.Lost) }},
			{"out of order", "%.0f", func(s Sample) float64 { return float64(s.Disorder) }},
			{"server cores", "%.2f", func(s Sample) float64 { return s.Busy }},
			foreignColumn(),
		},
		Aims: []Aim{
			aim("p50 of the call in µs", all, 20, callP50), aim("p50 of the call in µs", some, 20, callP50),
			aim("p50 of the second call in µs", all, 20, behindP50), aim("p50 of the second call in µs", some, 20, behindP50),
			aim("p99 of the call in µs", all, 20, callP99), aim("p99 of the call in µs", some, 20, callP99),
			aim("allocations per call", all, 2, callAllocs), aim("allocations per call", some, 2, callAllocs),
		},
	}}
}
