package bench

import (
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/load"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// deliveryScenarios measure what an event costs that all connections get.
func deliveryScenarios(p Plan) []Scenario {
	warm, measure := p.pick(200*time.Millisecond, time.Second), p.pick(500*time.Millisecond, 3*time.Second)
	closed := func(window int) []Variant {
		variants := besideTLS(run(load.Config{
			Connections: 1000, Rooms: 1, Mode: load.Closed, Window: window, Warm: warm, Measure: measure, Spin: true,
		}))
		variants[0].Skip = map[string]string{peer.CentrifugePresence: "no user joins while events are published"}
		return variants
	}
	open := func(rate float64) Variant {
		return Variant{
			Name: rateName(rate),
			Load: run(load.Config{
				Connections: 10_000, Rooms: 1000, Mode: load.Open, Rate: rate, Warm: warm, Measure: measure, Spin: true,
			}),
			Skip: map[string]string{"melody": "its filter visits all 10,000 sessions per event, which takes about 1 ms"},
		}
	}
	rates := []Variant{open(2000), open(5000)}
	if p.Quick {
		rates = rates[1:] // each rate connects 10,000 to each implementation
	}
	var aims []Aim
	for _, v := range rates {
		aims = append(aims, timesCPU(1.08, peer.Raw, v.Name), timesCPU(1.00, "gobwas", v.Name))
	}
	aims = append(aims, observed(rates[len(rates)-1].Name)...)
	return []Scenario{
		{
			ID:       "S1",
			Title:    "one room of 1,000, one event in flight",
			Caption:  "Closed loop: the next event is published when the last has reached all clients, so nothing ever waits. p50 and p99 are the time until it has.",
			Variants: closed(1),
			Columns:  deliveryColumns(),
			Aims:     append(observed(overTCP), timesCPU(1.10, peer.Raw, overTCP), overTLSBeside("gws"), overTLSBeside("gorilla")),
		},
		{
			ID:    "S2",
			Title: "one room of 1,000, 16 events in flight",
			Caption: "Closed loop with 16 events in flight: combining waiting events into fewer writes pays off. p50 and p99 are the time until an " +
				"event has reached all clients.",
			Variants: closed(16),
			Columns:  deliveryColumns(),
			Aims: append(observed(overTCP), timesCPU(0.35, "centrifuge", overTCP), timesCPU(0.15, peer.Raw, overTCP),
				overTLSBeside("gws"), overTLSBeside("gorilla")),
		},
		{
			ID:    "S3",
			Title: "1,000 rooms of 10",
			Caption: "Open loop: events are due at a fixed rate, over all rooms in turn. p50 and p99 are the time from then until one delivery. The cost of " +
				"receiving an event to publish is in all figures; 10 deliveries share it.",
			Variants: rates,
			Columns:  deliveryColumns(),
			Aims:     aims,
		},
	}
}

// timesCPU is the aim to take at most so many times the CPU per delivery of another implementation.
func timesCPU(times float64, of, variant string) Aim {
	return Aim{
		Text:   "CPU per delivery, times that of " + of + inVariant(variant),
		AtMost: times,
		Reached: func(m Medians) float64 {
			return m.Of(peer.Ours, variant, cpu) / m.Of(of, variant, cpu)
		},
	}
}

// overTLSBeside is the aim to take no more CPU per delivery over TLS than another implementation.
func overTLSBeside(of string) Aim { return timesCPU(1.00, of, overTLS) }

// observed is the aim to take at most 3 % more CPU per delivery with metrics than without.
func observed(variant string) (aims []Aim) {
	for _, with := range []string{peer.Metrics, peer.OTel} {
		aims = append(aims, Aim{
			Text:    "CPU per delivery of " + with + ", times that of " + peer.Ours + inVariant(variant),
			AtMost:  1.03,
			Reached: func(m Medians) float64 { return m.Of(with, variant, cpu) / m.Of(peer.Ours, variant, cpu) },
		})
	}
	return aims
}
