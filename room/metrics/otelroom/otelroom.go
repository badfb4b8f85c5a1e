// Package otelroom exports the numbers of a [room.Hub] through OpenTelemetry, and makes a span for
// each broadcast of a trace that is sampled.
//
//	o, err := otelroom.New(nil)
//	hub := room.NewHub(&room.Options{Authorize: authorize, Observer: o.Observer(room.Observer{})})
//	o.Watch(hub)
//
// It uses the API of OpenTelemetry and leaves the SDK and its exporters to the host. README.md, one
// folder up, lists the metrics.
//
// # Spans
//
// A span "broadcast task-updated", of kind producer, is a child of the span in the context that
// [room.Hub.Broadcast] got. If that context has no span, or one that is not sampled, there is no
// span: this keeps the cost with the traces that are wanted. A job whose broadcasts are to be
// traced starts its own span first.
//
// The span lasts from the call until the event has its position; it does not include the delivery.
// Its attributes follow the conventions for messaging where there is one:
//
//	messaging.system                  planrooms
//	messaging.operation.name          broadcast
//	messaging.operation.type          send
//	messaging.destination.name        the plan; see Options.HidePlans
//	messaging.message.envelope.size   bytes of the message, without framing
//	planrooms.event.type              such as task-updated
//	planrooms.event.seq               the position in the plan, with planrooms.event.epoch
//	planrooms.event.mutation          the client's ID for the change, if the broadcast had one
//	planrooms.broadcast.recipients    connections in the room
//
// [room.Hub.BroadcastBatch] and [room.Hub.BroadcastToPlans] make one span for each event. A user ID
// is never an attribute.
//
// # Links
//
// Broadcasts have no links. A worker that handles a message of an event bus starts its own span,
// which links to the span of the sender, and passes its context to Broadcast.
//
// A delivery has no span: one pass writes the events of several traces to all connections of a
// room. The metric planrooms.delivery.lag has the time that it takes. Clients find the broadcast of
// an event by its plan and seq, which are in the event and in the span, and those of their own
// changes also by the mutation ID. The trace context is not sent to clients.
package otelroom

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics/internal/source"
)

// Scope is the name of the instrumentation scope of all metrics and spans.
const Scope = "github.com/planrooms/planrooms/room/metrics/otelroom"

// Options configure [New]. Nil means the defaults.
type Options struct {
	// MeterProvider is where the metrics go. Default: the global one.
	MeterProvider metric.MeterProvider
	// TracerProvider is where the spans go. Default: the global one. To have no spans, use that of
	// package go.opentelemetry.io/otel/trace/noop.
	TracerProvider trace.TracerProvider
	// HidePlans leaves the plan ID out of the spans, for hosts whose plan IDs are secret.
	HidePlans bool
}

// Instruments are the metrics and spans of one hub. Methods may be called concurrently.
type Instruments struct {
	source    source.Source
	tracer    trace.Tracer
	lag       metric.Float64Histogram
	callback  metric.Registration
	hidePlans bool
}

// New returns the instruments of a hub. They are complete after [Instruments.Observer] and
// [Instruments.Watch]. It returns an error if the MeterProvider refuses an instrument.
func New(opts *Options) (*Instruments, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	i := &Instruments{tracer: o.TracerProvider.Tracer(Scope), hidePlans: o.HidePlans}
	meter := o.MeterProvider.Meter(Scope)
	var err error
	i.lag, err = meter.Float64Histogram(source.Lag.OTel, metric.WithUnit(source.Lag.Unit),
		metric.WithDescription(source.Lag.Help+"."), metric.WithExplicitBucketBoundaries(source.Bounds...))
	if err != nil {
		return nil, fmt.Errorf("otelroom: %w", err)
	}
	observables := make(map[*source.Metric]metric.Int64Observable)
	var all []metric.Observable
	for n := range source.Metrics {
		m := &source.Metrics[n]
		observable, err := newObservable(meter, m)
		if err != nil {
			return nil, fmt.Errorf("otelroom: %w", err)
		}
		observables[m] = observable
		all = append(all, observable)
	}
	i.callback, err = meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		i.source.Read(func(m *source.Metric, label string, value int64) {
			if m.Attribute == "" {
				to.ObserveInt64(observables[m], value)
			} else {
				to.ObserveInt64(observables[m], value, metric.WithAttributes(attribute.String(m.Attribute, label)))
			}
		})
		return nil
	}, all...)
	if err != nil {
		return nil, fmt.Errorf("otelroom: %w", err)
	}
	return i, nil
}

// newObservable returns the instrument of a metric of the table. The gauges are counts, so the sum
// over several instances of a service has a meaning: they are UpDownCounters.
func newObservable(meter metric.Meter, m *source.Metric) (metric.Int64Observable, error) {
	unit, description := metric.WithUnit(m.Unit), metric.WithDescription(m.Help+".")
	if m.Counter {
		return meter.Int64ObservableCounter(m.OTel, unit, description)
	}
	return meter.Int64ObservableUpDownCounter(m.OTel, unit, description)
}

// Observer returns an Observer for [room.Options], which counts, makes spans, and then calls the
// functions of next, the Observer of the host. It sets Broadcast and Delivered.
func (i *Instruments) Observer(next room.Observer) room.Observer {
	return i.source.Observer(next, source.Hooks{
		Broadcast: i.broadcast,
		Lag:       func(d time.Duration) { i.lag.Record(context.Background(), d.Seconds()) },
	})
}

// Watch exports the numbers of hub, from now on. Before it was called, only the metrics of the
// Observer have values. It panics if hub is nil and at a second call.
func (i *Instruments) Watch(hub *room.Hub) { i.source.Watch(hub) }

// Close ends the export of the hub's numbers, and releases the hub. Call it only if the
// MeterProvider goes on when the hub has been shut down.
func (i *Instruments) Close() error { return i.callback.Unregister() }

// broadcast makes the span of a broadcast, which has just ended.
func (i *Instruments) broadcast(ctx context.Context, b room.BroadcastInfo) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return
	}
	_, span := i.tracer.Start(ctx, "broadcast "+string(b.Type), trace.WithSpanKind(trace.SpanKindProducer), trace.WithTimestamp(b.Timestamp))
	defer span.End()
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(
		attribute.String("messaging.system", "planrooms"),
		attribute.String("messaging.operation.name", "broadcast"),
		attribute.String("messaging.operation.type", "send"),
		attribute.Int("messaging.message.envelope.size", b.Bytes),
		attribute.String("planrooms.event.type", string(b.Type)),
		attribute.Int64("planrooms.event.seq", int64(b.Position.Seq)),
		attribute.String("planrooms.event.epoch", b.Position.Epoch),
		attribute.Int("planrooms.broadcast.recipients", b.Recipients),
	)
	if !i.hidePlans {
		span.SetAttributes(attribute.String("messaging.destination.name", b.PlanID))
	}
	if b.MutationID != "" {
		span.SetAttributes(attribute.String("planrooms.event.mutation", b.MutationID))
	}
}
