package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
)

// trial is one fault run. Its methods are called by one goroutine.
type trial struct {
	fault   fault
	number  int // of the run among those of its fault, from 0 on
	options faultOptions
	prefix  string // of the plans and viewers of this run
	dir     string // for its files
	stderr  io.Writer
	begun   time.Time
	// patience bounds each wait of the run, with its requests.
	patience time.Duration

	cluster *cluster // all nodes are ready at the start
	load    *load    // viewers and publishers
	terms   history.Terms
	checks  []func(h histories) // that run at the end

	whole  time.Time // when all viewers had everything; zero: never
	report history.Report
	notes  []string
	broken []string
	failed string // why the run shows nothing, or ""
}

// histories are what was written during a run.
type histories struct {
	records  []history.Record
	attempts []history.Attempt
}

// trialPatience is trial.patience of the command.
const trialPatience = 2 * time.Minute

// phase shows what the run does next.
func (t *trial) phase(format string, args ...any) {
	fmt.Fprintf(t.stderr, "%7.1fs  %s %d: %s\n", time.Since(t.begun).Seconds(), t.fault.name, t.number+1, fmt.Sprintf(format, args...))
}

// note adds a line below the table.
func (t *trial) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.notes = append(t.notes, text)
	t.phase("%s", text)
}

// broke says that a promise was broken. The verdict of the run is then BROKEN.
func (t *trial) broke(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.broken = append(t.broken, text)
	t.phase("BROKEN: %s", text)
}

// fail says that the run could not be made as planned: for example, a process did not start. That
// is no promise. The verdict is then FAILED.
func (t *trial) fail(err error) {
	t.failed = cmp.Or(t.failed, err.Error())
	t.phase("FAILED: %v", err)
}

// ends says what the error means that has ended the run: a broken promise, or that the run has
// failed. The end of ctx means neither.
func (t *trial) ends(ctx context.Context, err error) {
	var promise *promiseError
	switch {
	case err == nil || ctx.Err() != nil:
	case errors.As(err, &promise):
		t.broke("%v", err)
	default:
		t.fail(err)
	}
}

// promiseError is an error that means that the cluster has broken a promise.
type promiseError struct{ error }

func (e *promiseError) Unwrap() error { return e.error }

// within checks a promised time. A lenient run only notes one that is too long.
func (t *trial) within(limit, got time.Duration, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	switch {
	case got <= limit:
	case t.options.lenient:
		t.note("%s took %.1f s, promised are %.1f s", text, got.Seconds(), limit.Seconds())
	default:
		t.broke("%s took %.1f s, promised are %.1f s", text, got.Seconds(), limit.Seconds())
	}
}

// check runs f with the histories when the run has ended.
func (t *trial) check(f func(h histories)) { t.checks = append(t.checks, f) }

// await waits until a promised condition holds. If it never does, the error is a promiseError.
func (t *trial) await(ctx context.Context, what string, condition func() bool) error {
	return t.awaitAnswer(ctx, what, func(context.Context) bool { return condition() })
}

// awaitAnswer is await with a condition that sends requests, under its ctx.
func (t *trial) awaitAnswer(ctx context.Context, what string, condition func(context.Context) bool) error {
	err := t.awaitSetup(ctx, what, condition)
	if err != nil && ctx.Err() == nil {
		return &promiseError{err}
	}
	return err
}

// awaitSetup is awaitAnswer for what the run needs and the cluster does not promise, such as NATS
// servers that elect a leader.
func (t *trial) awaitSetup(ctx context.Context, what string, condition func(context.Context) bool) error {
	within, cancel := context.WithTimeout(ctx, t.patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition(within) {
		select {
		case <-tick.C:
		case <-within.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("%s: %w", what, ctx.Err())
			}
			return fmt.Errorf("%s: not reached after %v", what, t.patience)
		}
	}
	return nil
}

// hold lets a fault last.
func (t *trial) hold(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// node returns the node that this run breaks: each time another one.
func (t *trial) node() *instance {
	nodes := t.cluster.list()
	return nodes[t.number%len(nodes)]
}

// other returns a node that is not the given one.
func (t *trial) other(than *instance) *instance {
	for _, n := range t.cluster.list() {
		if n != than {
			return n
		}
	}
	return nil
}

// make makes the run, and judges it unless ctx has ended.
func (t *trial) make(ctx context.Context) {
	if t.fault.alone {
		t.ends(ctx, t.fault.run(ctx, t))
		return
	}
	err := t.await(ctx, "all nodes are ready", t.cluster.ready)
	if err == nil {
		t.load, err = startLoad(ctx, t)
	}
	if err != nil {
		t.ends(ctx, err)
		return
	}
	t.ends(ctx, t.underLoad(ctx))
	err = t.load.end()
	if err == nil && ctx.Err() == nil {
		err = t.judge()
	}
	t.ends(ctx, err)
}

// underLoad breaks the cluster, and waits until it is whole again.
func (t *trial) underLoad(ctx context.Context) error {
	if err := t.await(ctx, "all viewers follow", t.load.follow); err != nil {
		return fmt.Errorf("%w: %s", err, t.load.behind())
	}
	t.phase("under load")
	if err := t.fault.run(ctx, t); err != nil {
		return err
	}
	t.phase("mended")
	if err := t.await(ctx, "all nodes are ready again", t.cluster.ready); err != nil {
		return err
	}
	if err := t.load.more(ctx); err != nil {
		return err
	}
	if err := t.load.finish(ctx); err != nil {
		return err
	}
	if err := t.await(ctx, "all viewers have everything", t.load.whole); err != nil {
		return fmt.Errorf("%w: %s", err, t.load.behind())
	}
	if err := t.await(ctx, "all viewers list the same people", t.load.sameLists); err != nil {
		return fmt.Errorf("%w: %s", err, t.load.otherList())
	}
	t.whole = time.Now()
	t.phase("whole")
	return nil
}

// judge judges the histories.
func (t *trial) judge() error {
	var h histories
	var err error
	if h.records, err = history.Read[history.Record](filepath.Join(t.dir, viewersFile)); err != nil {
		return err
	}
	if h.attempts, err = history.Read[history.Attempt](filepath.Join(t.dir, publishersFile)); err != nil {
		return err
	}
	t.report = history.Judge(h.records, h.attempts, t.terms)
	for _, p := range t.report.Problems {
		t.broke("%s", p)
	}
	for _, check := range t.checks {
		check(h)
	}
	if !t.whole.IsZero() {
		t.lists(h)
	}
	return nil
}

// lists checks that at the end all viewers had received the same list of people.
func (t *trial) lists(h histories) {
	end, _ := slices.BinarySearchFunc(h.records, t.whole, func(r history.Record, at time.Time) int { return r.Time.Compare(at) })
	lists, want := history.Lists(h.records[:end], t.load.quiet), t.load.people()
	for _, v := range t.load.present() {
		if got := lists[v.name]; v.follows[t.load.quiet] != nil && !slices.Equal(got, want) {
			t.broke("%s lists %v instead of %v", v.name, got, want)
		}
	}
}
