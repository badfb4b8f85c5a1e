package load

import (
	"context"
	"math"
	"runtime"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/target"
)

// meter reads what both sides and the machine have used, and fills in the result.
type meter struct {
	client *target.Client
	config Config
	result *Result
}

// reading is one look at everything.
type reading struct {
	target.Stats
	load    time.Duration // CPU time of this process
	machine time.Duration // CPU time of all
	at      time.Time
}

// cpu is the CPU time of the server since an earlier reading, in microseconds.
func (r reading) cpu(before reading) float64 { return microseconds(r.Stats.CPU - before.Stats.CPU) }

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// collect has both sides start with little garbage. Twice: what a first collection finds may still
// be held by finalizers and pools.
func (m *meter) collect(ctx context.Context) error {
	for range 2 {
		if err := m.client.Collect(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (m *meter) begin(ctx context.Context, profiled bool) (r reading, err error) {
	if profiled && m.config.Profile != "" {
		if err := m.client.StartProfile(ctx, m.config.Profile); err != nil {
			return r, err
		}
	}
	if r.Stats, err = m.client.Stats(ctx); err != nil {
		return r, err
	}
	return r, r.readSelf()
}

// end fills in the shares of the machine as well.
func (m *meter) end(ctx context.Context, before reading, profiled bool) (r reading, err error) {
	if err := r.readSelf(); err != nil {
		return r, err
	}
	if r.Stats, err = m.client.Stats(ctx); err != nil {
		return r, err
	}
	wall := r.at.Sub(before.at).Seconds()
	load := (r.load - before.load).Seconds()
	server := (r.Stats.CPU - before.Stats.CPU).Seconds()
	m.result.LoadBusy = load / wall
	m.result.Busy = server / wall
	m.result.Foreign = max(0, ((r.machine-before.machine).Seconds()-load-server)/wall)
	if profiled && m.config.Profile != "" {
		err = m.client.StopProfile(ctx)
	}
	return r, err
}

func (r *reading) readSelf() (err error) {
	r.at = time.Now()
	if r.load, err = machine.SelfCPU(); err != nil {
		return err
	}
	r.machine, err = machine.Busy()
	return err
}

// measure runs a loop, which begins and ends with nothing under way, and fills in what it found and
// used.
func (e *engine) measure(ctx context.Context, m *meter, loop func() (tally, error)) error {
	runtime.GC() // the collector of this process is off
	received, delivered, disorder, dropped := e.received, e.delivered, e.disorder, e.dropped
	before, err := m.begin(ctx, true)
	if err != nil {
		return err
	}
	t, err := loop()
	if err != nil {
		return err
	}
	after, err := m.end(ctx, before, true)
	if err != nil {
		return err
	}
	r := m.result
	r.Published = t.published
	r.Seconds = float64(t.last-t.first) / 1e9
	r.Deliveries = e.delivered - delivered
	r.Lost = t.expected - r.Deliveries
	r.Disorder = e.disorder - disorder
	r.Dropped = e.dropped - dropped
	r.P50, r.P99, r.Max = Quantiles(t.times)
	_, r.Late, _ = Quantiles(t.late)
	r.PerSecond = float64(r.Deliveries) / math.Max(r.Seconds, 1e-3)

	d := math.Max(float64(r.Deliveries), 1)
	r.FrameBytes = float64(e.received-received) / d
	r.CPU = after.cpu(before) / d
	r.Allocs = float64(after.Mallocs-before.Mallocs) / d
	r.Writes = float64(after.Writes-before.Writes) / d
	r.Collections = int64(after.Collections - before.Collections)
	r.RSSBefore, r.RSSAfter = before.RSS, after.RSS
	for core, spent := range after.Cores {
		if r.Cores == nil {
			r.Cores = map[int]float64{}
		}
		r.Cores[core] = (spent - before.Cores[core]).Seconds()
	}
	return nil
}

func (m *meter) calls(c target.Calls) {
	nanoseconds := func(durations []time.Duration) (times []int64) {
		for _, d := range durations {
			times = append(times, int64(d))
		}
		return times
	}
	m.result.CallP50, m.result.CallP99, m.result.CallMax = Quantiles(nanoseconds(c.Times))
	m.result.BehindP50, m.result.BehindP99, _ = Quantiles(nanoseconds(c.Behind))
	m.result.CallCount = len(c.Times)
	if len(c.Allocs) > 0 {
		m.result.CallAllocs = float64(c.Allocs[len(c.Allocs)/2])
	}
}
