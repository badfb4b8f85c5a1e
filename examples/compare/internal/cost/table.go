package cost

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
)

// column is one figure of a table.
type column struct {
	head  string
	value func(Sample) float64 // NaN if it was not measured
}

// table is one of the tables of a report.
type table struct {
	title   string
	caption string
	measure Measure
	columns []column
}

// figure makes the value of a column that a contestant may not have: zero is none.
func figure[T any](of func(Sample) *T, value func(*T) float64) func(Sample) float64 {
	return func(s Sample) float64 {
		part := of(s)
		if part == nil {
			return math.NaN()
		}
		if v := value(part); v != 0 {
			return v
		}
		return math.NaN()
	}
}

func idle(value func(*Idle) float64) func(Sample) float64 {
	return figure(func(s Sample) *Idle { return s.Idle }, value)
}

func steady(value func(*Load) float64) func(Sample) float64 {
	return figure(func(s Sample) *Load { return s.Steady }, value)
}

func one(value func(*Load) float64) func(Sample) float64 {
	return figure(func(s Sample) *Load { return s.One }, value)
}

func three(value func(*Load) float64) func(Sample) float64 {
	return figure(func(s Sample) *Load { return s.Three }, value)
}

func memory(value func(*Memory) float64) func(Sample) float64 {
	return figure(func(s Sample) *Memory { return s.Memory }, value)
}

// missing is the part of the deliveries that did not happen, in percent. Zero is a figure.
func missing(of func(Sample) *Load) func(Sample) float64 {
	return func(s Sample) float64 {
		l := of(s)
		if l == nil || l.Deliveries == 0 {
			return math.NaN()
		}
		return float64(l.Missing) / float64(l.Deliveries) * 100
	}
}

func tables(p Plan) []table {
	return []table{
		{
			"Time", fmt.Sprintf("One publisher with an event every %v. Times in µs.", p.Every), Events, []column{
				{"call p50", steady(func(l *Load) float64 { return l.CallP50 })},
				{"call p99", steady(func(l *Load) float64 { return l.CallP99 })},
				{"viewer of this node p50", steady(func(l *Load) float64 { return l.HereP50 })},
				{"viewer of this node p99", steady(func(l *Load) float64 { return l.HereP99 })},
				{"viewer of another node p50", steady(func(l *Load) float64 { return l.ElsewhereP50 })},
				{"viewer of another node p99", steady(func(l *Load) float64 { return l.ElsewhereP99 })},
				{"missing %", missing(func(s Sample) *Load { return s.Steady })},
			},
		},
		{
			"Events per second", fmt.Sprintf("%d publishers, each with one event at a time. Events per second as the calls return, and as they "+
				"arrive at the viewers of another node, or of the only one. Missing are events that viewers did not get because more were "+
				"published than they could be sent; they load the plan instead.", p.Publishers), Events, []column{
				{"1 node", one(func(l *Load) float64 { return l.PerSecond })},
				{"1 node, arrived", one(func(l *Load) float64 { return l.DeliveredPerSecond })},
				{"1 node, missing %", missing(func(s Sample) *Load { return s.One })},
				{"3 nodes", three(func(l *Load) float64 { return l.PerSecond })},
				{"3 nodes, arrived", three(func(l *Load) float64 { return l.DeliveredPerSecond })},
				{"3 nodes, missing %", missing(func(s Sample) *Load { return s.Three })},
			},
		},
		{
			"CPU", fmt.Sprintf("CPU time for one event, in µs: of the node that publishes and has a viewer of each plan, of a node that only has "+
				"viewers, of a node without viewers, and of all servers of the broker. Slow is an event every %v, fast is %d publishers on one node.",
				p.Every, p.Publishers), Events, []column{
				{"idle: node, ms/s", idle(func(i *Idle) float64 { return i.NodeCPU })},
				{"broker, ms/s", idle(func(i *Idle) float64 { return i.BrokerCPU })},
				{"slow: publishes", steady(func(l *Load) float64 { return l.PublisherCPU })},
				{"has viewers", steady(func(l *Load) float64 { return l.ViewersCPU })},
				{"has none", steady(func(l *Load) float64 { return l.IdleCPU })},
				{"broker", steady(func(l *Load) float64 { return l.BrokerCPU })},
				{"fast: publishes", one(func(l *Load) float64 { return l.PublisherCPU })},
				{"has viewers", one(func(l *Load) float64 { return l.ViewersCPU })},
				{"has none", one(func(l *Load) float64 { return l.IdleCPU })},
				{"broker", one(func(l *Load) float64 { return l.BrokerCPU })},
			},
		},
		{
			"Memory", fmt.Sprintf("Bytes for each plan without viewers, beyond the empty processes, with 1 event and with %d: objects on the heap "+
				"of the node that has published and of another one, and resident memory of that other node and of all servers of the broker.",
				p.HeldEvents), Holding, []column{
				{"1 event: publisher's heap", memory(func(m *Memory) float64 { return m.First.PublisherHeap })},
				{"other heap", memory(func(m *Memory) float64 { return m.First.OtherHeap })},
				{"other RSS", memory(func(m *Memory) float64 { return m.First.OtherRSS })},
				{"broker RSS", memory(func(m *Memory) float64 { return m.First.BrokerRSS })},
				{fmt.Sprintf("%d events: publisher's heap", p.HeldEvents), memory(func(m *Memory) float64 { return m.More.PublisherHeap })},
				{"other heap", memory(func(m *Memory) float64 { return m.More.OtherHeap })},
				{"other RSS", memory(func(m *Memory) float64 { return m.More.OtherRSS })},
				{"broker RSS", memory(func(m *Memory) float64 { return m.More.BrokerRSS })},
			},
		},
	}
}

