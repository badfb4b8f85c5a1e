package middleware_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of stacks into README.md")

// TestREADME compares the table in README.md with the stacks and verdicts of TestMiddleware.
func TestREADME(t *testing.T) {
	const file, begin, end = "../README.md", "<!-- stacks -->\n", "<!-- /stacks -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", file)
	}
	want := []byte(before + begin + table() + end + after)
	if bytes.Equal(text, want) {
		return
	}
	if !*update {
		t.Fatalf("the table in %s is not that of the test: go test ./middleware -run TestREADME -update", file)
	}
	if err := os.WriteFile(file, want, 0o644); err != nil {
		t.Fatal(err)
	}
}

// table returns the stacks and verdicts as Markdown.
func table() string {
	var b strings.Builder
	b.WriteString("| stack")
	for _, p := range places {
		fmt.Fprintf(&b, " | %s", p.name)
	}
	b.WriteString(" |\n| ---" + strings.Repeat(" | ---", len(places)) + " |\n")
	for _, s := range stacks() {
		fmt.Fprintf(&b, "| %s", s.name)
		for _, p := range places {
			fmt.Fprintf(&b, " | %s", p.want(s))
		}
		b.WriteString(" |\n")
	}
	return b.String()
}
