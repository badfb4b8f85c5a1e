//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"testing"
)

// Short runs of a client that moves, and of people on two nodes. The second one waits for the
// tenure of a node that was killed to end.
func TestMovesAndPeople(t *testing.T) {
	for name, want := range map[string]struct{ published, notes int }{
		"moves":          {6 * eventsPerMove, 1},
		"presence-20000": {0, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := program(t, "faults", "-run", name, "-moves", "6", "-people", "400", "-rate", "50", "-viewers", "1",
				"-lenient", "-json", "-dir", dir)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err != nil {
				out, _ := exec.Command("sh", "-c", "tail -n 20 "+dir+"/*/*.log").CombinedOutput()
				t.Fatalf("%v\n%s%s", err, &stderr, out)
			}
			var o outcome
			if err := json.Unmarshal(stdout.Bytes(), &o); err != nil {
				t.Fatal(err)
			}
			if o.Seen.Published < want.published || len(o.Notes) < want.notes {
				t.Errorf("%d changes were published, want at least %d; notes %q", o.Seen.Published, want.published, o.Notes)
			}
			for _, note := range o.Notes {
				t.Logf("%.1f s: %s", o.Took.Seconds(), note)
			}
		})
	}
}
