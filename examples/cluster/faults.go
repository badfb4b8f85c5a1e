package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// fault is one kind of fault run.
type fault struct {
	name  string
	about string // one line for -list
	// run breaks something in a cluster under load, and mends it. It returns when the faults are
	// mended, and an error only if the run cannot go on.
	run func(ctx context.Context, t *trial) error
	// alone is a run that starts what it needs itself: trial.cluster and trial.load are nil.
	alone bool
	// spoils is whether the cluster is not used for further runs.
	spoils bool
}

// faultRuns are all fault runs, in the order in which they run.
func faultRuns() []fault {
	return slices.Concat(killRuns, nodeRuns, moveRuns, stopRuns, linkRuns, natsRuns, peopleRuns)
}

// faultOptions are the flags of the command faults.
type faultOptions struct {
	times   int
	dir     string
	rate    int
	viewers int
	moves   int
	people  int
	lenient bool
	json    bool
}

const faultsUsage = `Breaks a cluster under load, mends it, and judges what all clients saw.

Usage:

  cluster faults [flags]

The exit status is 1 if a promise was broken, or a run failed. Flags:

`

// faultsCommand runs faults one after the other, and prints a table.
func faultsCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o faultOptions
	var names string
	var list bool
	f := newFlags("cluster faults", stderr)
	f.Usage = func() { fmt.Fprint(stderr, faultsUsage); f.PrintDefaults() }
	f.StringVar(&names, "run", "", "`names` of the runs, separated by commas. Default: all")
	f.BoolVar(&list, "list", false, "list the runs, and do nothing else")
	f.IntVar(&o.times, "times", 1, "`number` of times that each run is made")
	f.StringVar(&o.dir, "dir", "", "`folder` that keeps logs and histories. Default: a temporary one, which is removed if all runs are kept")
	f.IntVar(&o.rate, "rate", 20, "`changes` of each plan per second, 1 to 200")
	f.IntVar(&o.viewers, "viewers", 4, "`number` of viewers that prefer the same node")
	f.IntVar(&o.moves, "moves", 100, "`number` of moves of the run moves; 20 changes pass for each")
	f.IntVar(&o.people, "people", 20000, "`number` of people of the run presence-20000")
	f.BoolVar(&o.lenient, "lenient", false, "report times that are too long, and loads after them, but do not count them as broken promises: for slow machines")
	f.BoolVar(&o.json, "json", false, "print one line of JSON for each run instead of the table")
	if err := parse(f, args); err != nil {
		return err
	}
	all := faultRuns()
	switch {
	case list:
		return listFaults(stdout, all)
	case o.times < 1:
		return reject(f, "-times is %d; it must be at least 1", o.times)
	case o.rate < 1 || o.rate > 200:
		return reject(f, "-rate is %d; it must be 1 to 200", o.rate)
	case o.viewers < 1:
		return reject(f, "-viewers is %d; it must be at least 1", o.viewers)
	case o.moves < 1:
		return reject(f, "-moves is %d; it must be at least 1", o.moves)
	case o.people < 2*perPlan:
		return reject(f, "-people is %d; it must be at least %d", o.people, 2*perPlan)
	}
	chosen, err := chooseFaults(all, names)
	if err != nil {
		return reject(f, "%v", err)
	}
	return runFaults(ctx, o, chosen, stdout, stderr)
}

func listFaults(w io.Writer, all []fault) error {
	for _, one := range all {
		if _, err := fmt.Fprintf(w, "%-16s %s\n", one.name, one.about); err != nil {
			return err
		}
	}
	return nil
}

