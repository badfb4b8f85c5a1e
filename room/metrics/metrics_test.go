package metrics_test

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics"
	"github.com/planrooms/planrooms/room/metrics/internal/exercise"
	"github.com/planrooms/planrooms/room/roomtest"
)

func register(t testing.TB, m *metrics.Metrics) *prometheus.Registry {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	if err := reg.Register(m); err != nil {
		t.Fatal(err)
	}
	return reg
}

// gather returns all values by name and label, as in planrooms_joins_total{recovered="true"}. A
// histogram has the number and the sum of its observations.
func gather(t *testing.T, reg prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += "{" + l.GetName() + "=" + strconv.Quote(l.GetValue()) + "}"
			}
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				values[name] = m.GetCounter().GetValue()
			case dto.MetricType_GAUGE:
				values[name] = m.GetGauge().GetValue()
			case dto.MetricType_HISTOGRAM:
				values[name+"_count"] = float64(m.GetHistogram().GetSampleCount())
				values[name+"_sum"] = m.GetHistogram().GetSampleSum()
			default:
				t.Errorf("%s is a %v", name, f.GetType())
			}
		}
	}
	return values
}

// Each number of a hub is exported under its name.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards want
		want := map[string]float64{}
		m := metrics.New(nil)
		observer := m.Observer(room.Observer{
			Broadcast: func(_ context.Context, b room.BroadcastInfo) {
				mu.Lock()
				defer mu.Unlock()
				want["planrooms_broadcasts_total"]++
				want["planrooms_broadcast_bytes_total"] += float64(b.Bytes)
			},
			Delivered: func(d room.DeliveryInfo) {
				if d.Events == 0 {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				want["planrooms_delivery_lag_seconds_count"]++
				want["planrooms_deliveries_total"] += float64(d.Events * d.Connections)
				want["planrooms_delivery_bytes_total"] += float64(d.Bytes * d.Connections)
				want["planrooms_deliveries_late_total"] += float64(d.Late)
			},
		})
		exercise.Run(t, observer, m.Watch, func(h *room.Hub) {
			mu.Lock()
			defer mu.Unlock()
			s := h.Stats()
			maps.Copy(want, map[string]float64{
				"planrooms_connections":  float64(s.Connections),
				"planrooms_users":        float64(s.Users),
				"planrooms_rooms":        float64(s.Rooms),
				"planrooms_participants": float64(s.Participants),
				"planrooms_gate_open":    1, "planrooms_ready": 1,
				"planrooms_history_bytes":                         float64(s.HistoryBytes),
				"planrooms_authorize_running":                     2,
				"planrooms_authorize_overdue":                     1,
				"planrooms_joins_waiting":                         1,
				"planrooms_rechecks_waiting":                      float64(s.RechecksWaiting),
				"planrooms_connects_total":                        float64(s.Connects),
				`planrooms_disconnects_total{code="1006"}`:        2,
				`planrooms_disconnects_total{code="4403"}`:        1,
				`planrooms_disconnects_total{code="4508"}`:        1,
				`planrooms_disconnects_total{code="other"}`:       1,
				`planrooms_refusals_total{reason="origin"}`:       1,
				`planrooms_refusals_total{reason="other"}`:        1,
				"planrooms_too_slow_total":                        1,
				"planrooms_slow_total":                            float64(s.Slow),
				"planrooms_resyncs_total":                         float64(s.Resyncs),
				`planrooms_joins_total{recovered="true"}`:         1,
				`planrooms_joins_total{recovered="false"}`:        float64(s.Joins - 1),
				"planrooms_joins_denied_total":                    float64(s.Denied),
				"planrooms_resumes_failed_total":                  1,
				`planrooms_leaves_total{reason="closed"}`:         4,
				`planrooms_leaves_total{reason="forbidden"}`:      1,
				`planrooms_leaves_total{reason="requested"}`:      1,
				`planrooms_leaves_total{reason="revoked"}`:        1,
				`planrooms_rechecks_total{result="kept"}`:         float64(s.Rechecks - s.RechecksUndecided - 1),
				`planrooms_rechecks_total{result="undecided"}`:    float64(s.RechecksUndecided),
				`planrooms_rechecks_total{result="removed"}`:      1,
				"planrooms_evicted_events_total":                  1,
				`planrooms_notifications_total{result="queued"}`:  1,
				`planrooms_notifications_total{result="dropped"}`: 2,
			})
			for name, value := range want {
				if value == 0 {
					t.Errorf("the test does not use %s", name)
				}
			}
			got := gather(t, register(t, m))
			for name, value := range got {
				if value == 0 {
					delete(got, name)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("values other than 0 (-want +got):\n%s", diff)
			}
		})
	})
}

