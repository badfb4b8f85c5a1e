package peer

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics"
	"github.com/planrooms/planrooms/room/metrics/otelroom"
)

// Our library with the exporters of room/metrics. They are no part of a run unless it names them.
const (
	// Metrics is with the metrics for Prometheus.
	Metrics = "planrooms-metrics"
	// OTel is with the metrics of OpenTelemetry, and with the spans of 1 in 100 broadcasts.
	OTel = "planrooms-otel"
)

func newPlanroomsMetrics(o Options) (Server, error) {
	m := metrics.New(nil)
	if err := prometheus.NewRegistry().Register(m); err != nil {
		return nil, err
	}
	p, err := newObserved(o, m.Observer(room.Observer{}))
	if err != nil {
		return nil, err
	}
	m.Watch(p.hub)
	return p, nil
}

func newPlanroomsOTel(o Options) (Server, error) {
	instruments, err := otelroom.New(&otelroom.Options{
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(metric.NewManualReader())),
		TracerProvider: sdk.NewTracerProvider(sdk.WithBatcher(nowhere{})),
	})
	if err != nil {
		return nil, err
	}
	p, err := newObserved(o, instruments.Observer(room.Observer{}))
	if err != nil {
		return nil, err
	}
	instruments.Watch(p.hub)
	sampled := trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled,
	}))
	published := 0
	p.context = func() context.Context { // Publish is called from one goroutine
		if published++; published%sampleOneIn == 0 {
			return sampled
		}
		return context.Background()
	}
	return p, nil
}

// sampleOneIn is how many broadcasts there are for one in a sampled trace.
const sampleOneIn = 100

// nowhere drops the spans that it exports.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []sdk.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                        { return nil }
