package otelroom_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics"
	"github.com/planrooms/planrooms/room/metrics/internal/exercise"
	"github.com/planrooms/planrooms/room/metrics/internal/source"
	"github.com/planrooms/planrooms/room/metrics/otelroom"
	"github.com/planrooms/planrooms/room/roomtest"
)

// meter returns instruments and the reader of their metrics.
func meter(t *testing.T) (*otelroom.Instruments, metric.Reader) {
	t.Helper()
	reader := metric.NewManualReader()
	o, err := otelroom.New(&otelroom.Options{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
	if err != nil {
		t.Fatal(err)
	}
	return o, reader
}

// collect returns the metrics of a reader by name.
func collect(t *testing.T, reader metric.Reader) map[string]metricdata.Metrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	found := map[string]metricdata.Metrics{}
	for _, scope := range all.ScopeMetrics {
		if scope.Scope.Name != otelroom.Scope {
			t.Errorf("scope %s", scope.Scope.Name)
		}
		for _, m := range scope.Metrics {
			found[m.Name] = m
		}
	}
	return found
}

// values returns all values by name and attributes. A histogram has the number of its
// observations.
func values(t *testing.T, reader metric.Reader) map[string]float64 {
	t.Helper()
	got := map[string]float64{}
	for name, m := range collect(t, reader) {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				got[name+p.Attributes.Encoded(attribute.DefaultEncoder())] = float64(p.Value)
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				got[name] = float64(p.Count)
			}
		default:
			t.Errorf("%s is a %T", name, data)
		}
	}
	return got
}

// OpenTelemetry exports the same numbers as Prometheus.
func TestSameAsPrometheus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New(nil)
		o, reader := meter(t)
		watch := func(h *room.Hub) {
			m.Watch(h)
			o.Watch(h)
		}
		exercise.Run(t, o.Observer(m.Observer(room.Observer{})), watch, func(*room.Hub) {
			got := values(t, reader)
			if diff := cmp.Diff(fromPrometheus(t, m), got); diff != "" {
				t.Errorf("values (-Prometheus +OpenTelemetry):\n%s", diff)
			}
			if len(got) < 50 || got["planrooms.broadcast.size"] == 0 || got["planrooms.delivery.lag"] == 0 {
				t.Errorf("values %v", got)
			}
		})
	})
}

// fromPrometheus returns the values of a collector under the names of OpenTelemetry.
func fromPrometheus(t *testing.T, c prometheus.Collector) map[string]float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{}
	for _, f := range families {
		i := slices.IndexFunc(source.Metrics, func(m source.Metric) bool { return m.Prometheus == f.GetName() })
		for _, m := range f.GetMetric() {
			if m.GetHistogram() != nil {
				want[source.Lag.OTel] = float64(m.GetHistogram().GetSampleCount())
				continue
			}
			name := source.Metrics[i].OTel
			for _, l := range m.GetLabel() {
				name += source.Metrics[i].Attribute + "=" + l.GetValue()
			}
			want[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() // one is nil
		}
	}
	return want
}

// Each instrument has the type, the unit and the form of name that the conventions require.
func TestInstruments(t *testing.T) {
	o, reader := meter(t)
	h := newHub(o.Observer(room.Observer{}))
	o.Watch(h)
	roomtest.Join(t, h, "ann", "p").In(t)
	broadcast(t, h, t.Context(), "p")
	for name, m := range collect(t, reader) {
		if !strings.HasPrefix(name, "planrooms.") || strings.ToLower(name) != name || strings.HasSuffix(name, "total") {
			t.Errorf("name %s", name)
		}
		if m.Unit == "" || !strings.HasSuffix(m.Description, ".") {
			t.Errorf("%s has unit %q and description %q", name, m.Unit, m.Description)
		}
		if i := slices.IndexFunc(source.Metrics, func(s source.Metric) bool { return s.OTel == name }); i >= 0 {
			if sum := m.Data.(metricdata.Sum[int64]); sum.IsMonotonic != source.Metrics[i].Counter {
				t.Errorf("%s is monotonic: %v", name, sum.IsMonotonic)
			}
		}
	}
}

// The histogram has the buckets of the one for Prometheus.
func TestLag(t *testing.T) {
	o, reader := meter(t)
	f := o.Observer(room.Observer{})
	f.Delivered(room.DeliveryInfo{Events: 1, Connections: 1, Lag: 30 * time.Microsecond})
	f.Delivered(room.DeliveryInfo{Events: 1, Connections: 1, Lag: 20 * time.Second})
	f.Delivered(room.DeliveryInfo{Connections: 1})
	p := collect(t, reader)["planrooms.delivery.lag"].Data.(metricdata.Histogram[float64]).DataPoints[0]
	if diff := cmp.Diff(source.Bounds, p.Bounds); diff != "" {
		t.Errorf("bounds (-want +got):\n%s", diff)
	}
	if n := p.BucketCounts; p.Count != 2 || n[0] != 1 || n[len(n)-1] != 1 {
		t.Errorf("%d observations in buckets %v", p.Count, n)
	}
}

func newHub(o room.Observer) *room.Hub {
	return room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil }, Observer: o, PingEvery: -1,
	})
}

func broadcast(t *testing.T, h *room.Hub, ctx context.Context, planID string, opts ...room.BroadcastOption) protocol.Position {
	t.Helper()
	p, err := h.BroadcastTaskUpdated(ctx, planID, map[string]string{"id": "1"}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// 10,000 plans have as many series as one.
func TestSeriesDoNotDependOnPlans(t *testing.T) {
	series := func(plans int) []string {
		o, reader := meter(t)
		h := newHub(o.Observer(room.Observer{}))
		o.Watch(h)
		for n := range plans {
			broadcast(t, h, t.Context(), fmt.Sprint("plan", n))
		}
		got := values(t, reader)
		if n := int(got["planrooms.broadcast.events"]); n != plans {
			t.Errorf("%d broadcasts, want %d", n, plans)
		}
		return slices.Sorted(maps.Keys(got))
	}
	if diff := cmp.Diff(series(1), series(10_000)); diff != "" {
		t.Errorf("series with one plan and with 10,000 (-one +10,000):\n%s", diff)
	}
}

// After Close, the instruments read nothing from the hub.
func TestClose(t *testing.T) {
	o, reader := meter(t)
	o.Watch(newHub(o.Observer(room.Observer{})))
	if len(values(t, reader)) == 0 {
		t.Error("no values")
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if got := values(t, reader); len(got) > 0 {
		t.Errorf("after Close: %v", got)
	}
}
