package node

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/event"
	"github.com/planrooms/planrooms/examples/compare/internal/load"
)

// viewers count what arrives at the viewers of a node. Its methods are safe for concurrent use.
type viewers struct {
	list  []*viewer
	timed bool

	count, sum, broken, last atomic.Int64
	doubled, astray          atomic.Int64
	grown                    chan struct{} // has a value when something has arrived since

	mu    sync.Mutex // guards times
	times []int64    // nanoseconds
}

// viewer is one viewer of a plan. The node calls receive from one goroutine at a time.
type viewer struct {
	all   *viewers
	plan  int64 // number of the plan, from 0 on
	order atomic.Uint64
	seen  numbers // the number of each event that has arrived, divided by the number of plans
}

func newViewers(v View) *viewers {
	s := &viewers{timed: v.Timed, grown: make(chan struct{}, 1)}
	for i := range v.Plans {
		s.list = append(s.list, &viewer{all: s, plan: int64(i), seen: numbers{}})
	}
	return s
}

// receive looks at a message that has arrived, and reports whether it is an event.
func (v *viewer) receive(message []byte) bool {
	m, _, ok := event.Cut(message)
	if !ok {
		return false
	}
	const prime = 1099511628211 // of the FNV hash
	v.order.Store(v.order.Load()*prime + uint64(m.Seq))
	now := time.Now().UnixNano()
	s := v.all
	if s.timed {
		s.mu.Lock()
		s.times = append(s.times, now-m.Time)
		s.mu.Unlock()
	}
	switch plans := int64(len(s.list)); {
	case m.Seq%plans != v.plan: // see publication.one
		s.astray.Add(1)
	case !v.seen.add(m.Seq / plans):
		s.doubled.Add(1)
	}
	s.sum.Add(m.Seq)
	s.last.Store(now)
	s.count.Add(1)
	s.notify()
	return true
}

// interrupt is called when the viewer will not receive an event, or none any more.
func (v *viewer) interrupt() {
	v.all.broken.Add(1)
	v.all.notify()
}

func (s *viewers) notify() {
	select {
	case s.grown <- struct{}{}:
	default:
	}
}

// await waits until count events have arrived, or nothing has arrived for a while.
func (s *viewers) await(count int64, quiet time.Duration) {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for s.count.Load() < count {
		select {
		case <-s.grown:
			timer.Reset(quiet)
		case <-timer.C:
			return
		}
	}
}

func (s *viewers) viewed() Viewed {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := Viewed{
		Count: s.count.Load(), Sum: s.sum.Load(), Doubled: s.doubled.Load(), Astray: s.astray.Load(),
		Broken: s.broken.Load(), Last: s.last.Load(), Times: timesOf(s.times),
	}
	for _, one := range s.list {
		v.Order += one.order.Load()
	}
	return v
}

func timesOf(list []int64) (t Times) {
	t.P50, t.P99, _ = load.Quantiles(list)
	return t
}
