package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// PrintTable writes a scenario as markdown: its medians, what was not measured and why, and what was reached of what was
// aimed at.
func PrintTable(w io.Writer, s Scenario, samples []Sample) error {
	var b strings.Builder
	m := Medians{samples}
	fmt.Fprintf(&b, "\n### %s: %s\n\n%s\n\n", s.ID, s.Title, s.Caption)
	several := len(s.Variants) > 1
	writeHead(&b, s, several)
	var notes []string
	for _, v := range s.Variants {
		for _, impl := range peer.Names() {
			used, disturbed := m.used(impl, v.Name)
			if why := v.Skip[impl]; why != "" && (s.Impls == nil || slices.Contains(s.Impls, impl)) {
				notes = append(notes, fmt.Sprintf("%s%s was not run: %s.", impl, inVariant(v.Name), why))
			}
			notes = append(notes, failures(samples, impl, v.Name)...)
			if len(used) > 0 {
				writeRow(&b, s, v, impl, m, len(used), disturbed, several)
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

func writeHead(b *strings.Builder, s Scenario, several bool) {
	heads := []string{"implementation"}
	rule := "|---|"
	if several {
		heads = append([]string{"variant"}, heads...)
		rule = "|---|---|"
	}
	for _, c := range s.Columns {
		heads = append(heads, c.Head)
	}
	heads = append(heads, "× raw", "samples")
	fmt.Fprintf(b, "| %s |\n%s%s\n", strings.Join(heads, " | "), rule, strings.Repeat("---:|", len(s.Columns)+2))
}

func writeRow(b *strings.Builder, s Scenario, v Variant, impl string, m Medians, count int, disturbed, several bool) {
	var cells []string
	if several {
		cells = append(cells, v.Name)
	}
	cells = append(cells, impl)
	for _, c := range s.Columns {
		cells = append(cells, cell(c.Format, m.Of(impl, v.Name, c.Value)))
	}
	first := s.Columns[0].Value
	cells = append(cells, cell("%.2f", m.Of(impl, v.Name, first)/m.Of(peer.Raw, v.Name, first)))
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

// worstLosses names what a median would hide: any sample in which something was lost or came out of order.
func worstLosses(s Scenario, m Medians) string {
	var lines []string
	for _, v := range s.Variants {
		for _, impl := range peer.Names() {
			if worst := m.Worst(impl, v.Name, missing); worst > 0 {
				lines = append(lines, fmt.Sprintf("%s%s %.0f", impl, inVariant(v.Name), worst))
			}
		}
	}
	if len(lines) == 0 {
		return "Lost or out of order in any sample: nothing."
	}
	return "Lost or out of order in the worst sample: " + strings.Join(lines, ", ") + "."
}
