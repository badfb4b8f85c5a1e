package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

// A crowd is all connections of one run.
type crowd struct {
	settings *settings
	target   *target
	ledger   *ledger
	tally    *tally
	viewers  []*viewer
	stalled  []*stalled

	following sync.WaitGroup
}

const (
	dialsAtOnce = 64
	// lookEvery is the time between two checks whether all changes have arrived.
	lookEvery = 20 * time.Millisecond
)

// load makes one run. It returns a report as soon as there was a connection, with an error if the
// run had to be given up.
func load(ctx context.Context, s *settings, progress io.Writer) (_ *report, err error) {
	if err := enoughDescriptors(s); err != nil {
		return nil, err
	}
	var t *target
	if s.endpoint == nil {
		t, err = newOwnTarget(s)
	} else {
		t, err = newTarget(ctx, s)
	}
	if err != nil {
		return nil, explain(err, s, nil)
	}
	defer func() { err = errors.Join(err, t.close()) }()

	c := &crowd{settings: s, target: t, ledger: newLedger(len(t.plans)), tally: newTally()}
	// Ctrl-C ends the load, not the connections, which still receive the events in flight.
	following, leave := context.WithCancel(context.WithoutCancel(ctx))
	arriving := newMetronome(c.tally, progress)
	defer arriving.stop()
	defer c.cutStalled()
	defer c.following.Wait()
	defer leave()

	began := c.tally.now()
	if err := c.arrive(ctx, following); err != nil && ctx.Err() == nil {
		return nil, explain(err, s, t)
	}
	arriving.stop()
	r := newReport(s, t)
	r.Connected = (c.tally.now() - began).Seconds()
	r.Began = c.tally.now().Seconds()

	// A new one, so that the first second begins with the changes.
	metronome := newMetronome(c.tally, progress)
	defer metronome.stop()

	p := &publisher{ledger: c.ledger, tally: c.tally, rate: s.rate, slots: s.inflight, send: t.publish}
	var storm sync.WaitGroup
	storming, calm := context.WithCancel(ctx)
	defer calm()
	if s.cut > 0 {
		storm.Go(func() { r.Storm = c.storm(storming, s.cut) })
	}
	failed := p.publish(ctx, s.during)
	r.Published = c.tally.now().Seconds() - r.Began
	if failed == nil {
		c.settle(s.drain)
	}
	calm()
	storm.Wait()
	c.inspect(r)
	metronome.stop()
	r.Seconds = metronome.seconds
	leave()
	c.following.Wait()
	c.dismiss(r)
	c.tally.fill(r)
	if failed != nil {
		return r, explain(failed, s, t)
	}
	if err := r.unmatched(); err != nil {
		r.Faults.Missing = 0 // it cannot be known
		return r, err
	}
	return r, nil
}

// arrive connects all, and returns when all have joined or one of them could not.
func (c *crowd) arrive(ctx, following context.Context) error {
	s := c.settings
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	var (
		dialling sync.WaitGroup
		slots    = make(chan struct{}, dialsAtOnce)
		mu       sync.Mutex // guards c.stalled
		begin    = c.tally.now()
		busy     = c.busyPlans()
	)
	for i := range s.conns {
		if err := waitUntil(ctx, c.tally, begin+s.ramp*time.Duration(i)/time.Duration(s.conns)); err != nil {
			break
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		dialling.Add(1)
		arrived := func(err error) {
			if err != nil {
				giveUp(fmt.Errorf("connection %d of %d: %w", i+1, s.conns, err))
			}
			<-slots
			dialling.Done()
		}
		if live := s.conns - s.stalled; i < live {
			v := &viewer{
				number: i, client: c.ledger.mark + "-" + strconv.Itoa(i), plan: i % len(c.target.plans), beside: i%len(c.target.plans) < busy,
				target: c.target, ledger: c.ledger, tally: c.tally, backoff: s.backoff,
			}
			c.viewers = append(c.viewers, v)
			c.following.Go(func() { v.follow(following, arrived) })
		} else {
			go func() { // arrive waits for it
				q, err := stall(ctx, c.target, i, (i-live)%busy, c.ledger.mark+stalledID+strconv.Itoa(i))
				if err == nil {
					mu.Lock()
					c.stalled = append(c.stalled, q)
					mu.Unlock()
				}
				arrived(err)
			}()
		}
	}
	dialling.Wait()
	return context.Cause(ctx)
}

// busyPlans is in how many of the plans, the first ones, stalled readers are: half of them, so that
// the others can be compared.
func (c *crowd) busyPlans() int {
	return min(c.settings.stalled, max(1, len(c.target.plans)/2))
}

func waitUntil(ctx context.Context, t *tally, at time.Duration) error {
	wait := at - t.now()
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle waits until all have received everything, or patience is over.
func (c *crowd) settle(patience time.Duration) {
	enough := time.NewTimer(patience)
	defer enough.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for !c.complete() {
		select {
		case <-look.C:
		case <-enough.C:
			return
		}
	}
}

func (c *crowd) complete() bool {
	for _, v := range c.viewers {
		if s := v.standing(); !s.over && (s.missing > 0 || s.away) {
			return false
		}
	}
	return true
}

// inspect counts the changes that live connections did not receive.
func (c *crowd) inspect(r *report) {
	suspects := make(map[*viewer]int) // and how many pongs they had
	for _, v := range c.viewers {
		switch s := v.standing(); {
		case s.over:
			r.Ended++
		case s.away:
			r.Away++
		case s.missing > 0:
			suspects[v] = s.pongs
			go v.ping() // ends with the connection at the latest
		}
	}
	enough := time.NewTimer(c.settings.patience)
	defer enough.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for over := false; len(suspects) > 0 && !over; {
		for v, pongs := range suspects {
			if s := v.standing(); s.pongs > pongs {
				c.tally.missing(s.missing)
				delete(suspects, v)
			}
		}
		select {
		case <-look.C:
		case <-enough.C:
			over = true
		}
	}
	r.Dead = len(suspects)
}

// cutStalled closes the stalled readers whose end was not waited for.
func (c *crowd) cutStalled() {
	for _, q := range c.stalled {
		q.socket.cut()
	}
}

// dismiss finds out how the stalled readers have ended.
func (c *crowd) dismiss(r *report) {
	if c.settings.stalled == 0 {
		return
	}
	r.Stalled = &stalledReport{Count: len(c.stalled), Endings: counts{}}
	if c.target.own != nil {
		r.Stalled.ServerClosed = c.target.own.stalledCloses()
	}
	for i, plan := range c.target.plans {
		if i < c.busyPlans() {
			r.Stalled.Plans = append(r.Stalled.Plans, plan)
		}
	}
	var mu sync.Mutex // guards the endings
	var reading sync.WaitGroup
	for _, q := range c.stalled {
		reading.Go(func() {
			end := q.ending(c.settings.patience)
			mu.Lock()
			defer mu.Unlock()
			r.Stalled.Endings.add(end)
		})
	}
	reading.Wait()
}
