package protocol_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

func TestDecodeErrors(t *testing.T) {
	for _, in := range []string{
		``, `null`, `[]`, `{}`, `{"type":""}`, `{"type":1}`, `{"type":"x","planId":1}`, `{"type":"x","timestamp":"yesterday"}`,
		`{"type":"x","timestamp":1}`, `{"type":"x","seq":-1}`, `{"type":"x","seq":1.5}`, `{"type":"x","seq":9007199254740992}`,
		`{"type":"x","seq":5,"prev":5}`, `{"type":"x","prev":5}`, `{"type":"x","by":1}`, `{"type":"x","mutationId":1}`,
		`{"type":"x","version":7}`, `{"type":"x","version":null}`, `{"type":"x","version":{"key":"k"}}`,
		`{"type":"x","version":{"n":1}}`, `{"type":"x","version":{"key":"","n":1}}`,
		`{"type":"x","version":{"key":"k","n":-1}}`, `{"type":"x","version":{"key":"k","n":1.5}}`,
		`{"type":"x","version":{"key":"k","n":9007199254740992}}`, `{"type":"x","version":{"key":"k","key":"l","n":1}}`,
		`{"type":"x","version":{"key":"` + strings.Repeat("k", 129) + `","n":1}}`,
		`{"type":"x","type":"y"}`, `{"type":"x"}x`, `{"type":"x","data":` + strings.Repeat("[", 10001),
	} {
		if m, err := protocol.Decode([]byte(in)); !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("Decode(%.60q) = %+v, %v, want ErrMalformed", in, m, err)
		}
	}
}

// Fields that a later version of the protocol may add to a version are ignored.
func TestDecodeVersionIgnoresFields(t *testing.T) {
	m, err := protocol.Decode([]byte(`{"type":"x","seq":1,"version":{"n":0,"by":{"a":[1]},"key":"k"}}`))
	if want := (protocol.EventVersion{Key: "k"}); err != nil || m.Version != want {
		t.Errorf("Decode = %+v, %v, want version %+v", m, err, want)
	}
}

func TestEncodeEventRefusesABadVersion(t *testing.T) {
	for _, version := range []protocol.EventVersion{
		{N: 1}, {Key: "k", N: -1}, {Key: "k", N: 1 << 53}, {Key: "a\nb"}, {Key: strings.Repeat("k", 129)},
	} {
		meta := eventMeta
		meta.Version = version
		if _, err := protocol.EncodeEvent(protocol.TaskDeleted("t1"), meta, 100); err != protocol.ErrEventVersion {
			t.Errorf("EncodeEvent with version %+v = %v, want ErrEventVersion", version, err)
		}
	}
}

func TestDecodeDeepData(t *testing.T) {
	data := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	m, err := protocol.Decode([]byte(`{"type":"x","data":` + data + `,"unknown":{"a":1,"a":2}}`))
	if err != nil || string(m.Data) != data {
		t.Errorf("Decode of data 9000 deep: %v", err)
	}
}

// EncodeEvent must not accept data that is nested too deeply for Decode.
func TestEncodeEventOfDeepData(t *testing.T) {
	for depth, want := range map[int]error{9998: nil, 9999: protocol.ErrEventData} {
		data := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		e, err := protocol.EncodeEvent(protocol.TaskUpdated(json.RawMessage(data)), eventMeta, 1<<20)
		if err != want {
			t.Errorf("EncodeEvent of data %d deep = %v, want %v", depth, err, want)
		}
		if err != nil {
			continue
		}
		if _, err := protocol.Decode(e.Splice(1, 0)); err != nil {
			t.Errorf("Decode of data %d deep: %v", depth, err)
		}
	}
}

func TestTimestamp(t *testing.T) {
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.Unix(1764000000, 999_999_999), time.Unix(-62135596801, 1),
		time.Date(12345, 1, 2, 3, 4, 5, 6_789_000, time.FixedZone("", 3600)),
	} {
		b, err := protocol.Timestamp{Time: at}.MarshalJSON()
		if want := at.UTC().Format(`"2006-01-02T15:04:05.000Z"`); err != nil || string(b) != want {
			t.Errorf("MarshalJSON(%v) = %s, %v, want %s", at, b, err, want)
		}
	}
}

