package cost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Runner takes the samples. The goroutine that calls Run must be locked to its thread: the
// processes end with it.
type Runner struct {
	Plan     Plan
	Names    []string // of contestants
	Measures []Measure
	Rounds   int
	CPUs     []int // that the processes may use
	// A sample is disturbed if other programs used more cores than this meanwhile.
	Foreign  float64
	Repeats  int       // of a disturbed sample, at most
	Progress io.Writer // a line for each sample
	Raw      io.Writer // each sample as a line of JSON; nil for none
}

// cell is what is measured once in each round.
type cell struct {
	contestant Contestant
	measure    Measure
	plans      int
}

// cells returns those of a round, which begins with another contestant than the round before.
func (r *Runner) cells(round int) (list []cell) {
	contestants := chosen(r.Names)
	for _, m := range r.Measures {
		numbers := r.Plan.Plans
		if m == Holding {
			numbers = []int{r.Plan.HeldPlans}
		}
		for _, plans := range numbers {
			for i := range contestants {
				if c := contestants[(i+round-1)%len(contestants)]; c.measures(m) {
					list = append(list, cell{c, m, plans})
				}
			}
		}
	}
	return list
}

// Run takes the samples, round by round, so that a busy minute does not fall on one contestant
// alone. When ctx ends it returns what there is so far, and the error of ctx. A run that fails is a
// sample, too, such as one whose broker is not installed.
func (r *Runner) Run(ctx context.Context) (samples []Sample, err error) {
	begun := time.Now()
	total := r.Rounds * len(r.cells(1))
	done := 0
	for round := 1; round <= r.Rounds; round++ {
		for _, c := range r.cells(round) {
			for try := 0; try <= r.Repeats; try++ {
				s, err := r.sample(ctx, c, round)
				if err != nil {
					return samples, err
				}
				samples = append(samples, s)
				fmt.Fprintf(r.Progress, "%4.0f s  %d/%d  round %d  %s\n", time.Since(begun).Seconds(), done+1, total, round, brief(s))
				if s.Err != "" || !s.Disturbed {
					break
				}
			}
			done++
		}
	}
	return samples, nil
}

// sampleTime bounds one sample besides what it is asked to take. A sample that takes longer hangs.
const sampleTime = 3 * time.Minute

// sample takes one sample. The error is that of ctx or of writing: a run that fails is a sample.
func (r *Runner) sample(ctx context.Context, c cell, round int) (Sample, error) {
	limited, cancel := context.WithTimeout(ctx, sampleTime+r.Plan.asked())
	defer cancel()
	s, err := r.Plan.measure(limited, c.contestant, c.measure, c.plans, r.CPUs)
	if ctx.Err() != nil {
		return s, ctx.Err()
	}
	if err != nil {
		s.Err = errors.Join(err, limited.Err()).Error()
	}
	s.Contestant, s.Measure, s.Plans, s.Round = c.contestant.Name, c.measure, c.plans, round
	s.Disturbed = s.Foreign > r.Foreign
	if r.Raw != nil {
		if err := json.NewEncoder(r.Raw).Encode(s); err != nil {
			return s, fmt.Errorf("cost: %w", err)
		}
	}
	return s, nil
}

// brief is a sample in a line.
func brief(s Sample) string {
	line := fmt.Sprintf("%-22s %5d plans  ", s.Contestant, s.Plans)
	if s.Err != "" {
		return line + "failed: " + s.Err
	}
	if m := s.Memory; m != nil {
		line += fmt.Sprintf("%.0f B of heap for a plan with 1 event, %.0f B with %d", m.First.PublisherHeap, m.More.PublisherHeap, m.Events)
	}
	if s.Steady != nil && s.One != nil {
		line += fmt.Sprintf("call p50 %.1f µs, %.0f events/s, %d of %d missing", s.Steady.CallP50, s.One.PerSecond, s.One.Missing, s.One.Deliveries)
	}
	line += fmt.Sprintf(", foreign %.2f", s.Foreign)
	if s.Disturbed {
		line += " (disturbed)"
	}
	return line
}
