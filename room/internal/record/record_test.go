package record_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

// cluster is the hash of "demo".
const cluster = 0xa5e41b674276d396

// golden fails unless got is want. Nodes of other releases write want, so it must not change.
func golden(t *testing.T, got []byte, want string) {
	t.Helper()
	if string(got) != want {
		t.Errorf("encoding\n got %q\nwant %q", got, want)
	}
}

// equal fails if got, or err, is not as wanted.
func equal[T any](t *testing.T, got T, err error, want T) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decoding (-want +got):\n%s", diff)
	}
}

// onlyWhole calls parse with all beginnings of body, of which none is a whole body, and with body
// and fields of a later version, which parse must ignore.
func onlyWhole[T any](t *testing.T, body []byte, parse func([]byte) (T, error), want T) {
	t.Helper()
	for n := range body {
		if got, err := parse(body[:n:n]); !errors.Is(err, record.ErrBody) {
			t.Errorf("the first %d of %d bytes: %+v, %v, want ErrBody", n, len(body), got, err)
		} else if diff := cmp.Diff(*new(T), got); diff != "" {
			t.Errorf("the first %d of %d bytes: result with ErrBody:\n%s", n, len(body), diff)
		}
	}
	for _, tail := range []string{"", "\x00", "\x03new", "\xff"} {
		got, err := parse(append(bytes.Clone(body), tail...))
		equal(t, got, err, want)
	}
}

func TestClusterHash(t *testing.T) {
	for name, want := range map[string]uint64{ // the first three from the authors of FNV
		"":       0xcbf29ce484222325,
		"a":      0xaf63dc4c8601ec8c,
		"foobar": 0x85944171f73967e8,
		"demo":   cluster,
	} {
		if got := record.ClusterHash(name); got != want {
			t.Errorf("ClusterHash(%q) = %#x, want %#x", name, got, want)
		}
	}
}

func TestRecordFormat(t *testing.T) {
	h := record.Header{Cluster: cluster, Version: 1, Class: record.ClassEvent, Kind: record.KindEvent, Plan: "p1"}
	golden(t, record.Append(nil, h, []byte("body")), "\xf0prl"+"\x7e\x4f\xdc\x71"+"\xa5\xe4\x1b\x67\x42\x76\xd3\x96"+"\x01\x01\x01"+"\x02p1"+"body")
	h = record.Header{Cluster: 1, Version: 2, Class: record.ClassControl, Kind: 200}
	golden(t, record.Append([]byte("dst"), h, nil), "dst"+"\xf0prl"+"\x7a\xb9\x54\x38"+"\x00\x00\x00\x00\x00\x00\x00\x01"+"\x02\x02\xc8"+"\x00")
}

func TestRecordRoundTrip(t *testing.T) {
	body := []byte("body")
	for _, h := range []record.Header{
		{Cluster: cluster, Version: 1, Class: record.ClassEvent, Kind: record.KindEvent, Plan: "p1"},
		{Cluster: 1<<64 - 1, Version: 255, Class: 255, Kind: 255, Plan: strings.Repeat("p", 255)},
		{Version: 1, Class: record.ClassControl, Kind: record.KindNode},
	} {
		got, gotBody, err := record.Parse(record.Append(nil, h, body))
		equal(t, got, err, h)
		equal(t, gotBody, err, body)
	}
}

// Append fills in the version and the class.
func TestRecordDefaults(t *testing.T) {
	for k := record.KindEvent; k <= record.KindRelay; k++ {
		h, _, err := record.Parse(record.Append(nil, record.Header{Kind: k}, nil))
		want := record.Header{Version: record.Version, Class: record.ClassControl, Kind: k}
		if k == record.KindEvent || k == record.KindResync {
			want.Class = record.ClassEvent
		}
		equal(t, h, err, want)
	}
}

func TestAppendPanicsOnALongPlan(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Append accepts a plan ID of 256 bytes")
		}
	}()
	record.Append(nil, record.Header{Kind: record.KindEvent, Plan: strings.Repeat("p", 256)}, nil)
}

// A change of any bit is found, and Parse then returns what is left of the header.
func TestParseDamagedRecord(t *testing.T) {
	h := record.Header{Cluster: cluster, Version: 1, Class: record.ClassEvent, Kind: record.KindEvent, Plan: "p1"}
	whole := record.Append(nil, h, []byte("body"))
	for i := range whole {
		for bit := range 8 {
			damaged := bytes.Clone(whole)
			damaged[i] ^= 1 << bit
			got, body, err := record.Parse(damaged)
			switch {
			case err == record.ErrHeader:
				if got != (record.Header{}) || body != nil {
					t.Errorf("bit %d of byte %d: %+v, %q with ErrHeader", bit, i, got, body)
				}
			case err != record.ErrBody || body != nil:
				t.Errorf("bit %d of byte %d: %q, %v, want an error", bit, i, body, err)
			case i >= len(whole)-len("body") || i >= 4 && i < 8: // the header is whole
				equal(t, got, nil, h)
			}
		}
	}
	for n := range whole {
		_, _, err := record.Parse(whole[:n])
		want := record.ErrBody
		if n < len(whole)-len("body") {
			want = record.ErrHeader
		}
		if err != want {
			t.Errorf("the first %d of %d bytes: %v, want %v", n, len(whole), err, want)
		}
	}
}

// What is written as one of record, message and note is not read as another.
func TestMagic(t *testing.T) {
	body := record.AppendMessage(nil, cluster, 1, make([]byte, 40))
	if _, _, err := record.Parse(body); err != record.ErrHeader {
		t.Errorf("Parse of a message: %v", err)
	}
	if _, _, err := record.ParseNote(body); err != record.ErrNote {
		t.Errorf("ParseNote of a message: %v", err)
	}
	if _, _, _, err := record.ParseMessage(record.AppendNote(nil, cluster, &record.Note{})); err != record.ErrMessage {
		t.Errorf("ParseMessage of a note: %v", err)
	}
}

// The values of kinds are part of the format.
func TestKinds(t *testing.T) {
	names := []string{"kind 0", "event", "resync", "revoke", "disconnect", "recheck", "close plan", "node", "silent", "epoch", "relay", "kind 11"}
	for k, want := range names {
		if got := record.Kind(k).String(); got != want {
			t.Errorf("kind %d is %q, want %q", k, got, want)
		}
	}
	names = []string{"message kind 0", "ack", "presence", "presence ask", "presence page", "notify", "nudge", "message kind 7"}
	for k, want := range names {
		if got := record.MessageKind(k).String(); got != want {
			t.Errorf("message kind %d is %q, want %q", k, got, want)
		}
	}
}

// Header.Plan has room for all plan IDs.
func TestLongestPlan(t *testing.T) {
	h := record.Header{Version: 1, Class: 1, Kind: 1, Plan: strings.Repeat("ä", protocol.MaxPlanIDBytes/2)}
	got, _, err := record.Parse(record.Append(nil, h, nil))
	equal(t, got, err, h)
}
