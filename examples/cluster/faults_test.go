//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each fault run, once and short. Those of a group share a cluster; the groups run at the same time,
// since most of them wait for a tenure to end. Times are reported, and not judged: the machine may
// be slow.
func TestFaults(t *testing.T) {
	groups := map[string]string{
		"processes": "kill-node,kill-leader,kill-follower,rolling,clock,restart-nats,lose-disk,old-disk",
		"presence":  "crash-presence,stop-node,cut,blackhole,delay",
		"tenures":   "cut-long,blackhole-long,delay-long,old-disk-running",
	}
	var tested []string
	for group, names := range groups {
		tested = append(tested, strings.Split(names, ",")...)
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			outcomes := faults(t, names)
			if len(outcomes) != strings.Count(names, ",")+1 {
				t.Errorf("%d outcomes of %s", len(outcomes), names)
			}
			for _, o := range outcomes {
				s := &o.Seen
				t.Logf("%s: %.1f s, %d published, %d delivered, reloads %v, publish pause %.1f s, delivery pause %.1f s; %s", o.Fault,
					o.Took.Seconds(), s.Published, s.Delivered, s.Reloads, s.PublishPause.Seconds(), s.DeliveryPause.Seconds(),
					strings.Join(o.Notes, "; "))
				if s.Published == 0 || s.Delivered < s.Published {
					t.Errorf("%s: %d changes were published, %d events delivered", o.Fault, s.Published, s.Delivered)
				}
				if lost := slices.Contains([]string{"lose-disk", "old-disk", "old-disk-running"}, o.Fault); lost && s.Reloads["not_recovered"] == 0 {
					t.Errorf("%s: no viewer was told that it could not resume", o.Fault)
				}
			}
		})
	}
	for _, one := range faultRuns() {
		if !slices.Contains(tested, one.name) && !one.alone {
			t.Errorf("%s is in no group", one.name)
		}
	}
}

// faults runs the command faults, which must succeed, and returns what it prints.
func faults(t *testing.T, names string) (list []outcome) {
	t.Helper()
	dir, err := os.MkdirTemp("", "planrooms-faults-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if t.Failed() {
			t.Logf("the histories are in %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	}()
	cmd := program(t, "faults", "-run", names, "-json", "-lenient", "-dir", dir, "-viewers", "2")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("%v\n%s%s", err, &stderr, logs(dir))
	}
	for d := json.NewDecoder(&stdout); ; {
		var o outcome
		switch err := d.Decode(&o); err {
		case nil:
			list = append(list, o)
		case io.EOF:
			return list
		default:
			t.Fatal(err)
		}
	}
}

// logs returns the ends of the logs of all processes.
func logs(dir string) string {
	files, err := filepath.Glob(filepath.Join(dir, "cluster-*", "n*.log"))
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, file := range files {
		out, _ := exec.Command("tail", "-n", "20", file).CombinedOutput()
		text.WriteString(file + "\n" + string(out))
	}
	return text.String()
}
