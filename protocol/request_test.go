package protocol_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
)

func TestDecodeRequestErrors(t *testing.T) {
	const (
		join = protocol.TypeJoinPlan
		auth = protocol.TypeAuthenticate
		pres = protocol.TypeUpdatePresence
	)
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct {
		name string
		in   string
		code protocol.ErrorCode
		re   protocol.Type
	}{
		{"nothing", ``, protocol.ErrorBadMessage, ""},
		{"not JSON", `{"type":"ping"`, protocol.ErrorBadMessage, ""},
		{"an array", `["ping"]`, protocol.ErrorBadMessage, ""},
		{"a string", `"ping"`, protocol.ErrorBadMessage, ""},
		{"trailing data", `{"type":"ping"}{}`, protocol.ErrorBadMessage, ""},
		{"trailing comma", `{"type":"ping",}`, protocol.ErrorBadMessage, ""},
		{"trailing comma in an array", `{"type":"ping","x":[1,]}`, protocol.ErrorBadMessage, ""},
		{"no comma", `{"type":"ping" "x":1}`, protocol.ErrorBadMessage, ""},
		{"leading comma", `{,"type":"ping"}`, protocol.ErrorBadMessage, ""},
		{"a number with a leading zero", `{"type":"ping","x":01}`, protocol.ErrorBadMessage, ""},
		{"a number without digits", `{"type":"ping","x":-}`, protocol.ErrorBadMessage, ""},
		{"a fraction without digits", `{"type":"ping","x":1.}`, protocol.ErrorBadMessage, ""},
		{"an exponent without digits", `{"type":"ping","x":1e+}`, protocol.ErrorBadMessage, ""},
		{"a bad escape", `{"type":"ping","x":"\x"}`, protocol.ErrorBadMessage, ""},
		{"a short unicode escape", `{"type":"ping","x":"\u12"}`, protocol.ErrorBadMessage, ""},
		{"a bad unicode escape", `{"type":"ping","x":"\u12g4"}`, protocol.ErrorBadMessage, ""},
		{"a control character in a string", "{\"type\":\"ping\",\"x\":\"\n\"}", protocol.ErrorBadMessage, ""},
		{"invalid UTF-8", "{\"type\":\"ping\",\"x\":\"\xff\"}", protocol.ErrorBadMessage, ""},
		{"duplicate key", `{"type":"ping","type":"ping"}`, protocol.ErrorBadMessage, ""},
		{"duplicate key by escape", `{"type":"ping","typ\u0065":"ping"}`, protocol.ErrorBadMessage, ""},
		{"duplicate unknown key", `{"type":"ping","x":1,"x":1}`, protocol.ErrorBadMessage, ""},
		{"duplicate key within", `{"type":"ping","x":[{"a":1,"a":2}]}`, protocol.ErrorBadMessage, ""},
		{"duplicate token", `{"type":"authenticate","data":{"token":"a","token":"b"}}`, protocol.ErrorBadMessage, ""},
		{"nesting of 33", `{"type":"ping","x":` + deep(32) + `}`, protocol.ErrorBadMessage, ""},
		{"too long", `{"type":"ping","x":"` + strings.Repeat("x", protocol.MaxMessageBytes) + `"}`, protocol.ErrorBadMessage, ""},
		{"no type", `{"planId":"demo"}`, protocol.ErrorBadMessage, ""},
		{"type of another case", `{"Type":"ping"}`, protocol.ErrorBadMessage, ""},
		{"type not a string", `{"type":1}`, protocol.ErrorBadMessage, ""},
		{"empty type", `{"type":""}`, protocol.ErrorBadMessage, ""},
		{"unknown type", `{"type":"dance"}`, protocol.ErrorUnknownType, "dance"},
		{"a type of the server", `{"type":"goodbye"}`, protocol.ErrorUnknownType, "goodbye"},
		{"a long type is clipped between runes", `{"type":"` + strings.Repeat("x", 63) + `é"}`, protocol.ErrorUnknownType, protocol.Type(strings.Repeat("x", 63))},
		{"no planId", `{"type":"join-plan"}`, protocol.ErrorBadPlanID, join},
		{"planId not a string", `{"type":"join-plan","planId":7}`, protocol.ErrorBadPlanID, join},
		{"planId null", `{"type":"leave-plan","planId":null}`, protocol.ErrorBadPlanID, protocol.TypeLeavePlan},
		{"planId empty", `{"type":"join-plan","planId":""}`, protocol.ErrorBadPlanID, join},
		{"planId of 129 bytes", `{"type":"join-plan","planId":"` + strings.Repeat("x", 129) + `"}`, protocol.ErrorBadPlanID, join},
		{"planId with NUL", `{"type":"join-plan","planId":"a\u0000b"}`, protocol.ErrorBadPlanID, join},
		{"planId with DEL", `{"type":"join-plan","planId":"a\u007fb"}`, protocol.ErrorBadPlanID, join},
		{"planId with C1", `{"type":"join-plan","planId":"a\u0085b"}`, protocol.ErrorBadPlanID, join},
		{"planId with a lone surrogate", `{"type":"join-plan","planId":"a\ud800"}`, protocol.ErrorBadPlanID, join},
		{"planId with a lone low surrogate", `{"type":"join-plan","planId":"\ude00a"}`, protocol.ErrorBadPlanID, join},
		{"planId in data only", `{"type":"join-plan","data":{"planId":"demo"}}`, protocol.ErrorBadPlanID, join},
		{"since a number", `{"type":"join-plan","planId":"demo","since":1}`, protocol.ErrorBadMessage, join},
		{"since without seq", `{"type":"join-plan","planId":"demo","since":{"epoch":"e"}}`, protocol.ErrorBadMessage, join},
		{"since without epoch", `{"type":"join-plan","planId":"demo","since":{"seq":1}}`, protocol.ErrorBadMessage, join},
		{"since with an empty epoch", `{"type":"join-plan","planId":"demo","since":{"epoch":"","seq":1}}`, protocol.ErrorBadMessage, join},
		{"since with an epoch of 65 bytes", `{"type":"join-plan","planId":"demo","since":{"epoch":"` + strings.Repeat("e", 65) + `","seq":1}}`, protocol.ErrorBadMessage, join},
		{"since negative", `{"type":"join-plan","planId":"demo","since":{"epoch":"e","seq":-1}}`, protocol.ErrorBadMessage, join},
		{"since fractional", `{"type":"join-plan","planId":"demo","since":{"epoch":"e","seq":1.0}}`, protocol.ErrorBadMessage, join},
		{"since of 2^53", `{"type":"join-plan","planId":"demo","since":{"epoch":"e","seq":9007199254740992}}`, protocol.ErrorBadMessage, join},
		{"since a string", `{"type":"join-plan","planId":"demo","since":{"epoch":"e","seq":"1"}}`, protocol.ErrorBadMessage, join},
		{"no token", `{"type":"authenticate"}`, protocol.ErrorBadToken, auth},
		{"token at the top", `{"type":"authenticate","token":"t"}`, protocol.ErrorBadToken, auth},
		{"token not a string", `{"type":"authenticate","data":{"token":1}}`, protocol.ErrorBadToken, auth},
		{"token empty", `{"type":"authenticate","data":{"token":""}}`, protocol.ErrorBadToken, auth},
		{"token of 8193 bytes", `{"type":"authenticate","data":{"token":"` + strings.Repeat("t", 8193) + `"}}`, protocol.ErrorBadToken, auth},
		{"data not an object", `{"type":"authenticate","data":"t"}`, protocol.ErrorBadToken, auth},
		{"no state", `{"type":"update-presence","planId":"demo","data":{}}`, protocol.ErrorBadState, pres},
		{"state of 1025 bytes", `{"type":"update-presence","planId":"demo","data":{"state":"` + strings.Repeat("s", 1023) + `"}}`, protocol.ErrorBadState, pres},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := protocol.DecodeRequest([]byte(tt.in))
			var got *protocol.RequestError
			if !errors.As(err, &got) {
				t.Fatalf("DecodeRequest(%q) = %v, want a RequestError", tt.in, err)
			}
			if got.Code != tt.code || got.Re != tt.re {
				t.Errorf("DecodeRequest(%q) = %s re %q, want %s re %q", tt.in, got.Code, got.Re, tt.code, tt.re)
			}
			if got.Message == "" || !strings.Contains(got.Error(), string(tt.code)) {
				t.Errorf("Error() = %q", got.Error())
			}
		})
	}
}

