//go:build !race

// The race detector turns off optimizations of the compiler, so code that it checks allocates more.

package record_test

import (
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

// A broadcast allocates its body and its record, each once.
func TestAppendAllocates(t *testing.T) {
	e := benchEvent(t)
	h := record.Header{Cluster: cluster, Kind: record.KindEvent, Plan: "plan-1234"}
	if n := testing.AllocsPerRun(100, func() { record.Append(nil, h, e.Append(nil)) }); n != 2 {
		t.Errorf("Append allocates %v times, want 2", n)
	}
}

// A node allocates the plan, the texts, the exclusions and the copy of the encoded event.
func TestParseAllocates(t *testing.T) {
	e := benchEvent(t)
	data := record.Append(nil, record.Header{Cluster: cluster, Kind: record.KindEvent, Plan: "plan-1234"}, e.Append(nil))
	if n := testing.AllocsPerRun(100, func() {
		_, body, _ := record.Parse(data)
		got, _ := record.ParseEvent(body)
		copied = protocol.EncodedFrom(got.Encoded)
	}); n != 4 {
		t.Errorf("Parse and ParseEvent allocate %v times, want 4", n)
	}
}

var copied protocol.EncodedEvent // keeps the compiler from leaving out the copy
