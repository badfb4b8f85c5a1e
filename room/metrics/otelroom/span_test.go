package otelroom_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics/otelroom"
	"github.com/planrooms/planrooms/room/roomtest"
)

// tracing returns a hub that makes spans, a tracer for those of the host, and what they record.
func tracing(t *testing.T, opts otelroom.Options) (*room.Hub, trace.Tracer, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	opts.TracerProvider = provider
	o, err := otelroom.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	return newHub(o.Observer(room.Observer{})), provider.Tracer("host"), spans
}

func attributes(s sdk.ReadOnlySpan) map[attribute.Key]any {
	all := map[attribute.Key]any{}
	for _, kv := range s.Attributes() {
		all[kv.Key] = kv.Value.AsInterface()
	}
	return all
}

// A broadcast is a child span of the request, with the attributes of the event.
func TestSpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, tracer, spans := tracing(t, otelroom.Options{})
		m := roomtest.Join(t, h, "ann", "p")
		ctx, request := tracer.Start(t.Context(), "PATCH /tasks/{id}")
		began := time.Now()
		p, err := h.BroadcastTaskUpdated(ctx, "p", slowTask{}, room.By("bob"), room.Mutation("m1"))
		if err != nil {
			t.Fatal(err)
		}
		request.End()
		m.Next()

		ended := spans.Ended()
		if len(ended) != 2 {
			t.Fatalf("%d spans, want that of the broadcast and that of the request", len(ended))
		}
		s := ended[0]
		if s.Name() != "broadcast task-updated" || s.SpanKind() != trace.SpanKindProducer || s.InstrumentationScope().Name != otelroom.Scope {
			t.Errorf("span %q of kind %v in scope %s", s.Name(), s.SpanKind(), s.InstrumentationScope().Name)
		}
		if s.Parent().SpanID() != request.SpanContext().SpanID() || s.SpanContext().TraceID() != request.SpanContext().TraceID() {
			t.Error("it is not a child of the span of the request")
		}
		if d := s.EndTime().Sub(s.StartTime()); !s.StartTime().Equal(began) || d != time.Second {
			t.Errorf("it lasts %v from %v, want a second from %v", d, s.StartTime(), began)
		}
		got := attributes(s)
		if size, _ := got["messaging.message.envelope.size"].(int64); size < 50 {
			t.Errorf("envelope size %v", got["messaging.message.envelope.size"])
		}
		delete(got, "messaging.message.envelope.size")
		want := map[attribute.Key]any{
			"messaging.system": "planrooms", "messaging.operation.name": "broadcast", "messaging.operation.type": "send",
			"messaging.destination.name": "p", "planrooms.event.type": "task-updated", "planrooms.event.seq": int64(p.Seq),
			"planrooms.event.epoch": p.Epoch, "planrooms.event.mutation": "m1", "planrooms.broadcast.recipients": int64(1),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("attributes (-want +got):\n%s", diff)
		}
		if err := h.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// slowTask takes a second to encode.
type slowTask struct{}

func (slowTask) MarshalJSON() ([]byte, error) {
	time.Sleep(time.Second)
	return []byte(`{"id":"8"}`), nil
}

// Each event of a batch has a separate span with its position.
func TestSpansOfABatch(t *testing.T) {
	h, tracer, spans := tracing(t, otelroom.Options{})
	ctx, request := tracer.Start(t.Context(), "import")
	last, err := h.BroadcastBatch(ctx, "p", []protocol.Event{protocol.TaskDeleted("1"), protocol.TaskDeleted("2")})
	if err != nil {
		t.Fatal(err)
	}
	var seqs []any
	for _, s := range spans.Ended() {
		if s.Parent().SpanID() != request.SpanContext().SpanID() {
			t.Errorf("%s is not a child of the span of the import", s.Name())
		}
		seqs = append(seqs, attributes(s)["planrooms.event.seq"])
	}
	if diff := cmp.Diff([]any{int64(last.Seq) - 1, int64(last.Seq)}, seqs); diff != "" {
		t.Errorf("positions (-want +got):\n%s", diff)
	}
}

// With HidePlans no attribute has the plan.
func TestHidePlans(t *testing.T) {
	h, tracer, spans := tracing(t, otelroom.Options{HidePlans: true})
	ctx, _ := tracer.Start(t.Context(), "request")
	broadcast(t, h, ctx, "secret-plan", room.By("ann"))
	ended := spans.Ended()
	if len(ended) != 1 {
		t.Fatalf("%d spans, want one", len(ended))
	}
	for key, value := range attributes(ended[0]) {
		if value == "secret-plan" || value == "ann" {
			t.Errorf("%s = %v", key, value)
		}
	}
}

// Without a trace, or in one that is not sampled, no span is made; in one that another process
// has sampled there is.
func TestNotSampled(t *testing.T) {
	h, _, spans := tracing(t, otelroom.Options{})
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, Remote: true})
	broadcast(t, h, t.Context(), "p")
	broadcast(t, h, trace.ContextWithSpanContext(t.Context(), parent), "p")
	if n := len(spans.Ended()); n != 0 {
		t.Errorf("%d spans", n)
	}
	broadcast(t, h, trace.ContextWithSpanContext(t.Context(), parent.WithTraceFlags(trace.FlagsSampled)), "p")
	if ended := spans.Ended(); len(ended) != 1 || ended[0].Parent().SpanID() != parent.SpanID() {
		t.Errorf("%d spans in a sampled trace, want a child of it", len(ended))
	}
}
