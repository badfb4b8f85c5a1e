// Compare measures this library beside others of its kind, and prints a table for each scenario.
// See README.md.
//
//	go run . -quick
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/bench"
	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

func main() {
	if ran, err := bench.Child(os.Args[1:], os.Stdout); ran {
		exit(err)
	}
	runtime.LockOSThread() // both sides of a measurement are killed when this thread ends
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func exit(err error) {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// errFailed is returned by run if the figures are not complete.
var errFailed = errors.New("compare: samples failed")

// run measures what args say, with progress on stderr and the tables on stdout. When ctx ends it
// prints what there is. If a sample has failed, it returns an error.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	allowed, err := machine.Allowed()
	if err != nil {
		return err
	}
	limit, err := machine.Descriptors()
	if err != nil {
		return err
	}
	o, err := parse(args, limit, stderr)
	if err != nil {
		return err
	}
	o.plan.CPUs = len(allowed)
	scenarios, err := o.scenariosOf(bench.Scenarios(o.plan))
	if err != nil {
		return err
	}
	runner := &bench.Runner{
		CPUs: allowed, ServerCPUs: o.serverCPUs, Impls: o.impls, Rounds: o.rounds,
		Foreign: o.foreign, Repeats: o.repeats, TokenBytes: o.tokenBytes, Profile: o.profile, Progress: stderr,
	}
	if o.profile != "" {
		if err := os.MkdirAll(o.profile, 0o755); err != nil {
			return err
		}
	}
	if o.json != "" {
		f, err := os.Create(o.json)
		if err != nil {
			return err
		}
		defer f.Close()
		runner.Raw = f
	}
	printHead(stdout, len(allowed), o)
	samples, err := runner.Run(ctx, scenarios)
	for _, s := range scenarios {
		if len(samples[s.ID]) == 0 {
			continue
		}
		if err := bench.PrintTable(stdout, s, samples[s.ID]); err != nil {
			return err
		}
	}
	if failed, all := bench.Failed(samples); failed > 0 {
		return errors.Join(err, fmt.Errorf("%w: %d of %d", errFailed, failed, all))
	}
	return err
}

// printHead prints what was measured, and on which machine.
func printHead(w io.Writer, cpus int, o options) {
	fmt.Fprintf(w, "%s, %s/%s, %d CPUs, %d for the server unless a table says otherwise; rounds: %d; %s.\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, cpus, o.serverCPUs, o.rounds, time.Now().Format(time.DateOnly))
	fmt.Fprintf(w, "An event is 400 bytes of task. Every frame carries %d bytes, the size of ours, which also has a position and a time. "+
		"\\* marks figures taken while other programs used more than %.2f cores (foreign).\n\n", bench.FrameBytes, o.foreign)
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return
	}
	var versions []string
	for _, d := range info.Deps {
		if slices.Contains(peer.Modules(), d.Path) {
			versions = append(versions, d.Path+" "+d.Version)
		}
	}
	fmt.Fprintln(w, strings.Join(versions, ", "))
}
