package protocol_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
)

// seed adds the golden frames to the corpus.
func seed(f *testing.F) {
	files, err := filepath.Glob("testdata/golden/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden frames: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimSpace(b))
	}
}

func FuzzDecodeRequest(f *testing.F) {
	seed(f)
	f.Add([]byte(`{"type":"join-plan","planId":"a\ud83d","since":{"epoch":"e","seq":0}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		request, err := protocol.DecodeRequest(b)
		if err != nil {
			var re *protocol.RequestError
			if !errors.As(err, &re) || len(re.Re) > protocol.MaxTypeBytes || !utf8.ValidString(string(re.Re)) {
				t.Fatalf("DecodeRequest(%q) = %#v", b, err)
			}
			return
		}
		if !json.Valid(b) {
			t.Fatalf("DecodeRequest(%q) accepts invalid JSON", b)
		}
		// The request must be the same after encoding and decoding it again.
		again, err := protocol.EncodeRequest(request)
		if err != nil {
			t.Fatalf("EncodeRequest(%+v) = %v", request, err)
		}
		decoded, err := protocol.DecodeRequest(again)
		if err != nil {
			t.Fatalf("DecodeRequest(%q) = %v", again, err)
		}
		if diff := cmp.Diff(request, decoded); diff != "" {
			t.Fatalf("%q decodes to another request than %q:\n%s", again, b, diff)
		}
	})
}

func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := protocol.Decode(b)
		if err != nil {
			if !errors.Is(err, protocol.ErrMalformed) {
				t.Fatalf("Decode(%q) = %v", b, err)
			}
			return
		}
		if !json.Valid(b) || !utf8.Valid(b) {
			t.Fatalf("Decode(%q) accepts invalid JSON", b)
		}
		if m.Data != nil && !json.Valid(m.Data) {
			t.Fatalf("Decode(%q): data %q", b, m.Data)
		}
	})
}

func FuzzEncodeEvent(f *testing.F) {
	f.Add("task-updated", "demo", "alice", "m-1", "t1", int64(7), []byte(`{"id":1}`), uint64(1), uint64(0))
	f.Add("x", "\"\\\u2028", "\x01\x7f", "", "\"\\", int64(1<<53-1), []byte(`"é"`), uint64(1<<53-1), uint64(5))
	f.Fuzz(func(t *testing.T, typ, planID, by, mutationID, key string, n int64, data []byte, seq, prev uint64) {
		version := protocol.EventVersion{Key: key, N: n}
		meta := protocol.EventMeta{PlanID: planID, By: by, MutationID: mutationID, Timestamp: at, Version: version}
		e, err := protocol.EncodeEvent(protocol.Event{Type: protocol.Type(typ), Data: json.RawMessage(data)}, meta, 1<<16)
		flat := !bytes.ContainsAny(data, "[{") // so it cannot be nested too deeply
		if flat && json.Valid(data) && utf8.Valid(data) && err == protocol.ErrEventData {
			t.Fatalf("EncodeEvent refuses data %q", data)
		}
		if err != nil {
			return
		}
		b := e.Splice(seq, prev)
		if !json.Valid(b) || !utf8.Valid(b) {
			t.Fatalf("not JSON in UTF-8: %q", b)
		}
		var envelope struct {
			Type, PlanID, By, MutationID string
			Data                         json.RawMessage
			Seq, Prev                    uint64
			Version                      protocol.EventVersion
		}
		if err := json.Unmarshal(b, &envelope); err != nil {
			t.Fatal(err)
		}
		valid := func(s string) string { return string([]rune(s)) } // invalid UTF-8 becomes U+FFFD
		if envelope.Type != typ || envelope.PlanID != valid(planID) || envelope.By != valid(by) || envelope.MutationID != valid(mutationID) ||
			envelope.Seq != seq || envelope.Prev != prev || envelope.Version != version || !bytes.Equal(bytes.TrimSpace(envelope.Data), bytes.TrimSpace(data)) {
			t.Fatalf("%q differs from the event", b)
		}
		if receipt := protocol.AppendReceipt(nil, meta, seq, prev); !json.Valid(receipt) || !utf8.Valid(receipt) {
			t.Fatalf("receipt: %q", receipt)
		}
	})
}
