package protocol_test

import (
	"encoding/json"
	"testing"

	"github.com/planrooms/planrooms/protocol"
)

// BenchmarkEncodeEvent measures the encoding of an event, which a broadcast does once for all
// viewers.
func BenchmarkEncodeEvent(b *testing.B) {
	task := json.RawMessage(`{"id":"task-4711","title":"Write the benchmark before the claim","done":false,"order":17}`)
	for _, tt := range []struct {
		name string
		data any
	}{
		{"raw", task},
		{"struct", struct {
			ID    string `json:"id"`
			Title string `json:"title"`
			Done  bool   `json:"done"`
			Order int    `json:"order"`
		}{"task-4711", "Write the benchmark before the claim", false, 17}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e, err := protocol.EncodeEvent(protocol.TaskUpdated(tt.data), eventMeta, 1<<10)
				if err != nil {
					b.Fatal(err)
				}
				e.Splice(43, 42)
			}
		})
	}
}

// BenchmarkDecode measures what a client in Go does for each event.
func BenchmarkDecode(b *testing.B) {
	e, err := protocol.EncodeEvent(protocol.TaskUpdated(json.RawMessage(`{"id":"task-4711","title":"Write the benchmark before the claim"}`)), eventMeta, 1<<10)
	if err != nil {
		b.Fatal(err)
	}
	frame := e.Splice(43, 42)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := protocol.Decode(frame); err != nil {
			b.Fatal(err)
		}
	}
}
