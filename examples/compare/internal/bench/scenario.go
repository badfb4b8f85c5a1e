package bench

import (
	"slices"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/load"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// Scenario is one table.
type Scenario struct {
	ID      string
	Title   string
	Caption string // what is done, and what a column means where its head does not say it

	Impls    []string // nil means all
	Variants []Variant
	Columns  []Column // the first is what ratios are taken of
	Aims     []Aim

	Once   bool // in the first round alone
	Steady bool // what is measured does not depend on who else uses the machine
}

// Variant is one way to run a scenario: a server and a run of the load generator against it.
type Variant struct {
	Name       string // "" if there is but one
	Load       load.Config
	ServerCPUs int               // 0 means what the options say
	WatchCores bool              // see target.Config
	Only       []string          // implementations; nil means those of the scenario
	Skip       map[string]string // implementations that it makes no sense for, and why
}

// Sample is what one run of a variant found.
type Sample struct {
	Scenario string `json:"scenario"`
	Variant  string `json:"variant,omitempty"`
	Impl     string `json:"impl"`
	Round    int    `json:"round"`
	// Other programs took more of the machine than allowed.
	Disturbed bool   `json:"disturbed,omitempty"`
	Err       string `json:"err,omitempty"` // the run failed; the result is not to be used
	load.Result
}

// Failed counts the samples that have failed, and all samples.
func Failed(samples map[string][]Sample) (failed, all int) {
	for _, list := range samples {
		all += len(list)
		for _, s := range list {
			if s.Err != "" {
				failed++
			}
		}
	}
	return failed, all
}

// Column is one figure of a table.
type Column struct {
	Head   string
	Format string // of package fmt, for one float64
	Value  func(Sample) float64
}

// Aim is what the library is to reach.
type Aim struct {
	Text    string
	AtMost  float64
	Reached func(Medians) float64 // NaN if something it needs was not measured
}

// Plan says how much is to be measured.
type Plan struct {
	// Half a second for each sample, not some seconds, and fewer variants.
	Quick           bool
	Hold            time.Duration // S9
	HoldConnections int           // S9
	CPUs            int           // that may be used
}

// pick returns the value for a quick run or for a full one.
func (p Plan) pick(quick, full time.Duration) time.Duration {
	if p.Quick {
		return quick
	}
	return full
}

// FrameBytes is the size of an event of ours with 400 bytes of task in it, as it arrives, without
// the frame's header. The others' tasks are longer by what ours carries besides.
const FrameBytes = 524

// largeBytes is what fills the buffers of who does not read.
const largeBytes = 16 << 10

// runLimit bounds one run besides what it is asked to take.
const runLimit = 90 * time.Second

// run completes a configuration.
func run(c load.Config) load.Config {
	if c.FrameBytes == 0 {
		c.FrameBytes = FrameBytes
	}
	c.Limit = runLimit + c.Warm + c.Measure
	return c
}

// Names of the variants of a scenario that is run without and with TLS.
const (
	overTCP = "TCP"
	overTLS = "TLS"
)

// besideTLS returns the variant over TCP, and the same over TLS for the implementations that are
// compared there.
func besideTLS(c load.Config) []Variant {
	secure := c
	secure.TLS = true
	return []Variant{
		{Name: overTCP, Load: c},
		{Name: overTLS, Load: secure, Only: []string{peer.Ours, "gws", "gorilla"}},
	}
}

// Scenarios returns all scenarios in their order.
func Scenarios(p Plan) []Scenario {
	return slices.Concat(
		deliveryScenarios(p),
		connectionScenarios(p),
		roomScenarios(p),
		callScenarios(p),
	)
}

// runs reports whether the variant is run for an implementation.
func (v Variant) runs(impl string) bool {
	return (v.Only == nil || slices.Contains(v.Only, impl)) && v.Skip[impl] == ""
}

// impls returns the implementations of a scenario among those wanted, in the order of the tables.
func (s Scenario) impls(wanted []string) (names []string) {
	for _, name := range peer.Names() {
		if slices.Contains(wanted, name) && (s.Impls == nil || slices.Contains(s.Impls, name)) {
			names = append(names, name)
		}
	}
	return names
}
