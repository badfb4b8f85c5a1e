package record_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

// benchEvent returns an event of 400 bytes as a host publishes it: with the user, the mutation ID
// and an exclusion of the client that made the change.
func benchEvent(tb testing.TB) record.Event {
	e := record.Event{
		ID: "n:web-1.4f2a9c0d17e83b65.123456", Type: protocol.TypeTaskUpdated, By: "user-4711", MutationID: "0f8e2d1c4b5a", At: at,
		Except: []record.Exclusion{{UserID: "user-4711", ClientID: "c7d1a9e2"}},
	}
	data := json.RawMessage(fmt.Sprintf(`{"id":"t1","title":%q}`, strings.Repeat("x", 234)))
	meta := protocol.EventMeta{PlanID: "plan-1234", By: e.By, MutationID: e.MutationID, Timestamp: at}
	encoded, err := protocol.EncodeEvent(protocol.TaskUpdated(data), meta, 1<<10)
	if err != nil {
		tb.Fatal(err)
	}
	if n := len(encoded.Bytes()); n != 400 {
		tb.Fatalf("the event has %d bytes", n)
	}
	e.Encoded = encoded.Bytes()
	return e
}

// BenchmarkAppend measures what a broadcast does once to make a record of an encoded event.
func BenchmarkAppend(b *testing.B) {
	e := benchEvent(b)
	h := record.Header{Cluster: cluster, Kind: record.KindEvent, Plan: "plan-1234"}
	b.ReportAllocs()
	for b.Loop() {
		record.Append(nil, h, e.Append(nil))
	}
}

// BenchmarkParse measures what each node does for each event of the cluster until it has an encoded
// event for its room.
func BenchmarkParse(b *testing.B) {
	e := benchEvent(b)
	data := record.Append(nil, record.Header{Cluster: cluster, Kind: record.KindEvent, Plan: "plan-1234"}, e.Append(nil))
	b.ReportAllocs()
	for b.Loop() {
		_, body, err := record.Parse(data)
		if err != nil {
			b.Fatal(err)
		}
		got, err := record.ParseEvent(body)
		if err != nil {
			b.Fatal(err)
		}
		protocol.EncodedFrom(got.Encoded)
	}
}
