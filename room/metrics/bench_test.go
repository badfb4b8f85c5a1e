package metrics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

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
	b.Run("off", func(b *testing.B) { benchmark(b, room.Observer{}, func(*room.Hub) {}, b.Context) })
	b.Run("prometheus", func(b *testing.B) {
		m := metrics.New(nil)
		register(b, m)
		benchmark(b, m.Observer(room.Observer{}), m.Watch, b.Context)
	})
	for _, every := range []int{0, 100, 1} {
		name := "otel"
		if every > 0 {
			name = fmt.Sprint("otel, 1 in ", every, " broadcasts sampled")
		}
		b.Run(name, func(b *testing.B) {
			o := newInstruments(b)
			benchmark(b, o.Observer(room.Observer{}), o.Watch, sampled(b.Context(), every))
		})
	}
}

// BenchmarkObserver is the cost of metrics and spans alone, of one broadcast and one pass.
func BenchmarkObserver(b *testing.B) {
	run := func(b *testing.B, o room.Observer, contexts func() context.Context) {
		b.ReportAllocs()
		for b.Loop() {
			o.Broadcast(contexts(), room.BroadcastInfo{PlanID: "plan-1", Type: "task-updated", Timestamp: time.Now(), Bytes: 400, Recipients: 10})
			o.Delivered(room.DeliveryInfo{PlanID: "plan-1", Events: 1, Bytes: 400, Connections: 10, Lag: 100 * time.Microsecond})
		}
	}
	b.Run("prometheus", func(b *testing.B) { run(b, metrics.New(nil).Observer(room.Observer{}), b.Context) })
	b.Run("otel", func(b *testing.B) { run(b, newInstruments(b).Observer(room.Observer{}), b.Context) })
	b.Run("otel, sampled", func(b *testing.B) { run(b, newInstruments(b).Observer(room.Observer{}), sampled(b.Context(), 1)) })
}

func newInstruments(b *testing.B) *otelroom.Instruments {
	o, err := otelroom.New(&otelroom.Options{
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(metric.NewManualReader())),
		TracerProvider: sdk.NewTracerProvider(sdk.WithBatcher(nowhere{})),
	})
	if err != nil {
		b.Fatal(err)
	}
	return o
}

// sampled returns contexts of which one in every is in a sampled trace; none if every is 0.
func sampled(ctx context.Context, every int) func() context.Context {
	parent := trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled,
	}))
	n := 0
	return func() context.Context {
		if n++; every > 0 && n%every == 0 {
			return parent
		}
		return ctx
	}
}

// nowhere exports spans to no place.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []sdk.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                        { return nil }

func benchmark(b *testing.B, o room.Observer, watch func(*room.Hub), contexts func() context.Context) {
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
		if _, err := h.BroadcastTaskUpdated(contexts(), fmt.Sprint("plan", n%rooms), task); err != nil {
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
