package otelroom_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics/otelroom"
)

func Example() {
	spans := tracetest.NewSpanRecorder() // in a service, a batcher with an exporter
	tracers := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))

	o, err := otelroom.New(&otelroom.Options{MeterProvider: meters, TracerProvider: tracers})
	if err != nil {
		fmt.Println(err)
		return
	}
	authorize := func(context.Context, auth.Identity, string) error { return nil }
	hub := room.NewHub(&room.Options{Authorize: authorize, Observer: o.Observer(room.Observer{})})
	o.Watch(hub)

	ctx, request := tracers.Tracer("service").Start(context.Background(), "DELETE /tasks/{id}")
	_, _ = hub.BroadcastTaskDeleted(ctx, "plan-1", "task-7")
	request.End()
	for _, span := range spans.Ended() {
		fmt.Println(span.Name(), span.Parent().IsValid())
	}
	// Output:
	// broadcast task-deleted true
	// DELETE /tasks/{id} false
}

func ExampleNew() {
	authorize := func(context.Context, auth.Identity, string) error { return nil }

	o, err := otelroom.New(nil) // the global providers
	if err != nil {
		log.Fatal(err)
	}
	hub := room.NewHub(&room.Options{Authorize: authorize, Observer: o.Observer(room.Observer{})})
	o.Watch(hub)

	fmt.Println(hub.Stats().Broadcasts)
	// Output: 0
}
