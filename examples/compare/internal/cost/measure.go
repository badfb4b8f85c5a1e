package cost

import (
	"context"
	"errors"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/node"
)

// Plan says how much is to be measured.
type Plan struct {
	EventBytes int
	Plans      []int         // number of plans that get events, one run each
	Idle       time.Duration // without events
	Warm       time.Duration // slow sequence of events that is not measured
	Steady     time.Duration // the same, measured
	Every      time.Duration // between two of them
	Load       time.Duration // of each load with Publishers
	Publishers int           // over all nodes that publish
	HeldPlans  int           // for the memory
	HeldEvents int           // in each of these plans
}

// Full is the plan of a run whose figures may be quoted.
func Full() Plan {
	return Plan{
		EventBytes: 300, Plans: []int{1, 1000}, Idle: 4 * time.Second, Warm: time.Second, Steady: 6 * time.Second,
		Every: 2 * time.Millisecond, Load: 5 * time.Second, Publishers: 64, HeldPlans: 10_000, HeldEvents: 10,
	}
}

// Quick is the plan of a trial run.
func Quick() Plan {
	p := Full()
	p.Idle, p.Warm, p.Steady, p.Load, p.HeldPlans = time.Second, 300*time.Millisecond, time.Second, time.Second, 2000
	return p
}

// asked is how long a sample of events takes at least.
func (p Plan) asked() time.Duration { return p.Idle + p.Warm + p.Steady + 2*p.Load }

// measure takes one sample of a contestant with new processes.
func (p Plan) measure(ctx context.Context, c Contestant, m Measure, plans int, cpus []int) (s Sample, err error) {
	cl, err := start(ctx, c, cpus)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, cl.close()) }()
	before, err := cl.usage()
	if err != nil {
		return s, err
	}
	if m == Holding {
		s.Memory, err = p.hold(cl, plans)
	} else {
		err = p.loads(ctx, cl, plans, &s)
	}
	if err != nil {
		return s, err
	}
	after, err := cl.usage()
	s.Foreign = foreign(before, after)
	return s, err
}

func (p Plan) loads(ctx context.Context, cl *cluster, plans int, s *Sample) (err error) {
	if s.Idle, err = p.idle(ctx, cl); err != nil {
		return err
	}
	steady := node.Publish{Plans: plans, Publishers: 1, For: p.Steady, Every: p.Every, Size: p.EventBytes, Timed: true}
	busy := node.Publish{Plans: plans, Publishers: p.Publishers, For: p.Load, Size: p.EventBytes}
	first := cl.nodes[:1]
	warm := steady
	warm.For = p.Warm
	if _, err := load(cl, first, warm); err != nil {
		return err
	}
	if s.Steady, err = load(cl, first, steady); err != nil {
		return err
	}
	if s.One, err = load(cl, first, busy); err != nil {
		return err
	}
	if len(cl.nodes) > 1 {
		s.Three, err = load(cl, cl.nodes, busy)
	}
	return err
}

// idle waits, and returns what the processes used meanwhile.
func (p Plan) idle(ctx context.Context, cl *cluster) (*Idle, error) {
	before, err := cl.usage()
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(p.Idle):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	after, err := cl.usage()
	if err != nil {
		return nil, err
	}
	used, seconds := after.since(before), after.when.Sub(before.when).Seconds()
	var nodes time.Duration
	for _, d := range used.nodes {
		nodes += d
	}
	return &Idle{nodes.Seconds() * 1e3 / seconds / float64(len(used.nodes)), used.broker.Seconds() * 1e3 / seconds}, nil
}
