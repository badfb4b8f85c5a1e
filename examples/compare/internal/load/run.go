package load

import (
	"context"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/target"
)

// Run does one run against a target. It blocks for as long as that takes, Config.Limit at most; a
// cancelled ctx ends the calls to the target, not the loops.
func Run(ctx context.Context, c Config) (r Result, err error) {
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	e, err := newEngine(c)
	if err != nil {
		return Result{}, err
	}
	defer e.close()
	client := target.NewClient(c.Addr, c.Limit)
	defer client.Close()
	m := &meter{client: client, config: c, result: &r}

	if err := e.arrive(ctx, m); err != nil || c.Mode == Connect {
		return r, err
	}
	if err := e.stall(); err != nil {
		return r, err
	}
	if c.Mode == Calls {
		return r, e.measureCalls(ctx, m)
	}
	if err := e.openPublisher(); err != nil {
		return r, err
	}
	switch c.Mode {
	case Closed:
		err = e.measureLoop(ctx, m, e.closedLoop)
	case Open:
		err = e.measureLoop(ctx, m, func(d time.Duration) (tally, error) { return e.openLoop(c.Rate, d) })
	case Hold:
		err = e.measureHold(ctx, m)
	default:
		err = fmt.Errorf("%w: mode %q", errConfig, c.Mode)
	}
	return r, err
}

// arrive connects all, and measures what that took and what is kept for it.
func (e *engine) arrive(ctx context.Context, m *meter) error {
	r, n := m.result, float64(e.config.Connections)
	if err := m.collect(ctx); err != nil {
		return err
	}
	profiled := e.config.Mode == Connect
	before, err := m.begin(ctx, profiled)
	if err != nil {
		return err
	}
	took, err := e.connect()
	if err != nil {
		return err
	}
	if err := e.serve(e.settle()); err != nil {
		return err
	}
	after, err := m.end(ctx, before, profiled)
	if err != nil {
		return err
	}
	r.Connections = e.joined
	r.ConnectSeconds = took.Seconds()
	r.ConnectCPU = after.cpu(before) / n
	r.ConnectAllocs = float64(after.Mallocs-before.Mallocs) / n
	r.ConnectP50, r.ConnectP99, _ = Quantiles(e.joinTimes)
	r.JoinBytes = e.received
	if e.config.Verify && len(e.tokens) > 0 {
		cost, err := m.client.Verify(ctx, e.tokens[0])
		if err != nil {
			return err
		}
		r.VerifierCPU, r.SignatureCPU = microseconds(cost.Verifier), microseconds(cost.Signature)
	}
	if !e.config.Memory {
		return nil
	}
	if err := m.collect(ctx); err != nil {
		return err
	}
	idle, err := m.client.Stats(ctx)
	if err != nil {
		return err
	}
	r.MemoryRSS = float64(idle.RSS-before.RSS) / n
	r.MemoryHeap = (float64(idle.HeapInUse) - float64(before.HeapInUse)) / n
	r.MemoryStack = (float64(idle.StackInUse) - float64(before.StackInUse)) / n
	r.MemoryGoroutine = float64(idle.Goroutines-before.Goroutines) / n
	return nil
}

// measureLoop warms up with a loop, and measures it.
func (e *engine) measureLoop(ctx context.Context, m *meter, loop func(time.Duration) (tally, error)) error {
	if e.config.Warm > 0 {
		if _, err := loop(e.config.Warm); err != nil {
			return err
		}
	}
	return e.measure(ctx, m, func() (tally, error) { return loop(e.config.Measure) })
}

// measureHold keeps the connections while nothing is published. One event in every room at the end
// shows that they are all there; that is not part of the usage.
func (e *engine) measureHold(ctx context.Context, m *meter) error {
	err := e.measure(ctx, m, func() (tally, error) {
		t := tally{first: now()}
		err := e.serve(e.config.Measure)
		t.last = now()
		return t, err
	})
	if err != nil {
		return err
	}
	before := e.delivered
	t, err := e.openLoop(1000, time.Duration(len(e.rooms))*time.Millisecond)
	m.result.Published, m.result.Deliveries = t.published, e.delivered-before
	m.result.Lost = t.expected - m.result.Deliveries
	m.result.Disorder, m.result.Dropped = e.disorder, e.dropped
	return err
}

// measureCalls has the server publish without requests.
func (e *engine) measureCalls(ctx context.Context, m *meter) error {
	plan := target.CallPlan{
		Room:  e.rooms[0].name,
		Count: max(int(e.config.Rate*e.config.Measure.Seconds()), 1),
		Every: time.Duration(float64(time.Second) / e.config.Rate),
		Size:  e.config.FrameBytes,
	}
	type answer struct {
		calls target.Calls
		err   error
	}
	answered := make(chan answer, 1)
	return e.measure(ctx, m, func() (tally, error) {
		t := tally{first: now(), published: int64(plan.Published())}
		t.expected = t.published * e.rooms[0].readers
		e.deliver = func(_ *connection, _, sent, at int64) {
			t.times = append(t.times, at-sent)
			t.last = at
		}
		defer func() { e.deliver = nil }()
		before := e.delivered
		go func() { // ends at the latest with the client's time limit
			calls, err := m.client.Calls(ctx, plan)
			answered <- answer{calls, err}
		}()
		for {
			select {
			case a := <-answered:
				if a.err != nil {
					return t, a.err
				}
				m.calls(a.calls)
				return t, e.await(before+t.expected, &t.last)
			default:
				if err := e.poll(10); err != nil {
					return t, err
				}
			}
		}
	})
}
