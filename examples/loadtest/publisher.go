package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A publisher makes changes at a steady rate, over all plans in turn. It is an open loop: when a
// change is due does not depend on how the server does, and latencies count from then, so that a
// server that stalls cannot make its own figures look better.
type publisher struct {
	ledger *ledger
	tally  *tally
	rate   float64 // changes a second
	// slots limits the changes in flight. A change that is due while the limit is reached is late.
	slots int
	send  func(ctx context.Context, c change, mutation string) error
}

// hopeless is how many requests have to fail, without one that did not, to give up: it is a wrong
// URL or token, not load.
const hopeless = 10

// publish makes changes for the given time or until ctx ends, and returns when all of them have
// been answered. An error means that it has given up.
func (p *publisher) publish(ctx context.Context, during time.Duration) error {
	begin := p.tally.now()
	inTime, end := context.WithTimeout(ctx, during)
	defer end()
	var (
		sending sync.WaitGroup
		slots   = make(chan struct{}, p.slots)
		outcome = &outcome{giveUp: end}
		n       = 0
	)
	timer := time.NewTimer(0)
	defer timer.Stop()
loop:
	for ; p.dueAfter(n) < during; n++ {
		due := begin + p.dueAfter(n)
		timer.Reset(due - p.tally.now())
		select {
		case <-timer.C:
		case <-inTime.Done():
			break loop
		}
		select {
		case slots <- struct{}{}:
		case <-inTime.Done():
		}
		if inTime.Err() != nil { // select takes either of two that are ready
			break loop
		}
		plan := n % len(p.ledger.plans)
		sending.Go(func() {
			defer func() { <-slots }()
			// Ctrl-C ends the schedule, not the requests in flight.
			outcome.note(p.one(context.WithoutCancel(ctx), p.ledger.begin(plan, due)))
		})
	}
	// If it stops early, the changes that were due until then count as to be sent.
	elapsed := min(p.tally.now()-begin, during)
	for ; p.dueAfter(n) < elapsed; n++ {
		p.tally.unsent(1)
	}
	sending.Wait()
	return outcome.verdict()
}

// dueAfter is when the change with a number is due, from the beginning.
func (p *publisher) dueAfter(n int) time.Duration {
	return time.Duration(float64(n) / p.rate * float64(time.Second))
}

// one makes one change.
func (p *publisher) one(ctx context.Context, c change) error {
	sent := p.tally.now()
	p.tally.sent(sent - c.due)
	err := p.send(ctx, c, p.ledger.mutation(c))
	p.tally.answered(p.tally.now()-sent, err == nil)
	if err != nil {
		p.tally.failed("publish", err)
		p.ledger.settle(c, doubtful)
		return err
	}
	p.ledger.settle(c, accepted)
	return nil
}

// outcome is whether requests fail. It is safe for concurrent use.
type outcome struct {
	giveUp context.CancelFunc // fixed at creation

	mu     sync.Mutex // guards the following
	good   int
	failed int
	first  error
}

func (o *outcome) note(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		o.good++
		return
	}
	o.failed++
	if o.first == nil {
		o.first = err
	}
	if o.good == 0 && o.failed == hopeless {
		o.giveUp()
	}
}

// verdict is an error if no request has succeeded.
func (o *outcome) verdict() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.good > 0 || o.failed == 0 {
		return nil
	}
	return fmt.Errorf("all of the first %d changes failed: %w", o.failed, o.first)
}
