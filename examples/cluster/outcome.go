package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
)

// outcome is what a run, or several runs of a fault, have shown.
type outcome struct {
	Fault string         `json:"fault"`
	Times int            `json:"times"`
	Took  time.Duration  `json:"took"`
	Seen  history.Report `json:"seen"`
	// Broken are the promises that were broken.
	Broken []string `json:"broken,omitempty"`
	// Failed is why a run could not be made as planned, or "".
	Failed string   `json:"failed,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

func (t *trial) outcome() outcome {
	return outcome{
		Fault: t.fault.name, Times: 1, Took: time.Since(t.begun), Seen: t.report, Broken: t.broken, Failed: t.failed, Notes: t.notes,
	}
}

// verdict is the last column of the table.
func (o *outcome) verdict() string {
	switch {
	case len(o.Broken) > 0:
		return verdictBroken
	case o.Failed != "":
		return verdictFailed
	}
	return verdictKept
}

// The verdicts.
const (
	verdictKept   = "kept"
	verdictBroken = "BROKEN" // a promise was broken
	verdictFailed = "FAILED" // the run could not be made as planned
)

// sum adds up the runs of one fault. The pauses are the longest ones.
func sum(list []outcome) outcome {
	all := outcome{Fault: list[0].Fault, Seen: history.Report{Reloads: make(map[string]int)}}
	for _, one := range list {
		all.Times += one.Times
		all.Took += one.Took
		a, b := &all.Seen, &one.Seen
		a.Published += b.Published
		a.Delivered += b.Delivered
		a.Lost += b.Lost
		a.Doubled += b.Doubled
		a.Disordered += b.Disordered
		a.Wrong += b.Wrong
		for reason, n := range b.Reloads {
			a.Reloads[reason] += n
		}
		a.PublishPause = max(a.PublishPause, b.PublishPause)
		a.DeliveryPause = max(a.DeliveryPause, b.DeliveryPause)
		for _, text := range one.Broken {
			all.Broken = append(all.Broken, fmt.Sprintf("run %d: %s", all.Times, text))
		}
		if one.Failed != "" && all.Failed == "" {
			all.Failed = fmt.Sprintf("run %d: %s", all.Times, one.Failed)
		}
		for _, text := range one.Notes {
			all.Notes = append(all.Notes, fmt.Sprintf("run %d: %s", all.Times, text))
		}
	}
	return all
}

// printOutcomes prints a table with a line for each fault, and the notes below it.
func printOutcomes(w io.Writer, list []outcome) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FAULT\tTIMES\tPUBLISHED\tLOST\tDOUBLED\tDISORDERED\tWRONG\tRELOADS\tWHY\tPUBLISH PAUSE\tDELIVERY PAUSE\tVERDICT")
	for _, o := range list {
		s := &o.Seen
		reloads, why := 0, []string{}
		for _, reason := range slices.Sorted(maps.Keys(s.Reloads)) {
			reloads += s.Reloads[reason]
			why = append(why, fmt.Sprintf("%s %d", reason, s.Reloads[reason]))
		}
		if len(why) == 0 {
			why = []string{"-"}
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%.1f s\t%.1f s\t%s\n", o.Fault, o.Times, s.Published, s.Lost, s.Doubled,
			s.Disordered, s.Wrong, reloads, strings.Join(why, ", "), s.PublishPause.Seconds(), s.DeliveryPause.Seconds(), o.verdict())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, o := range list {
		for _, text := range o.Broken {
			fmt.Fprintf(w, "\n%s: BROKEN: %s", o.Fault, text)
		}
		if o.Failed != "" {
			fmt.Fprintf(w, "\n%s: FAILED: %s", o.Fault, o.Failed)
		}
		for _, text := range o.Notes {
			fmt.Fprintf(w, "\n%s: %s", o.Fault, text)
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}
