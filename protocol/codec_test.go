package protocol_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
)

// strictObject implements the rules of DecodeRequest with encoding/json, as a reference for the
// scanner: one object, no duplicate keys at any depth, bounded nesting, valid UTF-8.
func strictObject(b []byte) (members map[string]json.RawMessage, ok bool) {
	if len(b) > protocol.MaxMessageBytes || !utf8.Valid(b) || !json.Valid(b) {
		return nil, false
	}
	type object struct {
		keys  map[string]bool // nil for an array
		isKey bool            // the next token is a key
	}
	var open []object
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, false
		}
		if top := len(open) - 1; top >= 0 && open[top].keys != nil && token != json.Delim('}') {
			if open[top].isKey {
				key := token.(string)
				if open[top].keys[key] {
					return nil, false
				}
				open[top].keys[key] = true
				open[top].isKey = false
				continue
			}
			open[top].isKey = true
		}
		switch token {
		case json.Delim('{'):
			open = append(open, object{keys: map[string]bool{}, isKey: true})
		case json.Delim('['):
			open = append(open, object{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		if len(open) > protocol.MaxDepth {
			return nil, false
		}
	}
	// A map, unlike a struct, distinguishes upper and lower case in keys.
	return members, json.Unmarshal(b, &members) == nil && members != nil
}

// strictString decodes a string. It returns false for a missing value, null, values of other types,
// and strings that are not Unicode text.
func strictString(raw json.RawMessage) (string, bool) {
	var s *string
	if raw == nil || json.Unmarshal(raw, &s) != nil || s == nil {
		return "", false
	}
	// encoding/json replaces a lone surrogate with U+FFFD, so the result then has more of them than
	// the input.
	text := strings.ToLower(strings.ReplaceAll(string(raw), `\\`, ""))
	if strings.Count(*s, "\ufffd") > strings.Count(text, `\ufffd`)+strings.Count(text, "\ufffd") {
		return "", false
	}
	return *s, true
}

func strictPosition(raw json.RawMessage) (*protocol.Position, bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return nil, false
	}
	epoch, ok := strictString(members["epoch"])
	seq, err := strconv.ParseUint(string(members["seq"]), 10, 53)
	return &protocol.Position{Epoch: epoch, Seq: seq}, ok && err == nil && 1 <= len(epoch) && len(epoch) <= protocol.MaxEpochBytes
}

// strictRequest returns the result that DecodeRequest must have. The code is "" for a valid
// request.
func strictRequest(b []byte) (request protocol.Request, code protocol.ErrorCode) {
	members, ok := strictObject(b)
	if !ok {
		return request, protocol.ErrorBadMessage
	}
	name, _ := strictString(members["type"])
	if name == "" {
		return request, protocol.ErrorBadMessage
	}
	request.Type = protocol.Type(name)
	planID, _ := strictString(members["planId"])
	var data map[string]json.RawMessage
	if json.Unmarshal(members["data"], &data) != nil {
		data = nil
	}
	switch request.Type {
	case protocol.TypePing:
		return request, ""
	case protocol.TypeAuthenticate:
		request.Token, _ = strictString(data["token"])
		if n := len(request.Token); n == 0 || n > protocol.MaxTokenBytes {
			return request, protocol.ErrorBadToken
		}
		return request, ""
	case protocol.TypeJoinPlan, protocol.TypeLeavePlan, protocol.TypeUpdatePresence:
	default:
		return request, protocol.ErrorUnknownType
	}
	if request.PlanID = planID; !protocol.ValidPlanID(planID) {
		return request, protocol.ErrorBadPlanID
	}
	if since := members["since"]; request.Type == protocol.TypeJoinPlan && since != nil && string(since) != "null" {
		if request.Since, ok = strictPosition(since); !ok {
			return request, protocol.ErrorBadMessage
		}
	}
	if request.Type == protocol.TypeUpdatePresence {
		state := data["state"]
		if state == nil || len(state) > protocol.MaxStateBytes {
			return request, protocol.ErrorBadState
		}
		if string(state) != "null" {
			request.State = state
		}
	}
	return request, ""
}

// compareStrictly compares DecodeRequest with strictRequest.
func compareStrictly(t *testing.T, b []byte) {
	t.Helper()
	want, code := strictRequest(b)
	got, err := protocol.DecodeRequest(b)
	if code == "" {
		if err != nil {
			t.Fatalf("DecodeRequest(%q) = %v, want %+v", b, err, want)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("DecodeRequest(%q) (-want +got):\n%s", b, diff)
		}
		return
	}
	var refused *protocol.RequestError
	if !errors.As(err, &refused) || refused.Code != code {
		t.Fatalf("DecodeRequest(%q) = %+v, %v, want %s", b, got, err, code)
	}
}

