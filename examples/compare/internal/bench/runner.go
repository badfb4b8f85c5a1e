package bench

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/target"
)

// Runner takes the samples. The goroutine that calls Run must be locked to its thread: the children
// end with it.
type Runner struct {
	CPUs       []int    // that may be used
	ServerCPUs int      // for the variants that do not say
	Impls      []string // wanted
	Rounds     int
	// A sample is disturbed if other programs took more cores than this meanwhile.
	Foreign    float64
	Repeats    int       // of a disturbed sample, at most
	TokenBytes int       // pads shorter tokens
	Profile    string    // folder for CPU profiles of the servers; "" for none
	Progress   io.Writer // a line for each sample
	Raw        io.Writer // each sample as a line of JSON; nil for none
}

// Run takes the samples of all scenarios, round by round, so that a busy minute does not fall on
// one implementation alone, and in a round each implementation in turn, beginning with another one
// each time. When ctx ends it returns what there is so far, and the error of ctx.
func (r *Runner) Run(ctx context.Context, scenarios []Scenario) (map[string][]Sample, error) {
	samples := map[string][]Sample{}
	started := time.Now()
	total := r.count(scenarios)
	done := 0
	for round := 1; round <= r.Rounds; round++ {
		for _, s := range scenarios {
			if s.Once && round > 1 {
				continue
			}
			impls := s.impls(r.Impls)
			for i := range impls {
				impl := impls[(i+round-1)%len(impls)]
				for _, v := range s.Variants {
					if !v.runs(impl) {
						continue
					}
					taken, err := r.sample(ctx, s, v, impl, round)
					samples[s.ID] = append(samples[s.ID], taken...)
					if err != nil {
						return samples, err
					}
					done++
					last := taken[len(taken)-1]
					fmt.Fprintf(r.Progress, "%4.0f s  %d/%d  round %d  %s\n", time.Since(started).Seconds(), done, total, round, brief(s, last))
				}
			}
		}
	}
	return samples, nil
}

func (r *Runner) count(scenarios []Scenario) (n int) {
	for _, s := range scenarios {
		rounds := r.Rounds
		if s.Once {
			rounds = min(rounds, 1)
		}
		for _, impl := range s.impls(r.Impls) {
			for _, v := range s.Variants {
				if v.runs(impl) {
					n += rounds
				}
			}
		}
	}
	return n
}

// sample takes one sample, and more while it is disturbed. The error is that of ctx, or of writing:
// a run that fails is a sample as well.
func (r *Runner) sample(ctx context.Context, s Scenario, v Variant, impl string, round int) (taken []Sample, err error) {
	for try := 0; try <= r.Repeats; try++ {
		one := Sample{Scenario: s.ID, Variant: v.Name, Impl: impl, Round: round}
		if err := r.once(ctx, v, &one); err != nil {
			if ctx.Err() != nil {
				return taken, ctx.Err()
			}
			one.Err = err.Error()
		}
		one.Disturbed = !s.Steady && one.Foreign > r.Foreign
		taken = append(taken, one)
		if r.Raw != nil {
			if err := json.NewEncoder(r.Raw).Encode(one); err != nil {
				return taken, fmt.Errorf("bench: %w", err)
			}
		}
		if one.Err == "" && !one.Disturbed {
			break
		}
	}
	return taken, nil
}

// once runs both sides.
func (r *Runner) once(ctx context.Context, v Variant, into *Sample) error {
	cpus := v.ServerCPUs
	if cpus == 0 {
		cpus = r.ServerCPUs
	}
	layout, err := machine.Arrange(r.CPUs, cpus)
	if err != nil {
		return err
	}
	if limit, err := machine.Descriptors(); err != nil || limit < v.Load.Connections+spareDescriptors {
		return errors.Join(err, fmt.Errorf("%d connections need more than the %d descriptors that a process may have", v.Load.Connections, limit))
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, v.Load.Limit+10*time.Second)
	defer cancel()
	server, err := startChild(ctx, RoleServer, serverConfig{
		Config:   target.Config{Impl: into.Impl, TokenKey: public, WatchCores: v.WatchCores},
		Lifetime: v.Load.Limit + 20*time.Second,
	}, layout.Server, len(layout.Server))
	if err != nil {
		return err
	}
	defer server.kill()
	c := v.Load
	if c.Addr, c.TLSAddr, err = server.addresses(); err != nil {
		return err
	}
	c.Impl, c.TokenKey, c.TokenBytes = into.Impl, private, r.TokenBytes
	c.Spin = c.Spin && !layout.Shared
	if r.Profile != "" {
		c.Profile = filepath.Join(r.Profile, profileName(*into))
	}
	if r.Repeats > 0 {
		waitQuiet(ctx, r.Foreign)
	}
	generator, err := startChild(ctx, RoleLoad, c, layout.Load, loadThreads)
	if err != nil {
		return err
	}
	defer generator.kill()
	into.Result, err = generator.result()
	return err
}

const (
	spareDescriptors = 100 // that both sides need besides their connections
	loadThreads      = 2   // one for the loop, one for the call that publishes in the server
)

var notForFiles = regexp.MustCompile(`[^a-zA-Z0-9]+`)

// profileName is the file for the profile of a sample; a later round overwrites an earlier one's.
func profileName(s Sample) string {
	name := s.Scenario + "-" + s.Impl
	if s.Variant != "" {
		name += "-" + s.Variant
	}
	return notForFiles.ReplaceAllString(name, "-") + ".pprof"
}

// waitQuiet waits until other programs leave the machine alone, for two seconds at most.
func waitQuiet(ctx context.Context, foreign float64) {
	const look = 200 * time.Millisecond
	for range 10 {
		before, err := machine.Busy()
		if err != nil {
			return // the samples will say so
		}
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return
		}
		if after, err := machine.Busy(); err != nil || (after-before).Seconds() < foreign*look.Seconds() {
			return
		}
	}
}

// brief is one sample in a line.
func brief(s Scenario, x Sample) string {
	line := fmt.Sprintf("%-3s %-12s %-20s ", x.Scenario, x.Impl, x.Variant)
	if x.Err != "" {
		return line + "failed: " + x.Err
	}
	for _, c := range s.Columns[:min(3, len(s.Columns))] {
		line += c.Head + " " + cell(c.Format, c.Value(x)) + ", "
	}
	line += fmt.Sprintf("lost %d, out of order %d, foreign %.2f", x.Lost, x.Disorder, x.Foreign)
	if x.Disturbed {
		line += " (disturbed)"
	}
	return line
}
