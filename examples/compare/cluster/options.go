package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/planrooms/planrooms/examples/compare/internal/cost"
)

// options are what the command line says.
type options struct {
	plan        cost.Plan
	contestants []string
	measures    []cost.Measure
	rounds      int
	foreign     float64
	repeats     int
	json        string
	markdown    string
}

const (
	fullRounds  = 3
	fullRepeats = 2
)

var errUsage = errors.New("cluster: usage")

// parse reads the command line.
func parse(args []string, output io.Writer) (options, error) {
	o := options{rounds: fullRounds, repeats: fullRepeats}
	flags := flag.NewFlagSet("cluster", flag.ContinueOnError)
	flags.SetOutput(output)
	quick := flags.Bool("quick", false, "one short round: a trial run, with figures not to be quoted")
	contestants := flags.String("contestants", strings.Join(cost.Names(), ","), "`names` of contestants")
	measures := flags.String("measures", string(cost.Events)+","+string(cost.Holding), "`names` of measures: events is all but the memory, and holding is the memory")
	flags.IntVar(&o.rounds, "rounds", o.rounds, "samples of each cell (-quick: 1)")
	flags.Float64Var(&o.foreign, "foreign", 0.10, "repeat a sample during which other programs used more `cores` than this")
	flags.IntVar(&o.repeats, "repeats", o.repeats, "maximum number of repetitions of such a sample (-quick: 0)")
	flags.StringVar(&o.json, "json", "", "`file` for the samples, one line of JSON each")
	flags.StringVar(&o.markdown, "markdown", "", "`file` in which the report replaces the block for it, as in README.md")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	o.plan = cost.Full()
	if *quick {
		o.plan = cost.Quick()
		given := map[string]bool{}
		flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
		if !given["rounds"] {
			o.rounds = 1
		}
		if !given["repeats"] {
			o.repeats = 0
		}
	}
	o.contestants = strings.Split(*contestants, ",")
	for _, name := range o.contestants {
		if !slices.Contains(cost.Names(), name) {
			return options{}, fmt.Errorf("%w: unknown contestant %q; use %s", errUsage, name, strings.Join(cost.Names(), ", "))
		}
	}
	for name := range strings.SplitSeq(*measures, ",") {
		m := cost.Measure(name)
		if m != cost.Events && m != cost.Holding {
			return options{}, fmt.Errorf("%w: unknown measure %q; use %s, %s", errUsage, name, cost.Events, cost.Holding)
		}
		o.measures = append(o.measures, m)
	}
	switch {
	case flags.NArg() > 0:
		return options{}, fmt.Errorf("%w: unexpected argument %q", errUsage, flags.Arg(0))
	case o.rounds < 1 || o.repeats < 0 || o.foreign < 0:
		return options{}, fmt.Errorf("%w: a value is too small", errUsage)
	}
	return o, nil
}
