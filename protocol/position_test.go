package protocol_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
)

func TestPositionAsText(t *testing.T) {
	for want, p := range map[string]protocol.Position{
		"":                              {},
		"E1.42":                         {Epoch: "E1", Seq: 42},
		"a_b-C.0":                       {Epoch: "a_b-C"},
		"E1.9007199254740991":           {Epoch: "E1", Seq: 1<<53 - 1},
		"%2E.7":                         {Epoch: ".", Seq: 7},
		"%25.7":                         {Epoch: "%", Seq: 7},
		"a%2C%20b%22%0D%0A.1":           {Epoch: "a, b\"\r\n", Seq: 1},
		"%C3%A9%FF.1":                   {Epoch: "é\xff", Seq: 1},
		strings.Repeat("x", 64) + ".1":  {Epoch: strings.Repeat("x", 64), Seq: 1},
		strings.Repeat("%00", 64) + ".": {Epoch: strings.Repeat("\x00", 64)},
	} {
		if strings.HasSuffix(want, "%00.") {
			want += "0"
		}
		text, err := p.MarshalText()
		if err != nil || string(text) != want || p.String() != want {
			t.Errorf("MarshalText of %+v = %q, %v, String = %q, want %q", p, text, err, p, want)
		}
		got := protocol.Position{Epoch: "before", Seq: 9}
		if err := got.UnmarshalText(text); err != nil || got != p {
			t.Errorf("UnmarshalText(%q) = %+v, %v, want %+v", text, got, err, p)
		}
		if unescaped, err := url.QueryUnescape(url.QueryEscape(want)); err != nil || unescaped != want {
			t.Errorf("as a query parameter, %q became %q, %v", want, unescaped, err)
		}
	}
}

func TestPositionOfBadText(t *testing.T) {
	for _, text := range []string{
		"E1", ".", ".1", "E1.", "E1.-1", "E1.+1", "E1.1.2", "E1.01", "E1.1e3", "E1.9007199254740992", "E1.99999999999999999999", " E1.1", "E1.1 ",
		"a b.1", "é.1", "%.1", "%2.1", "%zz.1", "%2e.1", "%41.1", strings.Repeat("x", 65) + ".1", `{"epoch":"E1","seq":1}`,
	} {
		kept := protocol.Position{Epoch: "kept", Seq: 1}
		got := kept
		if err := got.UnmarshalText([]byte(text)); !errors.Is(err, protocol.ErrPosition) || got != kept {
			t.Errorf("UnmarshalText(%q) = %+v, %v, want ErrPosition", text, got, err)
		}
	}
	for _, p := range []protocol.Position{{Seq: 1}, {Epoch: "E", Seq: 1 << 53}, {Epoch: strings.Repeat("x", 65)}} {
		if text, err := p.MarshalText(); !errors.Is(err, protocol.ErrPosition) {
			t.Errorf("MarshalText of %+v = %q, %v, want ErrPosition", p, text, err)
		}
	}
}

// The text methods must not change the JSON of a position, which is part of the wire.
func TestPositionAsJSON(t *testing.T) {
	type values struct {
		Value   protocol.Position  `json:"value"`
		Pointer *protocol.Position `json:"pointer"`
		Absent  *protocol.Position `json:"absent"`
	}
	in := values{Value: protocol.Position{Epoch: `a"é`, Seq: 42}, Pointer: &protocol.Position{}}
	b, err := json.Marshal(in)
	if want := `{"value":{"epoch":"a\"é","seq":42},"pointer":{"epoch":"","seq":0},"absent":null}`; err != nil || string(b) != want {
		t.Errorf("Marshal = %s, %v, want %s", b, err, want)
	}
	var out values
	if err := json.Unmarshal([]byte(`{"value":{"seq":42,"epoch":"a\"é","later":true},"pointer":{"epoch":"","seq":0},"absent":null}`), &out); err != nil {
		t.Fatal(err)
	}
	if out.Value != in.Value || out.Pointer == nil || *out.Pointer != *in.Pointer || out.Absent != nil {
		t.Errorf("Unmarshal = %+v, want %+v", out, in)
	}
	for _, bad := range []string{`"E1.42"`, `{"epoch":1}`, `{"seq":-1}`} {
		if err := json.Unmarshal([]byte(bad), &out.Value); err == nil {
			t.Errorf("Unmarshal of %s: no error", bad)
		}
	}
}

func FuzzPositionText(f *testing.F) {
	f.Add("E1.42")
	f.Add("%2E%C3.0")
	f.Fuzz(func(t *testing.T, text string) {
		var p protocol.Position
		if p.UnmarshalText([]byte(text)) != nil {
			return
		}
		if p.String() != text {
			t.Errorf("%q became %q", text, p)
		}
		h := http.Header{"X-Plan-Position": {text}}
		var written strings.Builder
		if err := h.Write(&written); err != nil || text != "" && written.String() != "X-Plan-Position: "+text+"\r\n" {
			t.Errorf("header %q, %v", written.String(), err)
		}
	})
}