func TestDecodeRequest(t *testing.T) {
	long := strings.Repeat("x", protocol.MaxPlanIDBytes)
	tests := []struct {
		name, in string
		want     protocol.Request
	}{
		{"the original client's join", `{"type":"join-plan","planId":"demo"}`, protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "demo"}},
		{"white space", " {\t\"type\" :\r\n\"ping\" } ", protocol.Request{Type: protocol.TypePing}},
		{"unknown fields of every kind", `{"a":[1,-0.5e3,true,false,null,{"b":{}},[]],"type":"ping","z":{}}`, protocol.Request{Type: protocol.TypePing}},
		{"seq and timestamp of a client are ignored", `{"type":"ping","seq":"x","prev":{},"timestamp":0}`, protocol.Request{Type: protocol.TypePing}},
		{"since null", `{"type":"join-plan","planId":"demo","since":null}`, protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "demo"}},
		{"since with more", `{"type":"join-plan","planId":"demo","since":{"seq":9007199254740991,"epoch":"e","x":1}}`,
			protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "demo", Since: &protocol.Position{Epoch: "e", Seq: 1<<53 - 1}}},
		{"since of another type is ignored", `{"type":"leave-plan","planId":"demo","since":7}`, protocol.Request{Type: protocol.TypeLeavePlan, PlanID: "demo"}},
		{"a planId of 128 bytes", `{"type":"join-plan","planId":"` + long + `"}`, protocol.Request{Type: protocol.TypeJoinPlan, PlanID: long}},
		{"a planId is not trimmed", `{"type":"join-plan","planId":" demo "}`, protocol.Request{Type: protocol.TypeJoinPlan, PlanID: " demo "}},
		{"escapes", `{"type":"join-plan","planId":"\"\\\/\u00e9\ud83d\ude00"}`, protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "\"\\/é😀"}},
		{"a replacement character", `{"type":"join-plan","planId":"\ufffd"}`, protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "\ufffd"}},
		{"nesting of 32", `{"type":"ping","x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, protocol.Request{Type: protocol.TypePing}},
		{"the same key in two objects", `{"type":"ping","a":{"x":1},"b":{"x":1}}`, protocol.Request{Type: protocol.TypePing}},
		{"keys that differ in case", `{"type":"ping","Type":"x","TYPE":"y"}`, protocol.Request{Type: protocol.TypePing}},
		{"a state of 1024 bytes", `{"type":"update-presence","planId":"demo","data":{"state":"` + strings.Repeat("s", 1022) + `"}}`,
			protocol.Request{Type: protocol.TypeUpdatePresence, PlanID: "demo", State: []byte(`"` + strings.Repeat("s", 1022) + `"`)}},
		{"a token of 8192 bytes", `{"type":"authenticate","data":{"token":"` + strings.Repeat("t", 8192) + `"}}`,
			protocol.Request{Type: protocol.TypeAuthenticate, Token: strings.Repeat("t", 8192)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.in)
			got, err := protocol.DecodeRequest(in)
			if err != nil {
				t.Fatalf("DecodeRequest(%q) = %v", tt.in, err)
			}
			clear(in) // the result must not retain it
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("DecodeRequest(%q) (-want +got):\n%s", tt.in, diff)
			}
		})
	}
}

func TestDecodeRequestDuplicateAmongManyKeys(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"type":"ping"`)
	for i := range 3000 {
		b.WriteString(`,"k` + strings.Repeat("x", i%3) + string(rune('a'+i%26)) + strings.Repeat("y", i/78) + `":0`)
	}
	if _, err := protocol.DecodeRequest([]byte(b.String()[:20000])); err == nil {
		t.Error("DecodeRequest accepts a truncated message")
	}
	keys := make([]string, 0, 40)
	for i := range 40 {
		keys = append(keys, `"k`+strings.Repeat("z", i)+`":0`)
	}
	all := `{"type":"ping",` + strings.Join(keys, ",")
	if _, err := protocol.DecodeRequest([]byte(all + `}`)); err != nil {
		t.Errorf("40 keys: %v", err)
	}
	for i := range keys {
		if _, err := protocol.DecodeRequest([]byte(all + "," + keys[i] + `}`)); err == nil {
			t.Errorf("DecodeRequest accepts key %d twice", i)
		}
	}
}

func TestEncodeRequestInvalidState(t *testing.T) {
	if _, err := protocol.EncodeRequest(protocol.Request{Type: protocol.TypeUpdatePresence, State: []byte("{")}); !errors.Is(err, protocol.ErrEventData) {
		t.Errorf("EncodeRequest = %v, want ErrEventData", err)
	}
}

func TestValidState(t *testing.T) {
	for state, want := range map[string]bool{
		`{"at":1}`: true, `0`: true, `""`: true, ` [1] `: true,
		`null`: false, ``: false, `{`: false, `1 2`: false, "\"\xff\"": false,
		`"` + strings.Repeat("x", protocol.MaxStateBytes-2) + `"`: true,
		`"` + strings.Repeat("x", protocol.MaxStateBytes-1) + `"`: false,
	} {
		if got := protocol.ValidState([]byte(state)); got != want {
			t.Errorf("ValidState(%.20q) = %v", state, got)
		}
	}
}