// strictSeeds are texts that JSON parsers treat differently.
var strictSeeds = []string{
	"", " ", "{", "null", "\ufeff" + `{"type":"ping"}`, "\v" + `{"type":"ping"}`, `{"type":"ping"}` + "\x00",
	`{"type":"ping","a":{"x":[{"y":1,"y":1}]}}`, `{"type":"ping","a":1,"\u0061":2}`, `{"type":"ping","\ud800":1,"\ud801":2}`,
	`{"type":"ping","":1,"":2}`, `{"\u0074ype":"ping"}`, `{"type":"pi\u006eg"}`, `{"TYPE":"ping"}`, `{"type":"ping","tYPE":1}`,
	`{"type":"ping","ſ":1,"s":2,"K":3,"k":4,"K":5}`, `{"type":"join-plan","PlanId":"a"}`, `{"type":"join-plan","planId":"a","planid":"b"}`,
	`{"type":"ping","n":[0,-0,0.0,1e1,1E+1,1e-1,-1.5e300]}`, `{"type":"ping","n":01}`, `{"type":"ping","n":+1}`, `{"type":"ping","n":1.}`,
	`{"type":"ping","n":.5}`, `{"type":"ping","n":-}`, `{"type":"ping","n":1e}`, `{"type":"ping","n":NaN}`, `{"type":"ping","n":1e999999}`,
	`{"type":"ping","s":"\x"}`, `{"type":"ping","s":"\u12g4"}`, `{"type":"ping","s":"\u12`, `{"type":"ping","s":"` + "\x1f" + `"}`,
	`{"type":"ping","s":"` + "\x7f" + `"}`, `{"type":"ping","s":"` + "\xc0\x80" + `"}`, `{"type":"ping","s":"` + "\xed\xa0\x80" + `"}`,
	`{"type":"ping","l":[true,false,null]}`, `{"type":"ping","l":tru}`, `{"type":"ping","l":nulll}`, `{"type":"ping","l":True}`,
	`{"type":"ping"} {}`, `{"type":"ping"},`, `{"type":"ping"}]`, `{"type":"ping","a":[1}`, `{"type":"ping","a":[,]}`, `{"type":"ping",}`,
	`{"type":"ping" /* comment */}`, `{'type':'ping'}`, `{type:"ping"}`, `{"type" "ping"}`, `{"type"::"ping"}`, `{"type":}`,
	`{"type":"join-plan","planId":"a","since":{"epoch":"e","seq":1e3}}`, `{"type":"join-plan","planId":"a","since":{"epoch":"e","seq":-0}}`,
	`{"type":"join-plan","planId":"a","since":{"epoch":"e","seq":9007199254740991}}`, `{"type":"join-plan","planId":"a","since":[]}`,
	`{"type":"join-plan","planId":"a","since":{"epoch":"e","seq":18446744073709551617}}`, `{"type":"join-plan","planId":"a","since":{"Epoch":"e","seq":1}}`,
	`{"type":"join-plan","planId":"a","since":{"epoch":null,"seq":1}}`, `{"type":"join-plan","planId":"a","since":{"epoch":"e","seq":null}}`,
	`{"type":"update-presence","planId":"a","data":{"state":{"x":1,"x":2}}}`, `{"type":"update-presence","planId":"a","data":{"State":1}}`,
	`{"type":"update-presence","planId":"a","data":{"state": [ 1 ] }}`, `{"type":"update-presence","planId":"a","data":[{"state":1}]}`,
	`{"type":"update-presence","planId":"a","data":{"state":{"state":1}}}`, `{"type":"update-presence","planId":"a","data":null}`,
	`{"type":"authenticate","data":{"token":null}}`, `{"type":"authenticate","data":{"token":"a\u0000b"}}`,
	`{"type":"authenticate","planId":1,"data":{"token":"t"}}`, `{"type":"ping","planId":"a","since":1,"data":1}`,
}

func TestDecodeRequestAgainstReference(t *testing.T) {
	for _, in := range strictSeeds {
		compareStrictly(t, []byte(in))
	}
	for depth := protocol.MaxDepth - 2; depth <= protocol.MaxDepth; depth++ {
		for _, pair := range []string{"[]", "{}"} {
			inner := strings.Repeat(pair[:1], depth) + strings.Repeat(pair[1:], depth)
			if pair == "{}" {
				inner = strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
			}
			compareStrictly(t, []byte(`{"type":"ping","x":`+inner+`}`))
		}
	}
	for _, n := range []int{protocol.MaxMessageBytes - 1, protocol.MaxMessageBytes, protocol.MaxMessageBytes + 1} {
		frame := `{"type":"ping","x":""}`
		compareStrictly(t, []byte(`{"type":"ping","x":"`+strings.Repeat("x", n-len(frame))+`"}`))
	}
}

// DecodeRequest must agree with the reference for every prefix of a valid message, and after a
// change of any byte.
func TestDecodeRequestOfDamagedMessages(t *testing.T) {
	for _, in := range []string{
		`{"type":"join-plan","planId":"d\u00e9\ud83d\ude00","since":{"epoch":"E","seq":41}}`,
		`{"type":"update-presence","planId":"d","data":{"state":{"a":[1,null,"x"]}}}`,
	} {
		for i := range len(in) {
			compareStrictly(t, []byte(in[:i]))
			for _, c := range []byte("\x00\"\\{}[],:0-ux \xff") {
				b := []byte(in)
				b[i] = c
				compareStrictly(t, b)
			}
		}
	}
}

func FuzzDecodeRequestStrictly(f *testing.F) {
	seed(f)
	for _, s := range strictSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(compareStrictly)
}

// A client must not be able to cause much work with a message that is refused: the cost of checking
// for duplicates must be linear in the number of keys.
func BenchmarkDecodeRequest(b *testing.B) {
	var keys strings.Builder
	keys.WriteString(`{"type":"ping"`)
	for i := 0; keys.Len() < protocol.MaxMessageBytes-16; i++ {
		keys.WriteString(`,"` + strconv.FormatInt(int64(i), 36) + `":0`)
	}
	keys.WriteString(`}`)
	for _, bench := range []struct{ name, in string }{
		{"ping", `{"type":"ping"}`},
		{"join-plan", `{"type":"join-plan","planId":"demo","since":{"epoch":"E1","seq":41}}`},
		{"keys", keys.String()},
		{"deep", `{"type":"ping","x":` + strings.Repeat("[", protocol.MaxMessageBytes-32)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			in := []byte(bench.in)
			b.ReportAllocs()
			for b.Loop() {
				protocol.DecodeRequest(in)
			}
		})
	}
}
