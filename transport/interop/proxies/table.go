package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

// table collects the results of all checks.
type table struct {
	began time.Time

	mu      sync.Mutex // guards results
	results []result
}

type result struct {
	check, entrance string
	err             error
}

func newTable() *table { return &table{began: time.Now()} }

// progress prints a message with the time since the start.
func (t *table) progress(format string, args ...any) {
	fmt.Printf("%3.0f s  %s\n", time.Since(t.began).Seconds(), fmt.Sprintf(format, args...))
}

// add stores the result of a check and prints it.
func (t *table) add(check, entrance string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.results = append(t.results, result{check, entrance, err})
	if err != nil {
		t.progress("%s: %s: FAILED: %v", entrance, check, err)
	} else {
		t.progress("%s: %s", entrance, check)
	}
}

// print prints the table: a line for each check, a column for each entrance. It returns an error if
// a check failed or if there was no check.
func (t *table) print(w io.Writer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var checks, entrances []string
	cells := map[result]string{} // keyed without the error
	failed := 0
	for _, r := range t.results {
		if !slices.Contains(checks, r.check) {
			checks = append(checks, r.check)
		}
		if !slices.Contains(entrances, r.entrance) {
			entrances = append(entrances, r.entrance)
		}
		cell := "ok"
		if r.err != nil {
			cell = "FAILED"
			failed++
		}
		cells[result{check: r.check, entrance: r.entrance}] = cell
	}
	slices.Sort(checks)
	slices.Sort(entrances)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw)
	for _, e := range entrances {
		fmt.Fprintf(tw, "\t%s", e)
	}
	fmt.Fprintln(tw)
	for _, c := range checks {
		fmt.Fprint(tw, c)
		for _, e := range entrances {
			fmt.Fprintf(tw, "\t%s", cells[result{check: c, entrance: e}])
		}
		fmt.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d checks passed, %d failed, %.0f s\n", len(t.results)-failed, failed, time.Since(t.began).Seconds())
	if failed > 0 || len(t.results) == 0 {
		return errors.New("some checks failed")
	}
	return nil
}