// Print writes the tables of samples as Markdown: medians, and in brackets the smallest and the
// largest of the samples if there are several.
func Print(b *bytes.Buffer, p Plan, samples []Sample) {
	for _, t := range tables(p) {
		t.write(b, samples)
	}
	for _, note := range notes(samples) {
		fmt.Fprintf(b, "- %s\n", note)
	}
}

func (t table) write(b *bytes.Buffer, samples []Sample) {
	var heads []string
	for _, c := range t.columns {
		heads = append(heads, c.head)
	}
	var rows strings.Builder
	for _, plans := range plansOf(samples, t.measure) {
		for _, name := range Names() {
			used, disturbed := usable(samples, name, t.measure, plans)
			if len(used) == 0 {
				continue
			}
			mark := ""
			if disturbed {
				mark = " \\*"
			}
			fmt.Fprintf(&rows, "| %d | %s |", plans, name)
			for _, c := range t.columns {
				fmt.Fprintf(&rows, " %s |", spread(used, c.value))
			}
			fmt.Fprintf(&rows, " %d%s |\n", len(used), mark)
		}
	}
	if rows.Len() == 0 {
		return
	}
	fmt.Fprintf(b, "### %s\n\n%s\n\n| plans | | %s | samples |\n", t.title, t.caption, strings.Join(heads, " | "))
	fmt.Fprintf(b, "| ---: | --- |%s\n%s\n", strings.Repeat(" ---: |", len(heads)+1), rows.String())
}

// plansOf returns the numbers of plans of a measure, from the smallest on.
func plansOf(samples []Sample, m Measure) (list []int) {
	for _, s := range samples {
		if s.Measure == m {
			list = append(list, s.Plans)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// usable returns the samples that count: those that did not fail and were not disturbed, or where
// there are none, those that did not fail. disturbed reports the latter.
func usable(samples []Sample, name string, m Measure, plans int) (used []Sample, disturbed bool) {
	var quiet []Sample
	for _, s := range samples {
		if s.Contestant != name || s.Measure != m || s.Plans != plans || s.Err != "" {
			continue
		}
		used = append(used, s)
		if !s.Disturbed {
			quiet = append(quiet, s)
		}
	}
	if len(quiet) > 0 {
		return quiet, false
	}
	return used, len(used) > 0
}

// notes are what the tables do not show: what failed and why, and what each contestant has stored
// when the call that publishes returns.
func notes(samples []Sample) (list []string) {
	for _, c := range Contestants() {
		ran := false
		var failures []string
		for _, s := range samples {
			if s.Contestant != c.Name {
				continue
			}
			ran = true
			if s.Err != "" {
				failures = append(failures, fmt.Sprintf("%s with %d plans failed: %s.", c.Name, s.Plans, s.Err))
			}
		}
		if ran {
			list = append(list, fmt.Sprintf("%s: when the call returns, the event is %s.", c.Name, c.Stored))
		}
		slices.Sort(failures)
		list = append(list, slices.Compact(failures)...)
	}
	return list
}