// While a hub shuts down, the gauges show how many connections are left.
func TestMetricsDuringShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New(nil)
		h := newHub(m.Observer(room.Observer{}))
		m.Watch(h)
		reg := register(t, m)
		stalled := roomtest.Connect(t, h, auth.Identity{UserID: "ann"}, &roomtest.Options{SocketBuffer: 10})
		stalled.Join("p", nil)
		stalled.Stall()
		broadcast(t, h, "p")
		want := func(when string, down, left float64) {
			t.Helper()
			synctest.Wait()
			got := gather(t, reg)
			if got["planrooms_shutting_down"] != down || got["planrooms_connections"]+got["planrooms_closing_connections"] != left {
				t.Errorf("%s: shutting down %v, %v open and %v closing connections", when,
					got["planrooms_shutting_down"], got["planrooms_connections"], got["planrooms_closing_connections"])
			}
		}
		want("before", 0, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = h.Shutdown(ctx) // the stalled connection does not take its goodbye
		}()
		want("during", 1, 1)
		<-done
		want("after", 1, 0)
	})
}

// Delivered is observed with its lag, once for each pass that had events.
func TestLag(t *testing.T) {
	m := metrics.New(&metrics.Options{LagBuckets: []float64{1, 10}})
	o := m.Observer(room.Observer{})
	o.Delivered(room.DeliveryInfo{Events: 3, Connections: 2, Lag: 2500 * time.Millisecond})
	o.Delivered(room.DeliveryInfo{Events: 1, Connections: 2, Lag: 500 * time.Millisecond})
	o.Delivered(room.DeliveryInfo{Connections: 2}) // notices alone
	families, err := register(t, m).Gather()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "planrooms_delivery_lag_seconds" })
	h := families[i].GetMetric()[0].GetHistogram()
	buckets := map[float64]uint64{}
	for _, b := range h.GetBucket() {
		buckets[b.GetUpperBound()] = b.GetCumulativeCount()
	}
	if diff := cmp.Diff(map[float64]uint64{1: 1, 10: 2}, buckets); diff != "" || h.GetSampleSum() != 3 || h.GetSampleCount() != 2 {
		t.Errorf("%d observations of %v s in all (-want +got):\n%s", h.GetSampleCount(), h.GetSampleSum(), diff)
	}
}

// The names, types and help texts follow the rules of Prometheus.
func TestLint(t *testing.T) {
	m := metrics.New(nil)
	m.Watch(newHub(m.Observer(room.Observer{})))
	problems, err := testutil.GatherAndLint(register(t, m))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// All functions of the host's Observer are still called, once for each call.
func TestObserverOfTheHost(t *testing.T) {
	var next room.Observer
	calls := map[string]int{}
	fields := reflect.TypeFor[room.Observer]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		reflect.ValueOf(&next).Elem().Field(i).Set(reflect.MakeFunc(fields.Field(i).Type, func([]reflect.Value) []reflect.Value {
			calls[name]++
			return nil
		}))
	}
	wrapped := reflect.ValueOf(metrics.New(nil).Observer(next))
	want := map[string]int{}
	for i := range fields.NumField() {
		f := fields.Field(i)
		args := make([]reflect.Value, f.Type.NumIn())
		for n := range args {
			args[n] = reflect.Zero(f.Type.In(n))
		}
		wrapped.Field(i).Call(args)
		want[f.Name] = 1
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// If the host has no Observer, the hub gets only the two functions that count. Others would cost a
// goroutine each.
func TestObserverWithoutHost(t *testing.T) {
	o := reflect.ValueOf(metrics.New(nil).Observer(room.Observer{}))
	var set []string
	for i := range o.NumField() {
		if !o.Field(i).IsNil() {
			set = append(set, o.Type().Field(i).Name)
		}
	}
	if diff := cmp.Diff([]string{"Broadcast", "Delivered"}, set); diff != "" {
		t.Errorf("set (-want +got):\n%s", diff)
	}
}

func TestObserverDoesNotAllocate(t *testing.T) {
	o := metrics.New(nil).Observer(room.Observer{})
	ctx := t.Context()
	n := testing.AllocsPerRun(100, func() {
		o.Broadcast(ctx, room.BroadcastInfo{PlanID: "p", Bytes: 100})
		o.Delivered(room.DeliveryInfo{PlanID: "p", Events: 1, Bytes: 100, Connections: 10, Lag: time.Millisecond})
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Before Watch there are only the metrics that do not come from a hub.
func TestBeforeWatch(t *testing.T) {
	m := metrics.New(nil)
	reg := register(t, m)
	want := []string{
		"planrooms_broadcast_bytes_total", "planrooms_deliveries_late_total", "planrooms_deliveries_total",
		"planrooms_delivery_bytes_total", "planrooms_delivery_lag_seconds_count", "planrooms_delivery_lag_seconds_sum",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(gather(t, reg)))); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestWatchPanics(t *testing.T) {
	m := metrics.New(nil)
	panics := func(name string, hub *room.Hub) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("no panic: %s", name)
			}
		}()
		m.Watch(hub)
	}
	panics("nil", nil)
	m.Watch(newHub(room.Observer{}))
	panics("a second hub", newHub(room.Observer{}))
}
