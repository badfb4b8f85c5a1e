// Loadtest puts a load of viewers and changes on a server of plan rooms. It checks that every
// viewer gets every event in order, or a request to reload what it missed, and says how long that
// took.
//
//	go run ./examples/loadtest -rooms 10 -conns 1000 -rate 50 -for 30s -stalled 10%
//
// Without -url it starts a server in the same process; -h says how to point it at yours.
//
// # What is measured
//
// Changes are made at a steady rate whatever the server does. The latency of a delivery counts from
// the moment when the change was due to the moment when one connection has read its first event, so
// that a request that had to wait is not left out. Without -url, the server and its viewers share
// the same processors, which the figures include.
//
// # What is checked
//
// On every connection each event has to name the one before it, none may come twice or out of
// order, and every change that the server has accepted has to be heard of, unless the server has
// said that events are missing (resync, recovered false). A change is known by its mutation id,
// which transport.Author passes on from the request to the event; a server that does not may show
// {mutation} in the event's data.
//
// The connections are made by hand and not by transport/client, which would repair a gap before
// anybody saw it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses.
const (
	statusGood   = 0
	statusFaults = 1 // an event was missing, doubled or out of order
	statusFailed = 2 // the run could not be made
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, isTerminal(os.Stderr)))
}

// isTerminal reports whether a person is likely to look at f.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// run is the whole program. The end of ctx ends the load early; the report is still made.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, live bool) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return statusGood
	}
	var r *report
	if err == nil {
		progress := io.Discard
		if live && !s.json {
			progress = stderr
		}
		r, err = load(ctx, s, progress)
	}
	if r != nil {
		err = errors.Join(err, r.print(stdout, s))
	}
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "loadtest: %v\n", err) // it cannot be reported elsewhere
		return statusFailed
	case r.Faults.any():
		return statusFaults
	}
	return statusGood
}
