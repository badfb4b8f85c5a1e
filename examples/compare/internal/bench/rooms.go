package bench

import (
	"fmt"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/load"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// roomScenarios measure what becomes of a room that is large, has readers that stall, or fills.
func roomScenarios(p Plan) []Scenario {
	return []Scenario{large(p), stalled(p), growth(p), presence(p)}
}

func large(p Plan) Scenario {
	variant := func(name string, cpus int) Variant {
		v := Variant{
			Name: name,
			Load: run(load.Config{
				Connections: 10_000, Rooms: 1, Mode: load.Open, Rate: 5,
				Warm: p.pick(400*time.Millisecond, 2*time.Second), Measure: p.pick(time.Second, 10*time.Second), Spin: true,
			}),
			ServerCPUs: cpus,
			WatchCores: true,
		}
		if cpus > p.CPUs {
			v.Skip = map[string]string{}
			for _, name := range peer.Names() {
				v.Skip[name] = "this machine has fewer CPUs"
			}
		}
		return v
	}
	variants := []Variant{variant("one core", 1), variant("two cores", 2)}
	aim := func(v Variant) Aim {
		return Aim{
			Text:    "p99 in µs" + inVariant(v.Name),
			AtMost:  250_000,
			Reached: func(m Medians) float64 { return m.Of(peer.Ours, v.Name, p99) },
		}
	}
	return Scenario{
		ID:    "S6",
		Title: "one room of 10,000, 5 events/s",
		Caption: "p50 and p99 are the time from when an event is due until one delivery. The time per core is estimated from samples of the server's threads every 40 ms. " +
			"On a machine with two CPUs, the load generator shares the second with the server of two cores, so that latency includes both sides.",
		Impls:    []string{peer.Ours, peer.Raw, "gws"},
		Variants: variants,
		Columns: append(deliveryColumns(),
			Column{"first core ms/s", "%.0f", core(0)},
			Column{"second core ms/s", "%.0f", core(1)}),
		Aims: []Aim{aim(variants[0]), aim(variants[1])},
	}
}

func stalled(p Plan) Scenario {
	var variants []Variant
	var aims []Aim
	for _, size := range []struct {
		name  string
		bytes int
		rate  float64
	}{
		{"400 B", FrameBytes, 100},
		{"16 KiB", largeBytes, 20},
	} {
		config := load.Config{
			Connections: 1000, Rooms: 1, Mode: load.Open, Rate: size.rate, FrameBytes: size.bytes,
			Warm: settleFor(p), Measure: p.pick(600*time.Millisecond, 5*time.Second), Spin: true,
		}
		all := Variant{Name: size.name + ", all read", Load: run(config)}
		config.Stalled = 0.1
		some := Variant{Name: size.name + ", 10 % stalled", Load: run(config)}
		if p.Quick && size.bytes != FrameBytes {
			all.Only = []string{peer.Ours}
			some.Only = all.Only
		}
		variants = append(variants, all, some)
		aim := func(what string, value func(Sample) float64) Aim {
			return Aim{
				Text:   what + ", times that without stalled readers (" + size.name + ")",
				AtMost: 1.2,
				Reached: func(m Medians) float64 {
					return m.Of(peer.Ours, some.Name, value) / m.Of(peer.Ours, all.Name, value)
				},
			}
		}
		aims = append(aims, aim("CPU per delivery", cpu), aim("p50", p50))
	}
	return Scenario{
		ID:    "S7",
		Title: "one room of 1,000, of which 100 stop reading",
		Caption: "Open loop, 100 events/s of 400 bytes and 20 of 16 KiB. The stalled readers have the smallest receive buffers that the system allows, and stop before the warm-up, so that the " +
			"kernel's buffers for them are soon full. Deliveries, latency and losses are those of the other 900.",
		Impls:    []string{peer.Ours, "gws"},
		Variants: variants,
		Columns: append(deliveryColumns(),
			Column{"RSS MiB at start", "%.1f", func(s Sample) float64 { return float64(s.RSSBefore) / (1 << 20) }},
			Column{"at end", "%.1f", func(s Sample) float64 { return float64(s.RSSAfter) / (1 << 20) }}),
		Aims: aims,
	}
}

func growth(p Plan) Scenario {
	const connections, perSecond = 10_000, 50_000
	var variants []Variant
	for _, size := range []int{10, 100, 1000, 10_000} {
		variants = append(variants, Variant{
			Name: fmt.Sprintf("rooms of %d", size),
			Load: run(load.Config{
				Connections: connections, Rooms: connections / size, Mode: load.Open, Rate: perSecond / float64(size),
				Warm: p.pick(400*time.Millisecond, time.Second), Measure: p.pick(700*time.Millisecond, 5*time.Second), Spin: true,
			}),
		})
	}
	if p.Quick {
		variants = []Variant{variants[0], variants[len(variants)-1]}
	}
	flat := func(impl string) func(Medians) float64 {
		return func(m Medians) float64 {
			var values []float64
			for _, v := range variants {
				values = append(values, m.Of(impl, v.Name, cpu))
			}
			return spread(values)
		}
	}
	return Scenario{
		ID:    "S8",
		Title: "growth of a room",
		Caption: "Always 10,000 connections and 50,000 deliveries per second, in 1,000 rooms of 10 to one of 10,000. All deliveries of an event share its fixed cost, " +
			"which includes receiving it to publish. raw has that cost, too.",
		Impls:    []string{peer.Ours, peer.Raw},
		Variants: variants,
		Columns:  deliveryColumns(),
		Aims:     []Aim{{Text: "CPU per delivery, largest over smallest", AtMost: 1.3, Reached: flat(peer.Ours)}},
	}
}

func presence(p Plan) Scenario {
	variant := func(people int, within time.Duration) Variant {
		return Variant{
			Name: fmt.Sprintf("%d people", people),
			Load: run(load.Config{Connections: people, Rooms: 1, Mode: load.Connect, JoinWithin: within, Spin: true}),
		}
	}
	few, many, crowd := variant(250, time.Second), variant(1000, time.Second), variant(10_000, 0)
	variants := []Variant{few, variant(500, time.Second), many, crowd}
	if p.Quick {
		variants = []Variant{few, many, crowd}
	}
	connectCPU := func(s Sample) float64 { return s.ConnectCPU }
	ratio := func(a, b Variant, value func(Sample) float64) func(Medians) float64 {
		return func(m Medians) float64 { return m.Of(peer.Ours, a.Name, value) / m.Of(peer.Ours, b.Name, value) }
	}
	return Scenario{
		ID:    "S10",
		Title: "many people join one room",
		Caption: "All bytes that the server sent over WebSocket until 1.5 s after the last join: the greeting, the answer to the join with the list of participants, and the notices " +
			"to the others. Up to 100 people, each receives a notice about each; above that, each receives counts, at most one per second. 10,000 join as " +
			"fast as the server accepts them, and receive a count for each second of that time.",
		Impls:    []string{peer.Ours},
		Variants: variants,
		Columns: []Column{
			{"KiB sent", "%.0f", func(s Sample) float64 { return joinBytes(s) / (1 << 10) }},
			{"bytes per joiner", "%.0f", func(s Sample) float64 { return joinBytes(s) / float64(s.Connections) }},
			{"CPU µs/connection", "%.0f", connectCPU},
			{"seconds", "%.2f", func(s Sample) float64 { return s.ConnectSeconds }},
			{"p50 µs", "%.0f", func(s Sample) float64 { return s.ConnectP50 }},
			{"p99 µs", "%.0f", func(s Sample) float64 { return s.ConnectP99 }},
		},
		Aims: []Aim{
			{Text: "bytes sent to 1,000 people, times those to 250 (linear: 4, quadratic: 16)", AtMost: 5, Reached: ratio(many, few, joinBytes)},
			{Text: "CPU for each of 10,000, times that for each of 1,000", AtMost: 1.5, Reached: ratio(crowd, many, connectCPU)},
		},
		Steady: true,
	}
}