// chooseFaults returns the runs with the given names, in the given order.
func chooseFaults(all []fault, names string) (chosen []fault, err error) {
	if names == "" {
		return all, nil
	}
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(f fault) bool { return f.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no run %q; -list has their names", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// runFaults makes the runs. They share a cluster, which is replaced after a run that has failed.
func runFaults(ctx context.Context, o faultOptions, chosen []fault, stdout, stderr io.Writer) error {
	dir, remove, err := folder(o.dir)
	if err != nil {
		return err
	}
	s := &faultSession{options: o, dir: dir, stderr: stderr}
	defer s.endCluster()
	table, err := s.makeAll(ctx, chosen, stdout)
	s.endCluster()
	if !o.json && len(table) > 0 {
		err = errors.Join(err, printOutcomes(stdout, table))
	}
	if s.broken+s.failed > 0 {
		return errors.Join(err, fmt.Errorf("%d runs have broken a promise, and %d have failed; logs and histories are in %s", s.broken, s.failed, dir))
	}
	remove()
	return err
}

// faultSession makes runs, one after the other.
type faultSession struct {
	options faultOptions
	dir     string
	stderr  io.Writer
	runs    int
	broken  int // runs with this verdict
	failed  int

	cluster *cluster // nil: none is running
	log     *os.File // of the cluster
	end     context.CancelFunc
}

// makeAll makes the runs. It returns a line of the table for each fault, and errInterrupted with
// those of the runs that are complete if ctx has ended.
func (s *faultSession) makeAll(ctx context.Context, chosen []fault, stdout io.Writer) (table []outcome, err error) {
	for _, one := range chosen {
		var results []outcome
		for number := range s.options.times {
			out := s.make(ctx, one, number)
			if ctx.Err() != nil {
				err = errInterrupted
				break
			}
			results = append(results, out)
			verdict := out.verdict()
			switch verdict {
			case verdictBroken:
				s.broken++
			case verdictFailed:
				s.failed++
			}
			if verdict != verdictKept || one.spoils {
				s.endCluster()
			}
			if s.options.json {
				if err := json.NewEncoder(stdout).Encode(out); err != nil {
					return nil, err
				}
			}
		}
		if len(results) > 0 {
			table = append(table, sum(results))
		}
		if err != nil {
			return table, err
		}
	}
	return table, nil
}

var errInterrupted = errors.New("interrupted; the run that was being made is not judged")

// make makes one run, and judges it.
func (s *faultSession) make(ctx context.Context, f fault, number int) outcome {
	s.runs++
	name := fmt.Sprintf("%s-%d", f.name, number+1)
	t := &trial{
		fault: f, number: number, options: s.options, dir: filepath.Join(s.dir, name), stderr: s.stderr, begun: time.Now(),
		prefix: fmt.Sprintf("r%d-", s.runs), patience: trialPatience,
	}
	err := os.MkdirAll(t.dir, 0o700)
	if err == nil && !f.alone {
		t.cluster, err = s.sharedCluster(ctx, t)
	}
	if err == nil {
		t.make(ctx)
	} else if ctx.Err() == nil {
		t.fail(err)
	}
	if t.failed != "" && t.cluster != nil {
		t.note("the logs of the processes are in %s", t.cluster.options.dir)
	}
	return t.outcome()
}

// sharedCluster returns the cluster that runs, or starts one.
func (s *faultSession) sharedCluster(ctx context.Context, t *trial) (*cluster, error) {
	if s.cluster != nil {
		return s.cluster, nil
	}
	t.phase("start a cluster")
	dir := filepath.Join(s.dir, fmt.Sprintf("cluster-%d", s.runs))
	err := s.startCluster(ctx, dir)
	if err == nil {
		err = t.awaitSetup(ctx, "all nodes are ready", func(context.Context) bool { return s.cluster.ready() })
	}
	if err != nil {
		s.endCluster()
		return nil, fmt.Errorf("the cluster does not start; its logs are in %s: %w", dir, err)
	}
	return s.cluster, nil
}

// startCluster starts the cluster of the session.
func (s *faultSession) startCluster(ctx context.Context, dir string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if s.log, err = os.Create(filepath.Join(dir, "faults.log")); err != nil {
		return err
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	o := clusterOptions{replicas: 3, name: "faults", dir: dir, faults: true}
	c, err := newCluster(life, o, slog.New(slog.NewTextHandler(s.log, nil)))
	if err != nil {
		end()
		s.log.Close()
		return err
	}
	s.cluster, s.end = c, end
	c.start()
	return nil
}

// endCluster ends the cluster, if one runs.
func (s *faultSession) endCluster() {
	if s.cluster == nil {
		return
	}
	s.end()
	s.cluster.close()
	s.log.Close()
	s.cluster = nil
}
