package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/compare/internal/bench"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// TestMain lets the test's own binary be both sides of a measurement, as the program is.
func TestMain(m *testing.M) {
	if ran, err := bench.Child(os.Args[1:], os.Stdout); ran {
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
		plan: bench.Plan{Hold: 10 * time.Minute, HoldConnections: 19_000}, impls: peer.Default(),
		rounds: 3, serverCPUs: 1, foreign: 0.1, repeats: 2,
	}
	with := func(change func(*options)) options {
		o := full
		change(&o)
		return o
	}
	quick := with(func(o *options) {
		o.plan.Quick, o.plan.Hold, o.plan.HoldConnections, o.rounds, o.repeats = true, 5*time.Second, 5000, 1, 0
	})
	for _, test := range []struct {
		args string
		want options
	}{
		{"", full},
		{"-quick", quick},
		{"-quick -rounds 2 -repeats 1 -hold 1m -hold-connections 700", with(func(o *options) {
			o.plan.Quick, o.plan.Hold, o.plan.HoldConnections, o.rounds, o.repeats = true, time.Minute, 700, 2, 1
		})},
		{"-impls planrooms,planrooms-metrics,planrooms-otel", with(func(o *options) {
			o.impls = []string{"planrooms", "planrooms-metrics", "planrooms-otel"}
		})},
		{"-scenarios S1,S9 -impls gws,raw", with(func(o *options) { o.scenarios, o.impls = []string{"S1", "S9"}, []string{"gws", "raw"} })},
		{"-server-cpus 2 -foreign 0.5 -json x -profile /p -token-bytes 1024", with(func(o *options) {
			o.serverCPUs, o.foreign, o.json, o.profile, o.tokenBytes = 2, 0.5, "x", "/p", 1024
		})},
	} {
		got, err := parse(strings.Fields(test.args), 100_000, io.Discard)
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(options{})); diff != "" || err != nil {
			t.Errorf("parse(%q): %v (-want +got):\n%s", test.args, err, diff)
		}
	}
	if got, _ := parse(nil, 1024, io.Discard); got.plan.HoldConnections != 524 {
		t.Errorf("with 1024 descriptors S9 holds %d connections, want 524", got.plan.HoldConnections)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range []string{"-impls nobody", "-rounds 0", "-repeats -1", "-server-cpus 0", "-hold 0s", "-token-bytes -1", "-token-bytes 100000", "S1"} {
		if _, err := parse(strings.Fields(args), 1024, io.Discard); !errors.Is(err, errUsage) {
			t.Errorf("parse(%q) = %v, want %v", args, err, errUsage)
		}
	}
	if _, err := parse([]string{"-h"}, 1024, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("parse(-h) = %v, want %v", err, flag.ErrHelp)
	}
}

func TestScenariosOf(t *testing.T) {
	all := []bench.Scenario{{ID: "S1"}, {ID: "S2"}, {ID: "S3"}}
	got, err := options{scenarios: []string{"S3", "S1"}}.scenariosOf(all)
	if err != nil || len(got) != 2 || got[0].ID != "S1" || got[1].ID != "S3" {
		t.Errorf("scenariosOf(S3, S1) = %v, %v, want S1 and S3", got, err)
	}
	if got, err := (options{}).scenariosOf(all); err != nil || len(got) != 3 {
		t.Errorf("scenariosOf() = %d scenarios, %v, want all", len(got), err)
	}
	if _, err := (options{scenarios: []string{"S12"}}).scenariosOf(all); !errors.Is(err, errUsage) {
		t.Errorf("scenariosOf(S12) = %v, want %v", err, errUsage)
	}
}

func TestRunPrintsATable(t *testing.T) {
	runtime.LockOSThread() // never unlocked: the children end with the thread
	var out bytes.Buffer
	dir := t.TempDir()
	args := []string{"-quick", "-scenarios", "S9", "-hold", "50ms", "-hold-connections", "20", "-json", dir + "/raw.json", "-profile", dir + "/profiles"}
	if err := run(t.Context(), args, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"### S9: 20 connections", "| planrooms |", "| gws |", "lost: aim ≤ 0, measured 0: reached"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("run(%q) printed no %q:\n%s", args, want, out.String())
		}
	}
	if raw, err := os.ReadFile(dir + "/raw.json"); err != nil || bytes.Count(raw, []byte("\n")) != 2 {
		t.Errorf("the raw samples are %q, %v, want two lines", raw, err)
	}
	if files, err := os.ReadDir(dir + "/profiles"); err != nil || len(files) != 2 {
		t.Errorf("%d profiles, %v, want two", len(files), err)
	}
}

// No process may have so many open files.
func TestFailedSample(t *testing.T) {
	var out bytes.Buffer
	args := []string{"-quick", "-scenarios", "S9", "-hold", "50ms", "-hold-connections", "2000000000"}
	err := run(t.Context(), args, &out, t.Output())
	if !errors.Is(err, errFailed) || !strings.Contains(err.Error(), "2 of 2") {
		t.Errorf("run(%q) = %v, want %v", args, err, errFailed)
	}
	if !strings.Contains(out.String(), "gws failed: 2000000000 connections need more") {
		t.Errorf("the report does not say why:\n%s", out.String())
	}
}