func TestEncodeEventErrors(t *testing.T) {
	tests := []struct {
		name  string
		event protocol.Event
		want  error
	}{
		{"no type", protocol.Event{Data: 1}, protocol.ErrEventType},
		{"reserved", protocol.Event{Type: protocol.TypeGoodbye, Data: 1}, protocol.ErrEventType},
		{"long type", protocol.Event{Type: protocol.Type(strings.Repeat("x", 65)), Data: 1}, protocol.ErrEventType},
		{"control character", protocol.Event{Type: "a\nb", Data: 1}, protocol.ErrEventType},
		{"type not UTF-8", protocol.Event{Type: "a\xff", Data: 1}, protocol.ErrEventType},
		{"not encodable", protocol.TaskUpdated(math.NaN()), protocol.ErrEventData},
		{"raw not JSON", protocol.TaskUpdated(json.RawMessage(`{`)), protocol.ErrEventData},
		{"raw empty", protocol.TaskUpdated(json.RawMessage(``)), protocol.ErrEventData},
		{"raw two values", protocol.TaskUpdated(json.RawMessage(`1,"x":2`)), protocol.ErrEventData},
		{"raw not UTF-8", protocol.TaskUpdated(json.RawMessage("\"\xff\"")), protocol.ErrEventData},
		{"raw, one byte over the limit", protocol.TaskUpdated(json.RawMessage(`"` + strings.Repeat("x", 99) + `"`)), protocol.ErrEventTooLarge},
		{"one byte over the limit", protocol.TaskUpdated(strings.Repeat("x", 99)), protocol.ErrEventTooLarge},
		{"at the limit", protocol.TaskUpdated(strings.Repeat("x", 98)), nil},
		{"raw at the limit", protocol.TaskUpdated(json.RawMessage(`"` + strings.Repeat("x", 98) + `"`)), nil},
		{"nil", protocol.TaskUpdated(nil), nil},
		{"no ids", protocol.TaskReordered(nil), nil},
		{"bytes that are not JSON", protocol.TaskUpdated([]byte("hello")), protocol.ErrEventData},
		{"no bytes", protocol.TaskUpdated([]byte(nil)), protocol.ErrEventData},
		{"bytes, one byte over the limit", protocol.TaskUpdated([]byte(`"` + strings.Repeat("x", 99) + `"`)), protocol.ErrEventTooLarge},
		{"a task without its key", protocol.Event{Type: protocol.TypeTaskUpdated, Data: map[string]any{"id": 1}}, protocol.ErrEventData},
		{"a task id without its key", protocol.Event{Type: protocol.TypeTaskDeleted, Data: "7"}, protocol.ErrEventData},
		{"task ids under another key", protocol.Event{Type: protocol.TypeTaskReordered, Data: json.RawMessage(`{"ids":[]}`)}, protocol.ErrEventData},
		{"numbers as task ids under their key", protocol.Event{Type: protocol.TypeTaskReordered, Data: json.RawMessage(`{"taskIds": [ 7 , "8"]}`)}, nil},
		{"an invalid task id under its key", protocol.Event{Type: protocol.TypeTaskDeleted, Data: map[string]any{"taskId": 1.5}}, protocol.ErrTaskID},
		{"invalid task ids under their key", protocol.Event{Type: protocol.TypeTaskReordered, Data: json.RawMessage(`{"taskIds":7}`)}, protocol.ErrTaskID},
		{"a task with its key", protocol.Event{Type: protocol.TypeTaskCreated, Data: map[string]any{"task": 1}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := protocol.EncodeEvent(tt.event, eventMeta, 100)
			if !errors.Is(err, tt.want) {
				t.Fatalf("EncodeEvent = %v, want %v", err, tt.want)
			}
			_, noticeErr := protocol.EncodeNotice(tt.event, at, 100)
			if !errors.Is(noticeErr, tt.want) {
				t.Errorf("EncodeNotice = %v, want %v", noticeErr, tt.want)
			}
			if err == nil && !json.Valid(e.Splice(1, 0)) {
				t.Error("the message is not JSON")
			}
		})
	}
}

