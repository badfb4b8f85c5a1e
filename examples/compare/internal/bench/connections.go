package bench

import (
	"fmt"
	"math"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/load"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// connectionScenarios measure what a connection costs that gets nothing.
func connectionScenarios(p Plan) []Scenario {
	return []Scenario{idle(p), storm(), hold(p)}
}

func idle(p Plan) Scenario {
	n := 10_000
	if p.Quick {
		n = 5000
	}
	besideOverTLS := func(of string) Aim {
		return Aim{
			Text:    "RSS per connection, times that of " + of + inVariant(overTLS),
			AtMost:  1.0,
			Reached: func(m Medians) float64 { return m.Of(peer.Ours, overTLS, memoryRSS) / m.Of(of, overTLS, memoryRSS) },
		}
	}
	return Scenario{
		ID:      "S4",
		Title:   fmt.Sprintf("%d idle connections", n),
		Caption: "Rooms of 10. Bytes per connection: the difference between before and after, each after a garbage collection that returns memory to the system. No events.",
		Variants: besideTLS(run(load.Config{
			Connections: n, Rooms: n / 10, Mode: load.Connect, Memory: true, Spin: true,
		})),
		Columns: []Column{
			{"RSS", "%.0f", memoryRSS},
			{"heap in use", "%.0f", func(s Sample) float64 { return s.MemoryHeap }},
			{"stack in use", "%.0f", func(s Sample) float64 { return s.MemoryStack }},
			{"goroutines", "%.2f", func(s Sample) float64 { return s.MemoryGoroutine }},
		},
		Aims: []Aim{{
			Text:    "RSS per connection, in bytes",
			AtMost:  7.5 * (1 << 10),
			Reached: func(m Medians) float64 { return m.Of(peer.Ours, overTCP, memoryRSS) },
		}, besideOverTLS("gws"), besideOverTLS("gorilla")},
		Steady: true,
	}
}

func storm() Scenario {
	variant := func(name string, rooms int, only []string) Variant {
		return Variant{
			Name: name,
			Load: run(load.Config{Connections: 5000, Rooms: rooms, Mode: load.Connect, Verify: true, Spin: true}),
			Only: only,
		}
	}
	rooms := []Variant{
		variant("500 rooms of 10", 500, nil),
		variant("5,000 rooms of 1", 5000, []string{peer.Ours, peer.Raw, "centrifuge"}),
		variant("500 rooms of 10 over TLS", 500, []string{peer.Ours, "gws", "gorilla"}),
	}
	rooms[2].Load.TLS = true
	beside := func(v Variant, of string) Aim {
		return Aim{
			Text:    "CPU per connection without verifying, times that of " + of + inVariant(v.Name),
			AtMost:  1.0,
			Reached: func(m Medians) float64 { return m.Of(peer.Ours, v.Name, unverified) / m.Of(of, v.Name, unverified) },
		}
	}
	aim := func(v Variant) Aim {
		return Aim{
			Text:   "CPU per connection without the signature, times the raw upgrade" + inVariant(v.Name),
			AtMost: 2.0,
			Reached: func(m Medians) float64 {
				return m.Of(peer.Ours, v.Name, unsigned) / m.Of(peer.Raw, v.Name, unsigned)
			},
		}
	}
	return Scenario{
		ID:    "S5",
		Title: "5,000 connect at once",
		Caption: "128 handshakes in flight. Ours verifies a token, joins by a message and notifies the others in the room (in rooms of 10, that is 4.5 messages per " +
			"connection). The other implementations only connect. The cost of the verifier, and of its signature check (Ed25519), is measured separately in the same process, " +
			"with warm caches. p50 and p99 are from the start of the TCP connection.",
		Variants: rooms,
		Columns: []Column{
			{"CPU µs/connection, without verifying", "%.1f", unverified},
			{"without signature", "%.1f", unsigned},
			{"with it", "%.1f", func(s Sample) float64 { return s.ConnectCPU }},
			{"signature µs", "%.1f", func(s Sample) float64 { return s.SignatureCPU }},
			{"verifier µs", "%.1f", func(s Sample) float64 { return s.VerifierCPU }},
			{"allocs/connection", "%.0f", func(s Sample) float64 { return s.ConnectAllocs }},
			{"seconds", "%.2f", func(s Sample) float64 { return s.ConnectSeconds }},
			{"p50 µs", "%.0f", func(s Sample) float64 { return s.ConnectP50 }},
			{"p99 µs", "%.0f", func(s Sample) float64 { return s.ConnectP99 }},
			foreignColumn(),
		},
		Aims: []Aim{
			aim(rooms[0]), aim(rooms[1]), beside(rooms[0], peer.CentrifugePresence), beside(rooms[1], "centrifuge"),
			beside(rooms[2], "gws"), beside(rooms[2], "gorilla"),
		},
	}
}

func hold(p Plan) Scenario {
	n := p.HoldConnections
	lost := func(s Sample) float64 { return float64(s.Lost + s.Dropped) }
	busy := func(s Sample) float64 { return s.Busy * 1e3 }
	return Scenario{
		ID:    "S9",
		Title: fmt.Sprintf("%d connections held for %v", n, p.Hold),
		Caption: "Rooms of 10. The clients only answer pings. At the end, one event in every room shows that all connections are open. " +
			"Ours pings every 25 s, gws never does.",
		Impls: []string{peer.Ours, "gws"},
		Variants: []Variant{{Load: run(load.Config{
			Connections: n, Rooms: max(n/10, 1), Mode: load.Hold, Measure: p.Hold,
		})}},
		Columns: []Column{
			{"idle CPU ms/s", "%.2f", busy},
			{"connections dropped", "%.0f", func(s Sample) float64 { return float64(s.Dropped) }},
			{"events lost at the end", "%.0f", func(s Sample) float64 { return float64(s.Lost) }},
			{"RSS MiB at start", "%.0f", func(s Sample) float64 { return float64(s.RSSBefore) / (1 << 20) }},
			{"at end", "%.0f", func(s Sample) float64 { return float64(s.RSSAfter) / (1 << 20) }},
			foreignColumn(),
		},
		Aims: []Aim{{
			Text:    "connections or events lost",
			AtMost:  0,
			Reached: func(m Medians) float64 { return m.Worst(peer.Ours, "", lost) },
		}, {
			Text:    "idle CPU in ms/s, as for 19,000 connections",
			AtMost:  15,
			Reached: func(m Medians) float64 { return m.Of(peer.Ours, "", busy) * 19_000 / float64(n) },
		}},
		Once: true,
	}
}

func rateName(rate float64) string { return fmt.Sprintf("%.0f events/s", rate) }

func inVariant(name string) string {
	if name == "" {
		return ""
	}
	return " (" + name + ")"
}

// spread is the largest of some values over the smallest.
func spread(values []float64) float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if math.IsNaN(v) {
			return v
		}
		low, high = min(low, v), max(high, v)
	}
	return high / low
}

// settleFor is how long a stalled connection is left alone before the measurement, so that its
// buffers are full.
func settleFor(p Plan) time.Duration { return p.pick(time.Second, 3*time.Second) }
