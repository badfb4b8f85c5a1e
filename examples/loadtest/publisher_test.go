package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// publishes runs a publisher in virtual time and returns what its changes have met with.
func publishes(t *testing.T, rate float64, slots int, during time.Duration, send func(ctx context.Context, c change, mutation string) error) (*tally, *ledger, error) {
	l, tally := newLedger(3), newTally()
	p := &publisher{ledger: l, tally: tally, rate: rate, slots: slots, send: send}
	err := p.publish(t.Context(), during)
	return tally, l, err
}

func TestPublisherSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var at [3][]time.Duration
		sent := make(chan change, 100)
		tally, l, err := publishes(t, 4, 10, 3*time.Second, func(_ context.Context, c change, _ string) error {
			if got := time.Since(begin); got != c.due {
				t.Errorf("a change that was due at %v was sent at %v", c.due, got)
			}
			sent <- c
			return nil
		})
		close(sent)
		for c := range sent {
			at[c.plan] = append(at[c.plan], c.due)
		}
		if err != nil || tally.totals.Sent != 12 || tally.totals.Accepted != 12 || tally.totals.NeverSent != 0 || tally.lateness.max != 0 {
			t.Errorf("publish = %v, %+v, late by %v; want 12 of 12", err, tally.totals, tally.lateness.max)
		}
		for plan := range at {
			if len(at[plan]) != 4 || at[plan][1]-at[plan][0] != 750*time.Millisecond || len(l.plans[plan].entries) != 4 {
				t.Errorf("plan %d was changed at %v, want each third of a change every 250 ms", plan, at[plan])
			}
		}
		if took := time.Since(begin); took != 2750*time.Millisecond {
			t.Errorf("it took %v, want that of the last change", took)
		}
	})
}

// TestPublisherSlowServer has each request take a second, one at a time, with ten due in each. The
// schedule goes on: what is sent late counts from when it was due, and what was never sent is said.
func TestPublisherSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var due []time.Duration
		tally, _, err := publishes(t, 10, 1, 2500*time.Millisecond, func(_ context.Context, c change, _ string) error {
			due = append(due, c.due)
			time.Sleep(time.Second)
			return nil
		})
		if err != nil || tally.totals.Sent != 3 || tally.totals.NeverSent != 22 {
			t.Errorf("publish = %v, %+v; want 3 sent, 22 never", err, tally.totals)
		}
		for i, d := range due {
			if want := time.Duration(i) * 100 * time.Millisecond; d != want {
				t.Errorf("change %d was due at %v, want %v", i, d, want)
			}
		}
		if got, want := tally.lateness.max, 1800*time.Millisecond; got != want {
			t.Errorf("the third change was late by %v, want %v", got, want)
		}
	})
}

func TestPublisherManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tally, _, err := publishes(t, 10, 100, time.Second, func(context.Context, change, string) error {
			time.Sleep(time.Minute)
			return nil
		})
		if err != nil || tally.totals.Sent != 10 || tally.totals.Accepted != 10 || tally.lateness.max != 0 {
			t.Errorf("publish = %v, %+v, late by %v; want 10 in time", err, tally.totals, tally.lateness.max)
		}
	})
}

func TestPublisherGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		tally, _, err := publishes(t, 10, 1, time.Hour, func(context.Context, change, string) error { return broken })
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "first 10") || tally.totals.Sent != hopeless || tally.totals.NeverSent > 0 {
			t.Errorf("publish = %v, %+v; want it to give up after %d", err, tally.totals, hopeless)
		}
	})
}

// TestPublisherGoesOn has most requests fail, but not all.
func TestPublisherGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		tally, l, err := publishes(t, 10, 1, 10*time.Second, func(context.Context, change, string) error {
			if n++; n == 3 {
				return nil
			}
			return errors.New("overloaded")
		})
		if err != nil || tally.totals.Sent != 100 || tally.totals.Accepted != 1 || tally.errors["publish: overloaded"] != 99 {
			t.Errorf("publish = %v, %+v, errors %v; want 1 of 100 accepted", err, tally.totals, tally.errors)
		}
		if s := l.plans[2].entries[0].state; s != accepted {
			t.Errorf("the third change is %v, want accepted", s)
		}
		if s := l.plans[0].entries[0].state; s != doubtful {
			t.Errorf("the first change is %v, want doubtful", s)
		}
	})
}
