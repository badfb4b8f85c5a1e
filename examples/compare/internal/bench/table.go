package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// PrintTable writes a scenario as markdown: its medians, what was not measured and why, and what
// was reached of what was aimed at.
func PrintTable(w io.Writer, s Scenario, samples []Sample) error {
	var b strings.Builder
	m := Medians{samples}
	fmt.Fprintf(&b, "\n### %s: %s\n\n%s\n\n", s.ID, s.Title, s.Caption)
	t := table{s, m, len(s.Variants) > 1, s.Impls == nil || slices.Contains(s.Impls, peer.Raw)}
	t.writeHead(&b)
	var notes []string
	for _, v := range s.Variants {
		for _, impl := range peer.Names() {
			used, disturbed := m.used(impl, v.Name)
			if why := v.Skip[impl]; why != "" && (s.Impls == nil || slices.Contains(s.Impls, impl)) {
				notes = append(notes, fmt.Sprintf("%s%s was not run: %s.", impl, inVariant(v.Name), why))
			}
			notes = append(notes, failures(samples, impl, v.Name)...)
			if len(used) > 0 {
				t.writeRow(&b, v, impl, len(used), disturbed)
			}
		}
	}
	b.WriteByte('\n')
	if text := worstLosses(s, m); text != "" {
		notes = append(notes, text)
	}
	for _, note := range slices.Compact(notes) {
		fmt.Fprintf(&b, "- %s\n", note)
	}
	for _, a := range s.Aims {
		if reached := a.Reached(m); !math.IsNaN(reached) {
			verdict := "reached"
			if reached > a.AtMost {
				verdict = "**missed**"
			}
			fmt.Fprintf(&b, "- %s: aim ≤ %s, measured %s: %s\n", a.Text, number(a.AtMost), number(reached), verdict)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table is a scenario with its medians. It has a column for the variant if there are several, and
// one for the ratio to raw if that is among the implementations.
type table struct {
	scenario        Scenario
	medians         Medians
	variants, ratio bool
}

func (t table) writeHead(b *strings.Builder) {
	var heads []string
	rule := "|---|"
	if t.variants {
		heads = append(heads, "variant")
		rule += "---|"
	}
	heads = append(heads, "implementation")
	words := len(heads)
	for _, c := range t.scenario.Columns {
		heads = append(heads, c.Head)
	}
	if t.ratio {
		heads = append(heads, "× raw")
	}
	heads = append(heads, "samples")
	fmt.Fprintf(b, "| %s |\n%s%s\n", strings.Join(heads, " | "), rule, strings.Repeat("---:|", len(heads)-words))
}

func (t table) writeRow(b *strings.Builder, v Variant, impl string, count int, disturbed bool) {
	var cells []string
	if t.variants {
		cells = append(cells, v.Name)
	}
	cells = append(cells, impl)
	for _, c := range t.scenario.Columns {
		cells = append(cells, cell(c.Format, t.medians.Of(impl, v.Name, c.Value)))
	}
	if t.ratio {
		first := t.scenario.Columns[0].Value
		cells = append(cells, cell("%.2f", t.medians.Of(impl, v.Name, first)/t.medians.Of(peer.Raw, v.Name, first)))
	}
	mark := ""
	if disturbed {
		mark = " \\*"
	}
	fmt.Fprintf(b, "| %s | %d%s |\n", strings.Join(cells, " | "), count, mark)
}

func cell(format string, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return fmt.Sprintf(format, v)
}

// number writes a figure with two decimals if it is small enough for these to matter.
func number(v float64) string {
	if v >= 100 || v == math.Trunc(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// failures are the errors of runs, one line for each different one.
func failures(samples []Sample, impl, variant string) (lines []string) {
	for _, s := range samples {
		if s.Impl == impl && s.Variant == variant && s.Err != "" {
			lines = append(lines, fmt.Sprintf("%s%s failed: %s.", impl, inVariant(variant), s.Err))
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// worstLosses names what a median would hide: any sample in which something was lost or came out of
// order.
func worstLosses(s Scenario, m Medians) string {
	var lines []string
	for _, v := range s.Variants {
		for _, impl := range peer.Names() {
			if worst := m.Worst(impl, v.Name, missing); worst > 0 {
				lines = append(lines, fmt.Sprintf("%s%s %.0f", impl, inVariant(v.Name), worst))
			}
		}
	}
	if !slices.ContainsFunc(m.samples, func(x Sample) bool { return x.Published > 0 }) {
		return "" // nothing was to be delivered
	}
	if len(lines) == 0 {
		return "Lost or out of order in any sample: nothing."
	}
	return "Lost or out of order in the worst sample: " + strings.Join(lines, ", ") + "."
}
