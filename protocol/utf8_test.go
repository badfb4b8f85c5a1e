package protocol_test

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/planrooms/planrooms/protocol"
)

type notUTF8 struct{}

func (notUTF8) MarshalJSON() ([]byte, error) { return []byte("\"a\xffb\""), nil }

// A browser closes the connection with 1007 when it receives a frame that is not UTF-8, and again
// at each resume that replays the frame.
func TestInvalidUTF8InsideValues(t *testing.T) {
	for name, task := range map[string]any{"a MarshalJSON": notUTF8{}, "a RawMessage": map[string]any{"x": json.RawMessage("\"\xff\"")}} {
		if _, err := protocol.EncodeEvent(protocol.TaskUpdated(task), eventMeta, 100); !errors.Is(err, protocol.ErrEventData) {
			t.Errorf("EncodeEvent of %s = %v, want ErrEventData", name, err)
		}
		if _, err := protocol.EncodeNotice(protocol.TaskUpdated(task), at, 100); !errors.Is(err, protocol.ErrEventData) {
			t.Errorf("EncodeNotice of %s = %v, want ErrEventData", name, err)
		}
	}
	if b, err := protocol.EncodeRequest(protocol.Request{Type: protocol.TypeUpdatePresence, PlanID: "demo", State: []byte("\"\xff\"")}); err == nil && !utf8.Valid(b) {
		t.Errorf("EncodeRequest = %q", b)
	}
	if m, err := protocol.Decode([]byte("{\"type\":\"x\",\"by\":\"\xff\"}")); !errors.Is(err, protocol.ErrMalformed) {
		t.Errorf("Decode = %+v, %v", m, err)
	}
}

// DecodeRequest must return an error together with the valid fields, and not with an invalid since.
func TestDecodeRequestInvalidSince(t *testing.T) {
	q, err := protocol.DecodeRequest([]byte(`{"type":"join-plan","planId":"demo","since":{"epoch":"","seq":1}}`))
	if err == nil || q.Since != nil {
		t.Errorf("DecodeRequest = %+v, %v, want no Since", q.Since, err)
	}
}
