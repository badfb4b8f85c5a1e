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

// Each fault run, once and short. Those of a group share a cluster; the groups run at the same
// time, since most of them wait for a tenure to end. Times are reported, and not judged: the
// machine may be slow.
func TestFaults(t *testing.T) {
	groups := []string{
		"kill-node,kill-leader,kill-follower,rolling,clock,restart-nats,lose-disk,old-disk",
		"crash-presence,stop-node,cut,blackhole,delay",
		"cut-long,blackhole-long,delay-long,old-disk-running",
	}
	var running []*faultCommand
	for _, names := range groups {
		running = append(running, startFaults(t, names))
	}
	tested := strings.Split(strings.Join(groups, ","), ",")
	for _, one := range faultRuns() {
		if !slices.Contains(tested, one.name) && !slices.Contains([]string{"moves", "presence-20000"}, one.name) { // see TestMovesAndPeople
			t.Errorf("%s is in no group", one.name)
		}
	}
	for _, c := range running {
		for _, name := range strings.Split(c.names, ",") {
			t.Run(name, func(t *testing.T) { c.next(t, name) })
		}
		c.end()
	}
}

// faultCommand is a running command faults.
type faultCommand struct {
	t        *testing.T
	names    string
	dir      string
	cmd      *exec.Cmd
	stderr   bytes.Buffer
	outcomes *json.Decoder
}

func startFaults(t *testing.T, names string) *faultCommand {
	t.Helper()
	dir, err := os.MkdirTemp("", "planrooms-faults-")
	if err != nil {
		t.Fatal(err)
	}
	c := &faultCommand{t: t, names: names, dir: dir}
	c.cmd = program(t, "faults", "-run", names, "-json", "-lenient", "-dir", dir, "-viewers", "2", "-rate", "10")
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd.Stderr, c.outcomes = &c.stderr, json.NewDecoder(stdout)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// next checks the outcome of the next run, that of a fault.
func (c *faultCommand) next(t *testing.T, name string) {
	var o outcome
	if err := c.outcomes.Decode(&o); err != nil || o.Fault != name {
		t.Fatalf("outcome of %q: %v", o.Fault, err)
	}
	for _, text := range o.Broken {
		t.Error(text)
	}
	if o.Failed != "" {
		t.Errorf("the run has failed: %s", o.Failed)
	}
	s := &o.Seen
	t.Logf("%.1f s, %d published, %d delivered, reloads %v, pauses of publishing %.1f s, of delivery %.1f s; %s", o.Took.Seconds(),
		s.Published, s.Delivered, s.Reloads, s.PublishPause.Seconds(), s.DeliveryPause.Seconds(), strings.Join(o.Notes, "; "))
	if s.Published == 0 || s.Delivered == 0 {
		t.Errorf("%d changes were published, %d events delivered", s.Published, s.Delivered)
	}
	if lost := slices.Contains([]string{"lose-disk", "old-disk", "old-disk-running"}, name); lost && s.Reloads["not_recovered"] == 0 {
		t.Error("no viewer got the answer that it could not resume")
	}
}

// end waits for the end of the command.
func (c *faultCommand) end() {
	_, _ = io.Copy(io.Discard, c.outcomes.Buffered())
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("%v; the histories are in %s\n%s%s", err, c.dir, &c.stderr, logs(c.dir))
	} else if err := os.RemoveAll(c.dir); err != nil {
		c.t.Error(err)
	}
}

// logs returns the ends of the logs of all processes.
func logs(dir string) string {
	files, err := filepath.Glob(filepath.Join(dir, "cluster-*", "*.log"))
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
