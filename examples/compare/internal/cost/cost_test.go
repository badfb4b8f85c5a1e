package cost_test

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/compare/internal/broker"
	"github.com/planrooms/planrooms/examples/compare/internal/cost"
	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/node"
)

// TestMain lets the test's own binary be each process of a cluster, as the program is.
func TestMain(m *testing.M) {
	for _, child := range []func() (bool, error){
		func() (bool, error) { return node.Child(os.Args[1:], os.Stdin, os.Stdout) },
		func() (bool, error) { return broker.Child(os.Args[1:], os.Stdin, os.Stdout) },
	} {
		if ran, err := child(); ran {
			if err != nil {
				os.Stderr.WriteString(err.Error() + "\n")
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// small is a plan whose figures mean nothing.
func small() cost.Plan {
	return cost.Plan{
		EventBytes: 300, Plans: []int{3}, Idle: 10 * time.Millisecond, Warm: 20 * time.Millisecond, Steady: 100 * time.Millisecond,
		Every: 2 * time.Millisecond, Load: 100 * time.Millisecond, Publishers: 8, HeldPlans: 200, HeldEvents: 11,
	}
}

// Each contestant is measured, and its viewers receive everything.
func TestContestants(t *testing.T) {
	cpus, err := machine.Allowed()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cost.Contestants() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath("redis-server"); err != nil && strings.Contains(c.Name, "redis") && os.Getenv("REDIS_REQUIRED") == "" {
				t.Skip("redis-server is not installed")
			}
			runtime.LockOSThread() // never unlocked: the processes end with the thread
			measures := []cost.Measure{cost.Events, cost.Holding}
			if c.Broker == broker.NATSThree {
				measures = measures[:1] // three servers take seconds to elect a leader
			}
			r := &cost.Runner{Plan: small(), Names: []string{c.Name}, Measures: measures, Rounds: 1, CPUs: cpus, Foreign: 100, Progress: t.Output()}
			samples, err := r.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range samples {
				checkSample(t, c, s)
			}
		})
	}
}

func checkSample(t *testing.T, c cost.Contestant, s cost.Sample) {
	t.Helper()
	if s.Err != "" {
		t.Errorf("%s failed: %s", s.Measure, s.Err)
		return
	}
	if s.Measure == cost.Holding {
		checkMemory(t, c, s.Memory)
		return
	}
	loads := map[string]*cost.Load{"steady": s.Steady, "one": s.One, "three": s.Three}
	if c.Broker == broker.None {
		delete(loads, "three")
	}
	for name, l := range loads {
		if l == nil || l.Events == 0 || l.PerSecond <= 0 || l.DeliveredPerSecond <= 0 || l.PublisherCPU <= 0 {
			t.Errorf("%s is %+v, want events", name, l)
		} else if c.Broker != broker.None && (l.Missing != 0 || l.BrokerCPU <= 0 || l.ViewersCPU <= 0) {
			t.Errorf("%s is %+v, want that nothing is missing, and CPU time of the broker", name, l)
		}
	}
	l := s.Steady
	if l.Missing != 0 || l.CallP50 <= 0 || l.HereP50 <= 0 || (c.Broker != broker.None) != (l.ElsewhereP50 > 0) {
		t.Errorf("steady is %+v, want all events, and their times", l)
	}
	if s.Idle == nil {
		t.Error("the idle processes were not measured")
	}
}

// The events are in the memory of each node of ours, and in that of the broker of the others. A node
// may still hold the last batch of records, which is some 2,000 bytes for each plan here. A broker
// takes memory in large pieces.
func checkMemory(t *testing.T, c cost.Contestant, m *cost.Memory) {
	t.Helper()
	events, each := func(m cost.Held) float64 { return m.PublisherHeap }, 300
	switch {
	case c.Library == node.Planrooms && c.Broker != broker.None:
		events = func(m cost.Held) float64 { return m.OtherHeap }
	case c.Broker != broker.None:
		events, each = func(m cost.Held) float64 { return m.BrokerRSS }, 0
	}
	first, more := events(m.First), events(m.More)
	if least := float64(each * (m.Events - 1)); more <= 0 || more-first < least {
		t.Errorf("a plan takes %.0f bytes with 1 event and %.0f with %d, want %.0f more at least", first, more, m.Events, least)
	}
}

func TestArrived(t *testing.T) {
	published := node.Published{Count: 3, Sum: 6, Begun: 1e9, Ended: 2e9}
	whole := node.Viewed{Count: 3, Sum: 6, Order: 7, Last: 2.5e9, Times: node.Times{P50: 1, P99: 2}}
	with := func(change func(*node.Viewed)) node.Viewed {
		v := whole
		change(&v)
		return v
	}
	for _, test := range []struct {
		name   string
		viewed []node.Viewed
		want   cost.Load
		err    error
	}{
		{"one node", []node.Viewed{whole}, cost.Load{Deliveries: 3, DeliveredPerSecond: 2, HereP50: 1, HereP99: 2}, nil},
		{
			"two nodes", []node.Viewed{whole, with(func(v *node.Viewed) { v.Times = node.Times{P50: 3, P99: 4} })},
			cost.Load{Deliveries: 6, DeliveredPerSecond: 2, HereP50: 1, HereP99: 2, ElsewhereP50: 3, ElsewhereP99: 4}, nil,
		},
		{
			"missing", []node.Viewed{with(func(v *node.Viewed) { v.Count, v.Sum, v.Order, v.Broken = 1, 1, 1, 1 }), whole},
			cost.Load{Deliveries: 6, Missing: 2, Broken: 1, DeliveredPerSecond: 2, HereP50: 1, HereP99: 2, ElsewhereP50: 1, ElsewhereP99: 2}, nil,
		},
		{name: "one twice", viewed: []node.Viewed{with(func(v *node.Viewed) { v.Count, v.Sum, v.Doubled = 4, 9, 1 })}, err: cost.ErrDoubled},
		{name: "one twice and two missing", viewed: []node.Viewed{whole, with(func(v *node.Viewed) { v.Count, v.Doubled = 2, 1 })}, err: cost.ErrDoubled},
		{name: "one of another plan", viewed: []node.Viewed{with(func(v *node.Viewed) { v.Count, v.Astray = 2, 1 })}, err: cost.ErrAstray},
		{name: "one more", viewed: []node.Viewed{with(func(v *node.Viewed) { v.Count, v.Sum = 4, 13 })}, err: cost.ErrAstray},
		{name: "another one", viewed: []node.Viewed{with(func(v *node.Viewed) { v.Sum = 7 })}, err: cost.ErrAstray},
		{name: "another order", viewed: []node.Viewed{whole, with(func(v *node.Viewed) { v.Order = 8 })}, err: cost.ErrOrder},
	} {
		got, err := cost.Arrived(published, test.viewed...)
		if !errors.Is(err, test.err) {
			t.Errorf("%s: error %v, want %v", test.name, err, test.err)
		} else if diff := cmp.Diff(test.want, *got); diff != "" && err == nil {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestNames(t *testing.T) {
	names := cost.Names()
	slices.Sort(names)
	if len(slices.Compact(names)) != len(cost.Contestants()) {
		t.Errorf("the names are %q, want different ones", names)
	}
}