// The caller of Splice holds the lock of a room, so the space that EncodeEvent reserves must
// suffice for every position.
func TestSpliceDoesNotAllocate(t *testing.T) {
	meta := protocol.EventMeta{PlanID: strings.Repeat("\"", 128), By: strings.Repeat("\x01", 500), Timestamp: at}
	e, err := protocol.EncodeEvent(protocol.TaskDeleted("t1"), meta, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	if n := testing.AllocsPerRun(100, func() {
		copied := e
		b = copied.Splice(math.MaxUint64, math.MaxUint64)
	}); n != 0 {
		t.Errorf("Splice allocates %v times", n)
	}
	// Outside the measurement: json.Valid uses a pool, from which the race detector drops items at
	// random.
	if !json.Valid(b) {
		t.Errorf("not JSON: %q", b)
	}
}

// EncodedFrom makes the same event in another process, with the same space for a position.
func TestEncodedFrom(t *testing.T) {
	e, err := protocol.EncodeEvent(protocol.TaskDeleted("t1"), eventMeta, 100)
	if err != nil {
		t.Fatal(err)
	}
	shared := append([]byte("before "), e.Bytes()...)
	from := protocol.EncodedFrom(shared[len("before "):])
	extended := append(e.Bytes(), " and more"...)
	if got, want := from.Bytes(), e.Bytes(); !bytes.Equal(got, want) {
		t.Errorf("Bytes = %q, want %q", got, want)
	}
	want := e.Splice(math.MaxUint64, math.MaxUint64)
	if !bytes.HasSuffix(extended, []byte(" and more")) {
		t.Errorf("Splice has written into %q", extended)
	}
	clear(shared)
	var b []byte
	if n := testing.AllocsPerRun(100, func() {
		copied := from
		b = copied.Splice(math.MaxUint64, math.MaxUint64)
	}); n != 0 {
		t.Errorf("Splice allocates %v times", n)
	}
	if !bytes.Equal(b, want) {
		t.Errorf("Splice = %q, want %q", b, want)
	}
	from = protocol.EncodedEvent{}
	if b := from.Bytes(); len(b) != 0 {
		t.Errorf("Bytes of the zero value = %q", b)
	}
}

func TestIDs(t *testing.T) {
	tests := []struct {
		id                     string
		plan, client, mutation bool
	}{
		{"", false, false, false},
		{"a", true, true, true},
		{strings.Repeat("a", 64), true, true, true},
		{strings.Repeat("a", 65), true, false, false},
		{strings.Repeat("a", 129), false, false, false},
		{"Az09_-", true, true, true},
		{"a b", true, false, false},
		{"é", true, false, false},
		{"a\x00", false, false, false},
		{"a\x7f", false, false, false},
		{"a\u0080", false, false, false},
		{"a\u00a0", true, false, false},
		{"a\xff", false, false, false},
	}
	for _, tt := range tests {
		if got := protocol.ValidPlanID(tt.id); got != tt.plan {
			t.Errorf("ValidPlanID(%q) = %v", tt.id, got)
		}
		if got := protocol.ValidClientID(tt.id); got != tt.client {
			t.Errorf("ValidClientID(%q) = %v", tt.id, got)
		}
		if got := protocol.ValidMutationID(tt.id); got != tt.mutation {
			t.Errorf("ValidMutationID(%q) = %v", tt.id, got)
		}
	}
}

func TestAdvice(t *testing.T) {
	tests := []struct {
		code              protocol.CloseCode
		reconnect, reauth bool
		min, max          time.Duration
	}{
		{protocol.CloseUnsupportedData, false, false, 0, 0},
		{protocol.CloseInvalidPayload, false, false, 0, 0},
		{protocol.CloseTooBig, false, false, 0, 0},
		{protocol.CloseBadRequest, false, false, 0, 0},
		{protocol.CloseUnauthorized, true, true, 0, 0},
		{protocol.CloseForbidden, false, false, 0, 0},
		{protocol.CloseTimeout, true, false, 0, 0},
		{protocol.CloseReplaced, false, false, 0, 0},
		{protocol.CloseRateLimited, true, false, 10 * time.Second, 15 * time.Second},
		{protocol.CloseInternal, true, false, time.Second, 5 * time.Second},
		{protocol.CloseShutdown, true, false, 0, 0},
		{protocol.CloseTooSlow, true, false, 0, 0},
		{protocol.CloseAbnormal, true, false, 0, 0},
	}
	for _, tt := range tests {
		a := tt.code.Advice()
		if a.Reconnect != tt.reconnect || a.Reauth != tt.reauth {
			t.Errorf("%d: Advice() = %+v", tt.code, a)
		}
		for range 100 {
			if d := a.RetryAfter(); d < tt.min || d > tt.max {
				t.Fatalf("%d: RetryAfter() = %v, want %v to %v", tt.code, d, tt.min, tt.max)
			}
		}
		if n := len(tt.code.Reason()); n > 122 || tt.code != protocol.CloseAbnormal && n == 0 {
			t.Errorf("%d: a reason of %d bytes", tt.code, n)
		}
	}
}

// Data of type []byte is JSON that is sent as it is. encoding/json would encode it as base64.
func TestEventDataOfBytes(t *testing.T) {
	for name, data := range map[string]any{"RawMessage": json.RawMessage(`{"id":1}`), "bytes": []byte(`{"id":1}`)} {
		e, err := protocol.EncodeEvent(protocol.TaskUpdated(data), eventMeta, 100)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(e.Splice(2, 1)); !strings.Contains(got, `"data":{"task":{"id":1}}`) {
			t.Errorf("%s: %s", name, got)
		}
	}
}
