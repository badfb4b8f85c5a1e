package event_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/compare/internal/event"
)

func TestAppendAndCut(t *testing.T) {
	for _, want := range []event.Mark{
		{Seq: 1, Time: 1, Size: event.MinSize},
		{Seq: 42, Time: 1700000000123456789, Size: 400},
		{Seq: 999999999999, Time: 1, Size: 16 << 10},
	} {
		b := event.Append(nil, want)
		if len(b) != want.Size || !json.Valid(b) {
			t.Errorf("Append(%+v) has %d bytes, valid JSON: %v", want, len(b), json.Valid(b))
		}
		got, rest, found := event.Cut(append([]byte(`{"type":"x","data":`), b...))
		if diff := cmp.Diff(want, got); diff != "" || !found {
			t.Errorf("Cut(Append(%+v)) found %v (-want +got):\n%s", want, found, diff)
		}
		if _, _, again := event.Cut(rest); again {
			t.Errorf("Cut(%+v) finds a second task after the only one", want)
		}
	}
}

func TestAppendIsNeverSmallerThanATask(t *testing.T) {
	b := event.Append(nil, event.Mark{Seq: 1, Size: 3})
	if m, _, _ := event.Cut(b); len(b) != event.MinSize || m.Size != event.MinSize {
		t.Errorf("Append with Size 3 has %d bytes and says %d, want %d", len(b), m.Size, event.MinSize)
	}
}

func TestCutOfSomethingElse(t *testing.T) {
	for _, message := range []string{"", "{}", `{"type":"pong"}`, `{"mark":"123`} {
		if m, _, found := event.Cut([]byte(message)); found {
			t.Errorf("Cut(%q) = %+v, want none", message, m)
		}
	}
}
