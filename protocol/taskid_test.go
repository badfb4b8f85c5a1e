package protocol_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/planrooms/planrooms/protocol"
)

type (
	numberID int64
	textID   struct{ s string }
)

func (id textID) MarshalText() ([]byte, error) { return []byte(id.s), nil }

// Task IDs are strings and integers that JavaScript represents exactly.
func TestTaskIDs(t *testing.T) {
	ids := map[string]any{ // JSON to the ID; a key with ! is refused
		`"t1"`: "t1", `"a\"b"`: "a\"b", `""`: "", `"7"`: "7",
		`7`: 7, `0`: 0, `-7`: int8(-7), `9007199254740991`: int64(1<<53 - 1), `-9007199254740991`: int64(1 - 1<<53),
		`8`: uint64(8), `9`: numberID(9), `"uuid"`: textID{"uuid"}, `"p"`: ptr("p"), `10`: json.Number("10"), ` 11`: json.RawMessage(" 11"),
		`12`: 12.0,

		`!2^53`: int64(1 << 53), `!-2^53`: int64(-1 << 53), `!max`: uint64(math.MaxUint64), `!fraction`: 1.5, `!large`: 1e21,
		`!minus zero`: math.Copysign(0, -1), `!exponent`: json.RawMessage("1e2"), `!bool`: true, `!nil`: nil, `!null`: (*string)(nil),
		`!list`: []string{"t1"}, `!object`: map[string]int{"id": 1},
	}
	for want, id := range ids {
		refused := want[0] == '!'
		single, list := `{"taskId":`+want+`}`, `{"taskIds":[`+want+`,1]}`
		for event, want := range map[*protocol.Event]string{
			ptr(protocol.TaskDeleted(id)):                                        single,
			ptr(protocol.TaskReordered([]any{id, 1})):                            list,
			{Type: protocol.TypeTaskDeleted, Data: map[string]any{"taskId": id}}: single,
		} {
			encoded, err := protocol.EncodeEvent(*event, eventMeta, 1000)
			if refused {
				if !errors.Is(err, protocol.ErrTaskID) {
					t.Errorf("%s of %v: %v, want ErrTaskID", event.Type, id, err)
				}
				if _, err := protocol.EncodeNotice(*event, at, 1000); !errors.Is(err, protocol.ErrTaskID) {
					t.Errorf("notice %s of %v: %v, want ErrTaskID", event.Type, id, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s of %v: %v", event.Type, id, err)
				continue
			}
			m, err := protocol.Decode(encoded.Splice(43, 42))
			if err != nil || canonical(m.Data) != canonical([]byte(want)) {
				t.Errorf("%s of %v = %s, %v, want %s", event.Type, id, m.Data, err, want)
			}
		}
	}
}

func TestTaskIDsAreAList(t *testing.T) {
	for want, ids := range map[string]any{
		`[]`: nil, `[ ]`: []int(nil), `[7,8]`: []int{7, 8}, `["a","b"]`: []string{"a", "b"}, `[1]`: [1]numberID{1},
		`!string`: "t1", `!number`: 7, `!object`: struct{}{}, `!nested`: [][]int{{1}}, `!one bad`: []any{"a", 1, nil},
	} {
		encoded, err := protocol.EncodeEvent(protocol.TaskReordered(ids), eventMeta, 1000)
		if want[0] == '!' {
			if !errors.Is(err, protocol.ErrTaskID) {
				t.Errorf("%v: %v, want ErrTaskID", ids, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v: %v", ids, err)
			continue
		}
		m, err := protocol.Decode(encoded.Splice(43, 42))
		if err != nil || canonical(m.Data) != canonical([]byte(`{"taskIds":`+want+`}`)) {
			t.Errorf("%v = %s, %v, want %s", ids, m.Data, err, want)
		}
	}
}

// The data of an event for several plans is encoded once. The frames equal those of EncodeEvent.
func TestEncodeData(t *testing.T) {
	calls := 0
	event := protocol.TaskUpdated(counted{&calls})
	event.Version = protocol.EventVersion{Key: "t1", N: 7}
	shared, err := protocol.EncodeData(event, 100)
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for _, plan := range []string{"a", "b"} {
		meta := eventMeta
		meta.PlanID = plan
		encoded, err := protocol.EncodeEvent(shared, meta, 100)
		if err != nil {
			t.Fatal(err)
		}
		want[plan] = string(encoded.Splice(43, 42))
	}
	if calls != 1 {
		t.Errorf("the data was encoded %d times", calls)
	}
	for plan, got := range want {
		meta := eventMeta
		meta.PlanID = plan
		encoded, err := protocol.EncodeEvent(event, meta, 100)
		if want := string(encoded.Splice(43, 42)); err != nil || got != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	}
	for _, bad := range []protocol.Event{protocol.TaskUpdated(math.NaN()), protocol.TaskDeleted(nil), {Type: "pong"}, {Type: "x", Version: protocol.EventVersion{N: 1}}} {
		if _, err := protocol.EncodeData(bad, 100); err == nil {
			t.Errorf("EncodeData of %s with %v: no error", bad.Type, bad.Data)
		}
	}
}

// The version of an event takes the place of the one in its metadata.
func TestVersionOfAnEvent(t *testing.T) {
	event, meta := protocol.TaskDeleted("t1"), eventMeta
	meta.Version = protocol.EventVersion{Key: "plan", N: 1}
	for _, want := range []protocol.EventVersion{meta.Version, {Key: "t1", N: 7}} {
		encoded, err := protocol.EncodeEvent(event, meta, 100)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := protocol.Decode(encoded.Splice(43, 42)); err != nil || m.Version != want {
			t.Errorf("version %+v, %v, want %+v", m.Version, err, want)
		}
		event.Version = protocol.EventVersion{Key: "t1", N: 7}
	}
	event.Version.N = -1
	if _, err := protocol.EncodeEvent(event, meta, 100); err != protocol.ErrEventVersion {
		t.Errorf("EncodeEvent = %v, want ErrEventVersion", err)
	}
}

// counted counts how often it is encoded.
type counted struct{ calls *int }

func (c counted) MarshalJSON() ([]byte, error) {
	*c.calls++
	return []byte(`{"id":1}`), nil
}

func ptr[T any](v T) *T { return &v }

func canonical(raw []byte) string {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return err.Error()
	}
	b, _ := json.Marshal(v)
	return string(b)
}
