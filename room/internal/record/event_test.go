package record_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

var at = time.Date(2026, 3, 4, 5, 6, 7, 89_000_001, time.UTC)

// fullEvent returns an event with a value in each field, and its body.
func fullEvent() (record.Event, string) {
	encoded := `{"type":"x","n":1,"version":{"key":"t1","n":7}`
	return record.Event{
			ID: "n:1", Type: "x", By: "ann", MutationID: "m-1", Version: protocol.EventVersion{Key: "t1", N: 300}, At: at,
			Except:  []record.Exclusion{{UserID: "ann", ClientID: "tab1"}, {UserID: "bob"}},
			Encoded: []byte(encoded),
		},
		"\x2e" + encoded + "\x03n:1" + "\x01x" + "\x03ann" + "\x03m-1" + "\x02t1" + "\xac\x02" +
			"\x18\x99\x8b\x01\x8a\xec\xbe\x41" + "\x02" + "\x03ann\x04tab1" + "\x03bob\x00"
}

func TestEvent(t *testing.T) {
	e, want := fullEvent()
	golden(t, e.Append(nil), want)
	golden(t, e.Append([]byte("dst")), "dst"+want)
	onlyWhole(t, []byte(want), record.ParseEvent, e)

	e = record.Event{At: time.Unix(0, 0).UTC(), Encoded: []byte(`{"type":"x"`)}
	want = "\x0b" + `{"type":"x"` + "\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00"
	golden(t, e.Append(nil), want)
	onlyWhole(t, []byte(want), record.ParseEvent, e)

	e.At = time.Unix(0, math.MinInt64).UTC()
	got, err := record.ParseEvent(e.Append(nil))
	equal(t, got, err, e)
}

// What EncodeEvent has encoded, another node sends byte for byte.
func TestEventOfEncodeEvent(t *testing.T) {
	for _, by := range []string{"", `a "quoted" user`} {
		for _, mutationID := range []string{"", "m-1"} {
			for _, version := range []protocol.EventVersion{{}, {Key: `k "}`, N: 0}, {Key: "t1", N: 1<<53 - 1}} {
				t.Run(fmt.Sprint(by, mutationID, version), func(t *testing.T) {
					meta := protocol.EventMeta{PlanID: `p"1`, By: by, MutationID: mutationID, Version: version, Timestamp: at}
					encoded, err := protocol.EncodeEvent(protocol.Event{Type: `x"y`, Data: json.RawMessage(`[1]`)}, meta, 100)
					if err != nil {
						t.Fatal(err)
					}
					sent := record.Event{ID: "n:1", Type: `x"y`, By: by, MutationID: mutationID, Version: version, At: at, Encoded: encoded.Bytes()}
					body := sent.Append(nil)
					got, err := record.ParseEvent(body)
					equal(t, got, err, sent)
					copied := protocol.EncodedFrom(got.Encoded)
					clear(body)
					want, spliced := encoded.Splice(7, 6), copied.Splice(7, 6)
					if !bytes.Equal(want, spliced) {
						t.Errorf("the message is %q, on another node %q", want, spliced)
					}
					got.Encoded = want // a whole message is not an event without its position
					if got, err := record.ParseEvent(got.Append(nil)); err != record.ErrBody {
						t.Errorf("ParseEvent of a whole message: %+v, %v", got, err)
					}
				})
			}
		}
	}
}

func TestParseEventRefuses(t *testing.T) {
	for _, encoded := range []string{
		``, `{`, `{}`, `{"type":`, `["type":"x"`, `null`, `{"type":"x"}`, `{"type":"x",`, `{"type":"x","data":{}`, `{"type":"x","data":1`,
		`{"type":"x","n":}`, `{"type":"x","n":1}}`, `{"type":"x","seq":1}`,
	} {
		e := record.Event{Encoded: []byte(encoded), At: at}
		if got, err := record.ParseEvent(e.Append(nil)); err != record.ErrBody {
			t.Errorf("ParseEvent with %q: %+v, %v, want ErrBody", encoded, got, err)
		}
	}
}

// A version of 2^63 or more is not a version.
func TestParseEventBoundsVersion(t *testing.T) {
	e := record.Event{Encoded: []byte(`{"type":"x"`), Version: protocol.EventVersion{Key: "t1", N: -1}, At: at}
	if got, err := record.ParseEvent(e.Append(nil)); err != record.ErrBody {
		t.Errorf("ParseEvent = %+v, %v, want ErrBody", got, err)
	}
}

// ParseEvent of a body that claims many exclusions allocates none of them.
func TestParseEventBoundsExclusions(t *testing.T) {
	e := record.Event{Encoded: []byte(`{"type":"x"`), At: at}
	body := e.Append(nil)
	body = append(body[:len(body)-1], "\xff\xff\xff\xff\x07"+"\x00\x00\x00"...)
	if got, err := record.ParseEvent(body); err != record.ErrBody {
		t.Errorf("ParseEvent = %+v, %v, want ErrBody", got, err)
	}
}
