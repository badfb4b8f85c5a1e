package record_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

// sealed returns b with the magic, and with a checksum that matches. Otherwise hardly any input of
// a fuzz test would get past the checksum.
func sealed(magic string, b []byte) []byte {
	b = bytes.Clone(b)
	copy(b, magic)
	if len(b) >= 8 {
		binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[8:], crc32.MakeTable(crc32.Castagnoli)))
	}
	return b
}

func FuzzParse(f *testing.F) {
	f.Add(record.Append(nil, record.Header{Cluster: cluster, Kind: record.KindEvent, Plan: "p1"}, []byte("body")))
	f.Add(record.Append(nil, record.Header{}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		damaged, body, err := record.Parse(b)
		if err != nil && body != nil || err == record.ErrHeader && damaged != (record.Header{}) {
			t.Fatalf("Parse(%q) = %+v, %q, %v", b, damaged, body, err)
		}
		b = sealed("\xf0prl", b)
		h, body, err := record.Parse(b)
		if err != nil {
			if err != record.ErrHeader {
				t.Fatalf("Parse(%q) = %v", b, err)
			}
			return
		}
		if h.Version == 0 || h.Class == 0 { // Append writes defaults instead
			return
		}
		if again := record.Append(nil, h, body); !bytes.Equal(again, b) {
			t.Fatalf("Append(Parse(%q)) = %q", b, again)
		}
	})
}

func FuzzParseMessage(f *testing.F) {
	f.Add(record.AppendMessage(nil, cluster, record.MessageAck, []byte("body")))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _, _ = record.ParseMessage(b)
		b = sealed("\xf0prm", b)
		c, k, body, err := record.ParseMessage(b)
		if err != nil {
			if err != record.ErrMessage || len(b) >= record.MessageOverhead {
				t.Fatalf("ParseMessage(%q) = %v", b, err)
			}
			return
		}
		if again := record.AppendMessage(nil, c, k, body); !bytes.Equal(again, b) {
			t.Fatalf("AppendMessage(ParseMessage(%q)) = %q", b, again)
		}
	})
}

func FuzzParseNote(f *testing.F) {
	f.Add(record.AppendNote(nil, cluster, &record.Note{Version: 1, Ready: true, Epoch: "e1", Applied: 1 << 60, Host: "web-1"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _ = record.ParseNote(b)
		b = sealed("\xf0prn", b)
		c, n, err := record.ParseNote(b)
		if err != nil {
			if err != record.ErrNote || n != (record.Note{}) {
				t.Fatalf("ParseNote(%q) = %+v, %v", b, n, err)
			}
			return
		}
		again := record.AppendNote(nil, c, &n)
		if len(again) > 512 {
			t.Fatalf("AppendNote(%+v) has %d bytes", n, len(again))
		}
		if len(n.Epoch) > 64 || len(n.Host) > 80 { // AppendNote cuts them
			return
		}
		if _, got, err := record.ParseNote(again); err != nil || got != n {
			t.Fatalf("after another trip %+v is %+v, %v", n, got, err)
		}
	})
}

// body is a pointer to a body of a record or message.
type body[T any] interface {
	*T
	Append([]byte) []byte
}

// fuzzBody checks that parse returns ErrBody and a zero value, or what Append and parse do not
// change. held returns the length of all texts and lists in a body.
func fuzzBody[T any, B body[T]](f *testing.F, parse func([]byte) (T, error), held func(T) int, seeds ...T) {
	for i := range seeds {
		f.Add(B(&seeds[i]).Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		input := bytes.Clone(b)
		v, err := parse(b)
		if err != nil {
			if err != record.ErrBody || !cmp.Equal(v, *new(T)) {
				t.Fatalf("%q: %+v, %v", b, v, err)
			}
			return
		}
		if n := held(v); n > len(b) {
			t.Fatalf("%d bytes %q became %d", len(b), b, n)
		}
		again, err := parse(B(&v).Append(nil))
		if err != nil {
			t.Fatalf("%+v cannot be parsed after Append: %v", v, err)
		}
		if diff := cmp.Diff(v, again); diff != "" {
			t.Fatalf("changed by Append and parse:\n%s", diff)
		}
		if !bytes.Equal(b, input) {
			t.Fatalf("the input %q has become %q", input, b)
		}
	})
}

func FuzzParseEvent(f *testing.F) {
	full, _ := fullEvent()
	held := func(e record.Event) int {
		n := len(e.ID) + len(e.Type) + len(e.By) + len(e.MutationID) + len(e.Version.Key) + len(e.Encoded) + 2*len(e.Except)
		for _, x := range e.Except {
			n += len(x.UserID) + len(x.ClientID)
		}
		encoded := protocol.EncodedFrom(e.Encoded)
		encoded.Splice(1, 0)
		protocol.AppendReceipt(nil, protocol.EventMeta{By: e.By, MutationID: e.MutationID, Version: e.Version, Timestamp: e.At}, 1, 0)
		return n
	}
	fuzzBody(f, record.ParseEvent, held, full, record.Event{At: at, Encoded: []byte(`{"type":"x"`)})
}

func FuzzParseResync(f *testing.F) {
	held := func(s record.Resync) int {
		n := len(s.ID) + len(s.IDs)
		for _, id := range s.IDs {
			n += len(id)
		}
		return n
	}
	fuzzBody(f, record.ParseResync, held, record.Resync{ID: "n:2"}, record.Resync{ID: "n:2", IDs: []string{"n:1", "b:7"}})
}

func FuzzParseControl(f *testing.F) {
	held := func(c record.Control) int { return len(c.ID) + len(c.Origin) + len(c.UserID) + len(c.SessionID) }
	fuzzBody(f, record.ParseControl, held, record.Control{ID: "n:3", Origin: "node-1", UserID: "ann", SessionID: "s1", OnlySession: true})
}

func FuzzParseNodeRecord(f *testing.F) {
	held := func(n record.NodeRecord) int { return len(n.Name) + len(n.Epoch) }
	fuzzBody(f, record.ParseNodeRecord, held, record.NodeRecord{Name: "node-1", Tenure: 300, Epoch: "e1", Since: 9, Versions: 1})
}

func FuzzParseSilent(f *testing.F) {
	held := func(s record.Silent) int { return len(s.Name) }
	fuzzBody(f, record.ParseSilent, held, record.Silent{Name: "node-1", Tenure: 300})
}

func FuzzParseEpoch(f *testing.F) {
	held := func(e record.Epoch) int { return len(e.Old) + len(e.New) + len(e.By) }
	fuzzBody(f, record.ParseEpoch, held, record.Epoch{Old: "e1", New: "e2", By: "node-1", Since: 9})
}

func FuzzParseRelay(f *testing.F) {
	held := func(r record.Relay) int { return len(r.Name) }
	fuzzBody(f, record.ParseRelay, held, record.Relay{Name: "node-1", Term: 5})
}

func FuzzParseAck(f *testing.F) {
	held := func(a record.Ack) int { return len(a.Epoch) }
	fuzzBody(f, record.ParseAck, held, record.Ack{Epoch: "e1", Seq: 300, Counts: [4]uint32{1, 2, 3, 1 << 31}})
}

func FuzzParseNotify(f *testing.F) {
	held := func(n record.Notify) int { return len(n.UserID) + len(n.Type) + len(n.Payload) }
	fuzzBody(f, record.ParseNotify, held, record.Notify{UserID: "ann", Type: "assigned", Payload: []byte(`{"a":1}`)})
}
