package protocol_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
)

// A message that Decode accepts must be the same after encoding and decoding it again.
func FuzzRoundTrip(f *testing.F) {
	seed(f)
	f.Add([]byte(`{"type":"x","planId":"\u2028","timestamp":"2026-03-04T05:06:07.1239+02:00","seq":2,"prev":1,"by":"\ud800","data": [ 1 ] }`))
	f.Add([]byte(`{"type":"progress-updated","seq":1}`))
	f.Add([]byte(`{"type":"x","data":1,"seq":1,"version":{"key":"\ud83d\ude00","n":9007199254740991}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := protocol.Decode(b)
		if err != nil || !utf8.Valid(b) || m.Timestamp.Year() > 9999 || m.Timestamp.Year() < 0 {
			return
		}
		m.Timestamp = m.Timestamp.Truncate(time.Millisecond)
		var data any
		if m.Data != nil {
			data = m.Data
		}
		var again []byte
		if m.Seq > 0 {
			event := protocol.Event{Type: m.Type, Data: data}
			encoded, err := protocol.EncodeEvent(event, protocol.EventMeta{
				PlanID: m.PlanID, By: m.By, MutationID: m.MutationID, Timestamp: m.Timestamp, Version: m.Version,
			}, len(b)+len("null"))
			if errors.Is(err, protocol.ErrEventType) || errors.Is(err, protocol.ErrEventData) && lacksKey(m) {
				return // Decode accepts events that a host must not send
			}
			if err != nil {
				t.Fatalf("EncodeEvent of %q: %v", b, err)
			}
			again = encoded.Splice(m.Seq, m.Prev)
		} else {
			m.By, m.MutationID, m.Version = "", "", protocol.EventVersion{} // only events have them
			if again, err = protocol.Encode(m.Type, m.PlanID, data, m.Timestamp); err != nil {
				t.Fatalf("Encode of %q: %v", b, err)
			}
		}
		decoded, err := protocol.Decode(again)
		if err != nil {
			t.Fatalf("Decode(%q) = %v, from %q", again, err, b)
		}
		m.Data, decoded.Data = compactRaw(t, m.Data), compactRaw(t, decoded.Data)
		if diff := cmp.Diff(m, decoded); diff != "" {
			t.Fatalf("%q decodes to another message than %q:\n%s", again, b, diff)
		}
	})
}

// lacksKey reports whether m has one of the protocol's own event types, and data without the key of
// that type.
func lacksKey(m protocol.Message) bool {
	keys := map[protocol.Type]string{
		protocol.TypeTaskUpdated: "task", protocol.TypeTaskCreated: "task", protocol.TypeTaskDeleted: "taskId",
		protocol.TypeTaskReordered: "taskIds", protocol.TypeProgressUpdated: "progress",
	}
	key, ok := keys[m.Type]
	var members map[string]json.RawMessage
	return ok && (json.Unmarshal(m.Data, &members) != nil || members[key] == nil)
}

func compactRaw(t *testing.T, raw json.RawMessage) json.RawMessage {
	t.Helper()
	var b bytes.Buffer
	if raw == nil {
		return nil
	}
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Results must not change when the caller overwrites its input.
func TestInputIsNotRetained(t *testing.T) {
	t.Run("Decode", func(t *testing.T) {
		in := []byte(`{"type":"note","planId":"demo","data":{"a":"b"},"seq":2,"prev":1,"by":"alice","mutationId":"m"}`)
		got, err := protocol.Decode(in)
		if err != nil {
			t.Fatal(err)
		}
		clear(in)
		want := protocol.Message{Type: "note", PlanID: "demo", Data: json.RawMessage(`{"a":"b"}`), Seq: 2, Prev: 1, By: "alice", MutationID: "m"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Decode (-want +got):\n%s", diff)
		}
	})
	t.Run("DecodeRequest error", func(t *testing.T) {
		in := []byte(`{"type":"dance","planId":"demo"}`)
		_, err := protocol.DecodeRequest(in)
		clear(in)
		var refused *protocol.RequestError
		if !errors.As(err, &refused) || refused.Re != "dance" || refused.PlanID != "demo" {
			t.Errorf("DecodeRequest = %+v", err)
		}
	})
	t.Run("EncodeEvent", func(t *testing.T) {
		data := json.RawMessage(`{"id":"t1"}`)
		e, err := protocol.EncodeEvent(protocol.TaskUpdated(data), eventMeta, 100)
		if err != nil {
			t.Fatal(err)
		}
		clear(data)
		if b := e.Splice(2, 1); !bytes.Contains(b, []byte(`"data":{"task":{"id":"t1"}}`)) {
			t.Errorf("the event changed when the caller changed its data: %q", b)
		}
	})
	t.Run("AppendReceipt", func(t *testing.T) {
		b := protocol.AppendReceipt([]byte("before"), eventMeta, 2, 1)
		if !bytes.HasPrefix(b, []byte(`before{"type":"receipt",`)) {
			t.Errorf("AppendReceipt = %q", b)
		}
	})
}
