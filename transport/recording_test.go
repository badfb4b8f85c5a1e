package transport_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recording is the recorded conversation of the original browser client. The file says what its
// lines mean.
const recording = "testdata/original-client.txt"

// recordedLine is a line of the recording: for example ann, <, and a message.
type recordedLine struct {
	number              int
	text                string
	who, verb, argument string
}

func recordedLines(t *testing.T) (lines []recordedLine) {
	t.Helper()
	content, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	for text := range strings.Lines(string(content)) {
		number++
		text = strings.TrimRight(text, "\r\n")
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		who, rest, _ := strings.Cut(text, " ")
		verb, argument, ok := strings.Cut(rest, " ")
		if !ok {
			t.Fatalf("%s:%d: %s: want three parts", recording, number, text)
		}
		lines = append(lines, recordedLine{number, text, who, verb, argument})
	}
	if len(lines) == 0 {
		t.Fatalf("%s is empty", recording)
	}
	return lines
}

// compareRecorded compares a message with the recorded one. Its envelope and its data may have
// further fields. Everything below them, such as a task, belongs to the host and must be equal.
func compareRecorded(want, got string) error {
	w, err := decodeObject(want)
	if err != nil {
		return err
	}
	g, err := decodeObject(got)
	if err != nil {
		return fmt.Errorf("got %s: %w", got, err)
	}
	if err := compareFields("", w, g); err != nil {
		return fmt.Errorf("got %s: %w", got, err)
	}
	return nil
}

// decodeObject decodes JSON with numbers as they are written.
func decodeObject(text string) (map[string]any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v map[string]any
	return v, d.Decode(&v)
}

func compareFields(path string, want, got map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		field := path + name
		w := want[name]
		g, ok := got[name]
		switch {
		case w == "<absent>":
			if ok {
				return fmt.Errorf("unexpected field %s", field)
			}
		case !ok:
			return fmt.Errorf("missing field %s", field)
		case field == "data":
			wantData, _ := w.(map[string]any)
			gotData, ok := g.(map[string]any)
			if !ok {
				return errors.New("data is not an object")
			}
			if err := compareFields("data.", wantData, gotData); err != nil {
				return err
			}
		default:
			if err := compareValue(field, w, g); err != nil {
				return err
			}
		}
	}
	return nil
}

var timeOnTheWire = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

func compareValue(field string, want, got any) error {
	text, isText := got.(string)
	switch {
	case want == "<time>" && !(isText && timeOnTheWire.MatchString(text)):
		return fmt.Errorf("%s is %v, want a time in UTC in milliseconds", field, got)
	case want == "<text>" && (!isText || text == ""):
		return fmt.Errorf("%s is %v, want a text", field, got)
	case want == "<time>" || want == "<text>":
		return nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("%s has changed (-recorded +got):\n%s", field, diff)
	}
	return nil
}

// TestCompareRecorded changes every field of every recorded message. compareRecorded must notice
// when a field is renamed, removed or of another type, and accept further fields.
func TestCompareRecorded(t *testing.T) {
	t.Parallel()
	example := strings.NewReplacer("<time>", "2026-01-02T03:04:05.006Z", "<text>", "no", `,"userId":"<absent>"`, "")
	for _, l := range recordedLines(t) {
		if l.verb != "<" || strings.HasPrefix(l.argument, "close ") {
			continue
		}
		got, err := decodeObject(example.Replace(l.argument))
		if err != nil {
			t.Fatalf("%s:%d: %v", recording, l.number, err)
		}
		compare := func() error {
			b, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			return compareRecorded(l.argument, string(b))
		}
		objects := []map[string]any{got}
		if data, ok := got["data"].(map[string]any); ok {
			objects = append(objects, data)
		}
		for _, o := range objects {
			o["added"] = 1
			if err := compare(); err != nil {
				t.Errorf("line %d, with an additional field: %v", l.number, err)
			}
			delete(o, "added")
			for name, value := range maps.Clone(o) {
				delete(o, name)
				if compare() == nil {
					t.Errorf("line %d: no error without %s", l.number, name)
				}
				o[name+"s"] = value
				if compare() == nil {
					t.Errorf("line %d: no error with %ss instead of %s", l.number, name, name)
				}
				delete(o, name+"s")
				for _, other := range otherTypes(value) {
					o[name] = other
					if compare() == nil {
						t.Errorf("line %d: no error with %s of %v", l.number, name, other)
					}
				}
				o[name] = value
			}
		}
	}
}

// otherTypes returns values of other JSON types than v: its text as a string or a number, null, and
// containers of it.
func otherTypes(v any) []any {
	others := []any{nil, []any{v}, map[string]any{"value": v}}
	if _, ok := v.(string); ok {
		return append(others, json.Number("1767323045006"), true)
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return append(others, string(bytes.TrimSpace(b)))
}
