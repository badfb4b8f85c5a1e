package metrics_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/room/metrics/internal/source"
)

// The README lists the metrics, each with its label and its names, unit and meaning.
func TestREADMEListsTheMetrics(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := regexp.MustCompile("(?m)^\\| `planrooms_.*$").FindAllString(string(text), -1)
	var want []string
	for _, m := range append(slices.Clone(source.Metrics), source.Lag) {
		name, otel := m.Prometheus, "`"+m.OTel+"`"
		if m.Label != "" {
			name += "{" + m.Label + "}"
			otel += ", `" + m.Attribute + "`"
		}
		want = append(want, "| `"+name+"` | "+otel+" | "+m.Unit+" | "+m.Help+" |")
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("the table (-want +README.md):\n%s", diff)
	}
}

// Each package imports what it needs itself, and nothing of what the other needs.
func TestDependenciesAreApart(t *testing.T) {
	for _, p := range []struct{ dir, needs, without string }{
		{".", "github.com/prometheus/", "go.opentelemetry.io/"},
		{"./otelroom", "go.opentelemetry.io/otel/trace", "github.com/prometheus/"},
		{"./otelroom", "go.opentelemetry.io/otel/metric", "go.opentelemetry.io/otel/sdk"},
	} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", p.dir).Output()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(out), "\n"+p.needs) || strings.Contains(string(out), "\n"+p.without) {
			t.Errorf("%s must import %s and not %s; it imports\n%s", p.dir, p.needs, p.without, out)
		}
	}
}
