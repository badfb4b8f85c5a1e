package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const protocolDir = "../../../protocol"

// sources returns package protocol with one more file, unless that is "".
func sources(t *testing.T, added string) map[string][]byte {
	t.Helper()
	files, err := readSources(protocolDir)
	if err != nil {
		t.Fatal(err)
	}
	if added != "" {
		files["added.go"] = []byte("package protocol\n" + added)
	}
	return files
}

func generate(t *testing.T, files map[string][]byte) (string, error) {
	t.Helper()
	src, err := parse(files)
	if err != nil {
		return "", err
	}
	text, err := typescript(src)
	return string(text), err
}

func TestCommittedDeclarationsAreThoseOfProtocol(t *testing.T) {
	output := filepath.Join(t.TempDir(), "types", "protocol.d.ts")
	if err := run(protocolDir, output); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../types/protocol.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(committed), string(got)); diff != "" {
		t.Errorf("types/protocol.d.ts differs from the output of go generate (-committed +generated):\n%s", diff)
	}
}

func TestDrift(t *testing.T) {
	for _, test := range []struct{ name, added, want string }{
		{"type", `const TypeDance Type = "dance"`, `message type "dance" of package protocol is missing from the tables`},
		{"error code", `const ErrorDance ErrorCode = "dance"`, `error code "dance" of package protocol is missing from the tables`},
		{"close code", `const CloseDance CloseCode = 4999`, `close code 4999 of package protocol is missing from the tables`},
		{"payload", "type Dance struct { Steps int `json:\"steps\"` }", `payload Dance of package protocol is missing from the tables`},
		{"half a payload", "type Dance struct { Steps int `json:\"steps\"`; Tempo int }", `Dance: field [Tempo] has no name in JSON`},
		{"json option", "type Dance struct { Steps int `json:\"steps,string\"` }", `json option "string" is not known`},
		{"computed code", `const CloseDance CloseCode = CloseNormal + 1`, `CloseDance is not a literal`},
		{"implied code", `const ( CloseDance CloseCode = 4999; CloseTango, CloseWaltz CloseCode = 4998 )`, `CloseWaltz has no value`},
		{"no Go", `type`, `expected`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := generate(t, sources(t, test.added)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("with %q: error = %v, want %q", test.added, err, test.want)
			}
		})
	}
}

// What is gone from package protocol, or has become something else there, is noticed as well.
func TestDriftOfWhatIsKnown(t *testing.T) {
	for _, test := range []struct{ file, old, new, want string }{
		{"message.go", `"goodbye"`, `"farewell"`, `message type "goodbye" is not in package protocol`},
		{"errors.go", `"bad_state"`, `"bad_mood"`, `error code "bad_state" is not in package protocol`},
		{"close.go", `= 4508`, `= 4509`, `close code 4508 is not in package protocol`},
		{"payload.go", `type Resync struct`, `type resync struct`, `payload Resync is not in package protocol`},
		{"payload.go", "RetryAfterMs int64", "RetryAfterMs time.Duration", `Goodbye.retryAfterMs: no TypeScript for Go type`},
		{"event.go", "func TaskDeleted(", "func TaskRemoved(", `package protocol has no TaskDeleted`},
	} {
		t.Run(test.new, func(t *testing.T) {
			files := sources(t, "")
			changed := strings.Replace(string(files[test.file]), test.old, test.new, 1)
			if changed == string(files[test.file]) {
				t.Fatalf("%s has no %q", test.file, test.old)
			}
			files[test.file] = []byte(changed)
			if _, err := generate(t, files); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q for %q: error = %v, want %q", test.new, test.old, err, test.want)
			}
		})
	}
}

func TestDirectoryWithoutSources(t *testing.T) {
	if err := run(t.TempDir(), filepath.Join(t.TempDir(), "protocol.d.ts")); err == nil {
		t.Error("run of an empty directory = nil, want an error")
	}
}
