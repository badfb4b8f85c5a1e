package metrics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics"
	"github.com/planrooms/planrooms/room/metrics/otelroom"
	"github.com/planrooms/planrooms/room/roomtest"
)

// BenchmarkBroadcast publishes to rooms of ten in turn, without and with metrics and spans. ns/op
// is the time of one event until its last delivery, into a connection that costs nothing. Over
// sockets a delivery costs far more, and the difference is the same: examples/compare measures
// that.
func BenchmarkBroadcast(b *testing.B) {
	b.Run("off", func(b *testing.B) { benchmark(b, room.Observer{}, func(*room.Hub) {}) })
	b.Run("prometheus", func(b *testing.B) {
		m := metrics.New(nil)
		register(b, m)
		benchmark(b, m.Observer(room.Observer{}), m.Watch)
	})
	for name, sampler := range map[string]trace.Sampler{
		"otel, 1 % of spans": trace.TraceIDRatioBased(0.01), "otel, all spans": trace.AlwaysSample(),
	} {
		b.Run(name, func(b *testing.B) {
			o, err := otelroom.New(&otelroom.Options{
				MeterProvider:  metric.NewMeterProvider(metric.WithReader(metric.NewManualReader())),
				TracerProvider: trace.NewTracerProvider(trace.WithSampler(sampler), trace.WithBatcher(nowhere{})),
			})
			if err != nil {
				b.Fatal(err)
			}
			benchmark(b, o.Observer(room.Observer{}), o.Watch)
		})
	}
}

// nowhere exports spans to no place.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []trace.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                          { return nil }

func benchmark(b *testing.B, o room.Observer, watch func(*room.Hub)) {
	const rooms, members = 100, 10
	h := newHub(o)
	watch(h)
	defer func() {
		if err := h.Shutdown(context.Background()); err != nil {
			b.Error(err)
		}
	}()
	counts := make([]roomtest.Counts, rooms)
	for n := range rooms * members {
		k := roomtest.NewSink(&roomtest.SinkOptions{Discard: true, Counts: &counts[n%rooms]})
		if err := k.Connect(h, auth.Identity{UserID: fmt.Sprint("user", n)}, nil); err != nil {
			b.Fatal(err)
		}
		k.Session().Receive(fmt.Appendf(nil, `{"type":"join-plan","planId":"plan%d"}`, n%rooms))
	}
	// At rest, when the notices of the joins have been written.
	for h.Stats().Joins < rooms*members {
		runtime.Gosched()
	}
	total := func() (n int64) {
		for i := range counts {
			n += counts[i].Writes.Load()
		}
		return n
	}
	for last := int64(-1); total() != last; time.Sleep(1100 * time.Millisecond) {
		last = total()
	}
	task := json.RawMessage(`{"id":"task-4711","title":"Write the benchmark before the claim","done":false}`)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		writes := &counts[n%rooms].Writes
		want := writes.Load() + members
		if _, err := h.BroadcastTaskUpdated(b.Context(), fmt.Sprint("plan", n%rooms), task); err != nil {
			b.Fatal(err)
		}
		for begin, spins := time.Now(), 1; writes.Load() < want; spins++ {
			if spins%(1<<16) == 0 && time.Since(begin) > 30*time.Second {
				b.Fatal("the event was not delivered")
			}
			runtime.Gosched()
		}
		n++
	}
}
