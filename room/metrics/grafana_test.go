package metrics_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	dto "github.com/prometheus/client_model/go"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics"
	"github.com/planrooms/planrooms/room/metrics/internal/exercise"
)

// texts returns the strings of a JSON document under one of the keys.
func texts(v any, keys ...string) (found []string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			found = append(found, texts(e, keys...)...)
		}
	case map[string]any:
		for k, e := range v {
			for _, key := range keys {
				if s, ok := e.(string); ok && k == key {
					found = append(found, s)
				}
			}
			found = append(found, texts(e, keys...)...)
		}
	}
	return found
}

// The metrics and labels of the dashboard exist, and it shows all metrics.
func TestDashboard(t *testing.T) {
	file, err := os.ReadFile("grafana/planrooms.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard any
	if err := json.Unmarshal(file, &dashboard); err != nil {
		t.Fatal(err)
	}
	var families []*dto.MetricFamily
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New(nil)
		exercise.Run(t, m.Observer(room.Observer{}), m.Watch, func(*room.Hub) {
			if families, err = register(t, m).Gather(); err != nil {
				t.Fatal(err)
			}
		})
	})
	series, labels := map[string]string{}, map[string]bool{"le": true, "job": true, "instance": true}
	for _, f := range families {
		names := []string{f.GetName()}
		if f.GetType() == dto.MetricType_HISTOGRAM {
			names = []string{f.GetName() + "_bucket", f.GetName() + "_sum", f.GetName() + "_count"}
		}
		for _, name := range names {
			series[name] = f.GetName()
		}
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels[l.GetName()] = true
		}
	}
	shown := map[string]bool{}
	expressions := texts(dashboard, "expr", "query", "definition", "legendFormat")
	for _, e := range expressions {
		for _, name := range regexp.MustCompile(`planrooms_\w+`).FindAllString(e, -1) {
			if series[name] == "" {
				t.Errorf("no metric %s: %s", name, e)
			}
			shown[series[name]] = true
		}
		for _, group := range regexp.MustCompile(`(?:by|on) \((.*?)\)|{{(.*?)}}`).FindAllStringSubmatch(e, -1) {
			for name := range strings.SplitSeq(group[1]+group[2], ",") {
				if !labels[strings.TrimSpace(name)] {
					t.Errorf("no label %q: %s", name, e)
				}
			}
		}
	}
	for _, f := range families {
		if !shown[f.GetName()] {
			t.Errorf("the dashboard does not show %s", f.GetName())
		}
	}
	if len(expressions) < 30 {
		t.Errorf("%d expressions found", len(expressions))
	}
}
