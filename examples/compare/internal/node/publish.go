package node

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/event"
)

// numbersPerNode is more than the events that a node publishes. The numbers of a node begin with
// its own number times this.
const numbersPerNode = 1_000_000_000

// publisher publishes for a node.
type publisher struct {
	publish func(plan string, task []byte) (seq uint64, err error)
	last    atomic.Int64 // number of the last event
}

// planNames returns the names of the first plans.
func planNames(n int) (names []string) {
	for i := range n {
		names = append(names, "plan-"+strconv.Itoa(i))
	}
	return names
}

// publication is one run of a publisher.
type publication struct {
	Publish
	*publisher
	plans  []string
	begun  time.Time
	end    int64 // number of the last event that may be published
	failed atomic.Bool

	mu     sync.Mutex // guards the following
	result Published
	times  []int64 // nanoseconds
	err    error
}

// run publishes what p says. It ends at the first error.
func (u *publisher) run(p Publish) (Published, error) {
	run := &publication{Publish: p, publisher: u, plans: planNames(p.Plans), begun: time.Now()}
	if run.end = u.last.Load() + p.Events; p.Events == 0 {
		run.end = (u.last.Load()/numbersPerNode + 1) * numbersPerNode
	}
	var group sync.WaitGroup
	for range p.Publishers {
		group.Go(run.loop)
	}
	group.Wait()
	run.result.Begun, run.result.Ended = run.begun.UnixNano(), time.Now().UnixNano()
	run.result.Calls = timesOf(run.times)
	return run.result, run.err
}

// loop publishes one event after the other, as one publisher.
func (p *publication) loop() {
	var mine Published
	var times []int64
	for due := p.begun; !p.failed.Load() && (p.For == 0 || time.Since(p.begun) < p.For); {
		number := p.last.Add(1)
		if number > p.end {
			break // the number is not used
		}
		seq, took, err := p.one(number)
		if err != nil {
			p.fail(err)
			break
		}
		mine.Count++
		mine.Sum += number
		mine.Seq = max(mine.Seq, seq)
		if p.Timed {
			times = append(times, int64(took))
		}
		if p.Every > 0 {
			now := time.Now()
			due = due.Add(p.Every)
			if due.Before(now) {
				due = now // the events that a slow call has delayed are not published in a burst
			}
			time.Sleep(due.Sub(now))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.result.Count += mine.Count
	p.result.Sum += mine.Sum
	p.result.Seq = max(p.result.Seq, mine.Seq)
	p.times = append(p.times, times...)
}

// one publishes an event, and measures the call.
func (p *publication) one(number int64) (seq uint64, took time.Duration, err error) {
	mark := event.Mark{Seq: number, Time: time.Now().UnixNano(), Size: p.Size}
	task := event.Append(make([]byte, 0, p.Size), mark)
	called := time.Now()
	seq, err = p.publish(p.plans[number%int64(len(p.plans))], task) // viewers check this plan
	return seq, time.Since(called), err
}

func (p *publication) fail(err error) {
	p.failed.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = fmt.Errorf("node: publish: %w", err)
	}
}
