// Loadtest puts a load of viewers and changes on a Plan rooms server. It checks that every viewer
// receives every event in order, or a request to reload, and reports the latency.
//
//	go run ./examples/loadtest -rooms 10 -conns 1000 -rate 50 -for 30s -stalled 10%
//
// Without -url it starts a server in the same process. -h lists the flags for another server.
//
// # Measurements
//
// Loadtest makes changes at a steady rate, however slow the server is. The latency of a delivery is
// the time from when the change was due until one connection has read its first event. It therefore
// includes the time that a request waited. Without -url, the server and its viewers share the
// processors, and the figures include both.
//
// # Checks
//
// On every connection each event must name the one before it, and none may be duplicate or out of
// order. Every change that the server has accepted must arrive, unless the server has reported that
// events are missing (resync, recovered false). Loadtest recognizes a change by its mutation ID,
// which transport.Author passes from the request to the event. A server without it can put
// {mutation} into the data of the event.
//
// The viewers do not use transport/client, because that would repair a gap unnoticed.
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
	statusFaults = 1 // an event was missing, duplicate or out of order
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
