package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// half is a module with a package of two functions, and two tests of it.
var half = map[string]string{
	"go.mod": "module half\n\ngo 1.25\n",
	"half/half.go": `package half

type Number int

func (n *Number) Half(_ bool) int { return int(*n) / 2 }

func Double(ns ...int) (all []int) {
	for _, n := range ns {
		all = append(all, 2*n)
	}
	return all
}
`,
	"half/half_test.go": `package half_test

import (
	"testing"

	"half/half"
)

func TestHalf(t *testing.T) {
	if n := half.Number(8); n.Half(true) != 4 {
		t.Error(n.Half(true))
	}
}

func TestDouble(t *testing.T) {
	if got := half.Double(1, 2); got[1] != 4 {
		t.Error(got)
	}
}
`,
}

func newRunner(t *testing.T, faults ...fault) *runner {
	t.Helper()
	root := t.TempDir()
	for name, text := range half {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "off")
	return &runner{root: root, work: t.TempDir(), timeout: time.Minute, faults: in("half", faults...)}
}

func TestMatching(t *testing.T) {
	faults := []fault{{name: "log: first"}, {name: "feed: first"}, {name: "feed: second"}}
	if got, err := matching(faults, "^feed"); err != nil || len(got) != 2 || got[0].name != "feed: first" {
		t.Errorf("got %v, %v", got, err)
	}
	for pattern, want := range map[string]string{"^third": "no fault matches", "(": "missing closing )"} {
		if got, err := matching(faults, pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v, want %q", pattern, got, err, want)
		}
	}
}

func TestVerdicts(t *testing.T) {
	halves := fault{name: "third", function: "Number.Half", old: "/ 2", new: "/ 3", tests: "TestHalf"}
	last := fault{name: "only one", function: "Double", old: "2*n)", new: "2*n)\n		break", tests: "TestHalf|TestDouble"}
	elsewhere := fault{name: "not doubled", function: "Double", old: "2*n", new: "n", tests: "TestHalf"}
	unnamed := fault{name: "not halved", function: "Number.Half", old: " / 2", new: ""}
	missed := fault{name: "the first", function: "Double", old: "2*n", new: "max(2*n, 3)", tests: "TestDouble"}
	same := fault{name: "the same", function: "Double", old: "2*n", new: "n*2", equivalent: "a product has no order"}
	r := newRunner(t, halves, last, elsewhere, unnamed, missed, same)
	if err := r.compile(); err != nil {
		t.Fatal(err)
	}
	if err := r.build(); err != nil {
		t.Fatal(err)
	}
	got := make([]result, len(r.faults))
	r.all(2, func(i int, res result) { got[i] = res })
	want := []result{
		{verdict: verdictCaught, test: "TestHalf"},
		{verdict: verdictCaught, test: "TestDouble: runtime error: index out of range [1] with length 1 [recovered, repanicked]"},
		{verdict: verdictElsewhere, test: "TestDouble"},
		{verdict: verdictElsewhere, test: "TestHalf"},
		{verdict: verdictNot},
		{verdict: verdictEquivalent},
	}
	for i := range want {
		got[i].took = 0
		if got[i] != want[i] {
			t.Errorf("%s: got %+v, want %+v", r.faults[i].name, got[i], want[i])
		}
	}
}

// A list that does not fit the source is an error, whatever the reason.
func TestFaultsThatDoNotApply(t *testing.T) {
	ok := fault{name: "ok", function: "Double", old: "2*n", new: "n"}
	for want, f := range map[string]fault{
		"Double contains the text 0 times": {function: "Double", old: "3*n", new: "n"},
		"Double contains the text 2 times": {function: "Double", old: "2*n", new: "n"},
		"half has no function Triple":      {function: "Triple", old: "n", new: "n"},
		"changes nothing":                  {function: "Double", old: "2*n", new: "2*n"},
		"changes the name of the function": {function: "Double", old: "func Double", new: "func Triple"},
		"another fault has this name":      ok,
		"undefined: m":                     {function: "Double", old: "2*n", new: "m"},
		"TestTriple":                       {function: "Double", old: "2*n", new: "n", tests: "TestTriple"},
		"without a fault: TestHalf":        {},
	} {
		t.Run(want, func(t *testing.T) {
			if f.name == "" {
				f.name = "bad"
			}
			r := newRunner(t, ok, f)
			source := filepath.Join(r.root, "half", "half.go")
			switch {
			case strings.Contains(want, "2 times"):
				replace(t, source, "range ns {", "range ns {\n		_ = 2*n")
				r.faults = r.faults[1:]
			case strings.HasPrefix(want, "without"):
				replace(t, source, "/ 2", "/ 4")
				r.faults = r.faults[:1]
				r.faults[0].tests = "TestHalf"
			}
			if err := r.build(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func replace(t *testing.T, file, old, new string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFailure(t *testing.T) {
	for output, want := range map[string]string{
		"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\nFAIL\n":            "TestA",
		"panic: test timed out after 1s\n	running tests:\n		TestB (1s)\n":           "TestB: test timed out",
		"fatal error: concurrent map writes\n\ngoroutine 7:\na/b_test.TestC(0x1)\n": "TestC: concurrent map writes",
		"panic: boom\n\ngoroutine 7:\nruntime.x()\n":                                "a test: boom",
		"exit status 2\n": "the test binary",
	} {
		if got := failure(output); got != want {
			t.Errorf("%q: got %q, want %q", output, got, want)
		}
	}
}

// TESTING.md has a row for each fault that no test can see, with the same reason.
func TestEquivalentFaultsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../.github/TESTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Faults that no test can see\n")
	section, _, _ = strings.Cut(section, "\n## ")
	listed := regexp.MustCompile(`(?m)^\| \w+: .*$`).FindAllString(section, -1)
	var want []string
	for _, f := range slices.Concat(lists...) {
		if f.equivalent != "" {
			want = append(want, "| "+f.name+" | "+f.equivalent+" |")
		}
	}
	slices.Sort(listed)
	slices.Sort(want)
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("the table (-want +TESTING.md):\n%s", diff)
	}
}
