package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/examples/compare/internal/bench"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// options are what the command line says.
type options struct {
	plan       bench.Plan
	scenarios  []string // nil means all
	impls      []string
	rounds     int
	serverCPUs int
	foreign    float64
	repeats    int
	tokenBytes int
	profile    string
	json       string
}

const (
	fullRounds      = 3
	fullRepeats     = 2
	fullHold        = 10 * time.Minute
	holdConnections = 19_000
	quickHold       = 5 * time.Second
	quickHolds      = 5000 // connections
	holdSpare       = 500  // descriptors that are left when the limit allows fewer
)

var errUsage = errors.New("compare: usage")

// parse reads the command line. descriptors is how many files a process may have open.
func parse(args []string, descriptors int, output io.Writer) (options, error) {
	o := options{rounds: fullRounds, repeats: fullRepeats, plan: bench.Plan{Hold: fullHold, HoldConnections: min(holdConnections, descriptors-holdSpare)}}
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.BoolVar(&o.plan.Quick, "quick", false, "one short round of everything, about three minutes: a trial run, with figures not to be quoted")
	scenarios := flags.String("scenarios", "", "`IDs` of scenarios, as in S1,S2; all if empty")
	impls := flags.String("impls", strings.Join(peer.Default(), ","), "`names` of implementations; a scenario may have only some of them")
	flags.IntVar(&o.rounds, "rounds", o.rounds, "samples of each cell (-quick: 1)")
	flags.IntVar(&o.serverCPUs, "server-cpus", 1, "CPUs of the server, and its GOMAXPROCS; S6 always runs with one and two")
	flags.Float64Var(&o.foreign, "foreign", 0.10, "repeat a sample during which other programs used more `cores` than this")
	flags.IntVar(&o.repeats, "repeats", o.repeats, "maximum number of repetitions of such a sample (-quick: 0)")
	flags.DurationVar(&o.plan.Hold, "hold", o.plan.Hold, "time for which S9 holds its connections (-quick: 5s)")
	flags.IntVar(&o.plan.HoldConnections, "hold-connections", o.plan.HoldConnections, "number of connections of S9 (-quick: 5000)")
	flags.IntVar(&o.tokenBytes, "token-bytes", 0, "pad shorter tokens to about this number of `bytes`")
	flags.StringVar(&o.profile, "profile", "", "`folder` for CPU profiles of the servers")
	flags.StringVar(&o.json, "json", "", "`file` for the samples, one line of JSON each")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if o.plan.Quick {
		given := map[string]bool{}
		flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
		if !given["rounds"] {
			o.rounds = 1
		}
		if !given["repeats"] {
			o.repeats = 0
		}
		if !given["hold"] {
			o.plan.Hold = quickHold
		}
		if !given["hold-connections"] {
			o.plan.HoldConnections = min(o.plan.HoldConnections, quickHolds)
		}
	}
	if *scenarios != "" {
		o.scenarios = strings.Split(*scenarios, ",")
	}
	o.impls = strings.Split(*impls, ",")
	for _, name := range o.impls {
		if !slices.Contains(peer.Names(), name) {
			return options{}, fmt.Errorf("%w: unknown implementation %q; use %s", errUsage, name, strings.Join(peer.Names(), ", "))
		}
	}
	switch {
	case flags.NArg() > 0:
		return options{}, fmt.Errorf("%w: unexpected argument %q", errUsage, flags.Arg(0))
	case o.tokenBytes < 0 || o.tokenBytes > auth.MaxTokenBytes:
		return options{}, fmt.Errorf("%w: a token has at most %d bytes", errUsage, auth.MaxTokenBytes)
	case o.rounds < 1 || o.repeats < 0 || o.serverCPUs < 1 || o.plan.Hold <= 0 || o.plan.HoldConnections < 1:
		return options{}, fmt.Errorf("%w: a value is too small", errUsage)
	}
	if o.profile != "" {
		path, err := filepath.Abs(o.profile)
		if err != nil {
			return options{}, err
		}
		o.profile = path
	}
	return o, nil
}

// scenariosOf returns the wanted ones of all, in the order of all.
func (o options) scenariosOf(all []bench.Scenario) (wanted []bench.Scenario, err error) {
	if o.scenarios == nil {
		return all, nil
	}
	for _, id := range o.scenarios {
		if !slices.ContainsFunc(all, func(s bench.Scenario) bool { return s.ID == id }) {
			return nil, fmt.Errorf("%w: unknown scenario %q", errUsage, id)
		}
	}
	for _, s := range all {
		if slices.Contains(o.scenarios, s.ID) {
			wanted = append(wanted, s)
		}
	}
	return wanted, nil
}
