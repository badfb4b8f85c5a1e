// Cluster measures what it costs to serve plans from several processes, beside another library that
// can do so. See README.md.
//
//	go run ./cluster -quick
package main

import (
	"bytes"
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

	"github.com/planrooms/planrooms/examples/compare/internal/broker"
	"github.com/planrooms/planrooms/examples/compare/internal/cost"
	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/node"
)

func main() {
	if ran, err := child(os.Args[1:]); ran {
		exit(err)
	}
	runtime.LockOSThread() // the child processes are killed when this thread ends
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// child runs this process as a node or as a broker, if args say so.
func child(args []string) (bool, error) {
	if ran, err := node.Child(args, os.Stdin, os.Stdout); ran {
		return true, err
	}
	return broker.Child(args, os.Stdin, os.Stdout)
}

func exit(err error) {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// errFailed is returned by run if the figures are not complete.
var errFailed = errors.New("cluster: samples failed")

// run measures what args say, with progress on stderr and the tables on stdout. When ctx ends it
// prints what there is. If a sample has failed, it returns an error, and replaces no figures in a
// file.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.markdown != "" { // not only when all is measured
		if _, _, err := aroundBlock(o.markdown); err != nil {
			return err
		}
	}
	cpus, err := machine.Allowed()
	if err != nil {
		return err
	}
	r := &cost.Runner{
		Plan: o.plan, Names: o.contestants, Measures: o.measures, Rounds: o.rounds, CPUs: cpus,
		Foreign: o.foreign, Repeats: o.repeats, Progress: stderr,
	}
	if o.json != "" {
		f, err := os.Create(o.json)
		if err != nil {
			return err
		}
		defer f.Close()
		r.Raw = f
	}
	samples, ended := r.Run(ctx)
	if len(samples) == 0 {
		return ended
	}
	var report bytes.Buffer
	printHead(&report, len(cpus), o)
	cost.Print(&report, o.plan, samples)
	if _, err := stdout.Write(report.Bytes()); err != nil {
		return err
	}
	if failed := cost.Failed(samples); failed > 0 {
		return errors.Join(ended, fmt.Errorf("%w: %d of %d", errFailed, failed, len(samples)))
	}
	if ended == nil && o.markdown != "" {
		return replaceBlock(o.markdown, report.Bytes())
	}
	return ended
}

// printHead prints what was measured, and on which machine.
func printHead(w io.Writer, cpus int, o options) {
	fmt.Fprintf(w, "%s, %s/%s, %d CPUs for all processes; rounds: %d; %s. An event has %d bytes of task.\n", runtime.Version(),
		runtime.GOOS, runtime.GOARCH, cpus, o.rounds, time.Now().Format(time.DateOnly), o.plan.EventBytes)
	versions := []string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if slices.Contains(modules(), d.Path) {
				versions = append(versions, d.Path+" "+d.Version)
			}
		}
	}
	if redis := broker.RedisVersion(); redis != "" {
		versions = append(versions, redis)
	}
	fmt.Fprintf(w, "%s.\n", strings.Join(versions, ", "))
	fmt.Fprintf(w, "\\* marks figures taken while other programs used more than %.2f cores.\n\n", o.foreign)
}

// modules are those whose versions matter.
func modules() []string {
	return []string{
		"github.com/centrifugal/centrifuge", "github.com/redis/rueidis", "github.com/nats-io/nats-server/v2", "github.com/nats-io/nats.go",
	}
}
