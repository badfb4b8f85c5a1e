package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/compare/internal/broker"
	"github.com/planrooms/planrooms/examples/compare/internal/cost"
)

// TestMain lets the test's own binary be each process of a cluster, as the program is.
func TestMain(m *testing.M) {
	if ran, err := child(os.Args[1:]); ran {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestParse(t *testing.T) {
	full := options{
		plan: cost.Full(), contestants: cost.Names(), measures: []cost.Measure{cost.Events, cost.Holding},
		rounds: 3, foreign: 0.1, repeats: 2,
	}
	with := func(change func(*options)) options {
		o := full
		change(&o)
		return o
	}
	for _, test := range []struct {
		args string
		want options
	}{
		{"", full},
		{"-quick", with(func(o *options) { o.plan, o.rounds, o.repeats = cost.Quick(), 1, 0 })},
		{"-quick -rounds 2 -repeats 1", with(func(o *options) { o.plan, o.rounds, o.repeats = cost.Quick(), 2, 1 })},
		{"-contestants planrooms,centrifuge -measures holding", with(func(o *options) {
			o.contestants, o.measures = []string{"planrooms", "centrifuge"}, []cost.Measure{cost.Holding}
		})},
		{"-foreign 0.5 -json x -markdown y", with(func(o *options) { o.foreign, o.json, o.markdown = 0.5, "x", "y" })},
	} {
		got, err := parse(strings.Fields(test.args), io.Discard)
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(options{})); diff != "" || err != nil {
			t.Errorf("parse(%q): %v (-want +got):\n%s", test.args, err, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range []string{"-contestants nobody", "-measures nothing", "-rounds 0", "-repeats -1", "-foreign -1", "planrooms"} {
		if _, err := parse(strings.Fields(args), io.Discard); !errors.Is(err, errUsage) {
			t.Errorf("parse(%q) = %v, want %v", args, err, errUsage)
		}
	}
	if _, err := parse([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("parse(-h) = %v, want %v", err, flag.ErrHelp)
	}
}

func TestRunReplacesTheBlock(t *testing.T) {
	runtime.LockOSThread() // never unlocked: the processes end with the thread
	dir := t.TempDir()
	page, raw := filepath.Join(dir, "page.md"), filepath.Join(dir, "raw.jsonl")
	if err := os.WriteFile(page, []byte("before\n"+blockBegin+"old\n"+blockEnd+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	args := []string{"-quick", "-contestants", "planrooms,centrifuge", "-measures", "holding", "-json", raw, "-markdown", page}
	if err := run(t.Context(), args, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	report := strings.TrimSpace(out.String())
	if !strings.Contains(report, "### Memory") || !strings.Contains(report, "| 2000 | planrooms |") {
		t.Errorf("the report has no table of the memory:\n%s", report)
	}
	want := "before\n" + blockBegin + "\n" + report + "\n\n" + blockEnd + "after\n"
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("the page is %q, %v, want %q", got, err, want)
	}
	if samples, err := os.ReadFile(raw); err != nil || bytes.Count(samples, []byte("\n")) != 2 {
		t.Errorf("the samples are %q, %v, want two lines", samples, err)
	}
}

// Redis is not in the path.
func TestFailedSample(t *testing.T) {
	runtime.LockOSThread() // never unlocked: the processes end with the thread
	t.Setenv("PATH", t.TempDir())
	page := filepath.Join(t.TempDir(), "page.md")
	const text = blockBegin + "old\n" + blockEnd
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	args := []string{"-quick", "-contestants", "planrooms,centrifuge-redis", "-measures", "holding", "-markdown", page}
	err := run(t.Context(), args, &out, t.Output())
	if !errors.Is(err, errFailed) || !strings.Contains(err.Error(), "1 of 2") {
		t.Errorf("run(%q) = %v, want %v", args, err, errFailed)
	}
	if want := broker.ErrNotInstalled.Error(); !strings.Contains(out.String(), want) {
		t.Errorf("the report does not say %q:\n%s", want, out.String())
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != text {
		t.Errorf("the page is %q, %v, want no change", got, err)
	}
}

// A file in which the report cannot replace anything is found before anything is measured.
func TestRunRefusesAPage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	args := []string{"-quick", "-contestants", "planrooms", "-measures", "holding", "-markdown", page}
	for _, want := range []error{os.ErrNotExist, errUsage} {
		var out bytes.Buffer
		if err := run(t.Context(), args, &out, t.Output()); !errors.Is(err, want) || out.Len() > 0 {
			t.Errorf("run(%q) = %v after the report %q, want %v and no report", args, err, &out, want)
		}
		if err := os.WriteFile(page, []byte("no block"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReplaceBlockRefuses(t *testing.T) {
	for _, text := range []string{"", blockBegin, blockEnd + blockBegin} {
		page := filepath.Join(t.TempDir(), "page.md")
		if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := replaceBlock(page, []byte("new"))
		if got, _ := os.ReadFile(page); !errors.Is(err, errUsage) || string(got) != text {
			t.Errorf("replaceBlock in %q = %v, and the page is then %q; want %v and no change", text, err, got, errUsage)
		}
	}
}
