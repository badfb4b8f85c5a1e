package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestQuickstart has the real quickstart under load, with the flags that the documentation shows.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "quickstart")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", file, "../quickstart").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), file, "-addr", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "QUICKSTART_SIGNING_KEY=")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // says that it was killed
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on http")
	if err != nil || !ok {
		t.Fatalf("the first line is %q, %v", line, err)
	}

	var out, complaints bytes.Buffer
	status := run(t.Context(), []string{"-url", "ws" + address + "/ws", "-rate", "100", "-for", "200ms", "-json"}, &out, &complaints, false)
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || status != statusGood {
		t.Fatalf("run = %d, %v; it printed:\n%s\n%s", status, err, &out, &complaints)
	}
	if r.Totals.Sent == 0 || r.Totals.Deliveries != 60*r.Totals.Sent || r.Totals.Events < r.Totals.Deliveries {
		t.Errorf("%d deliveries, %d events of %d changes to 60 connections", r.Totals.Deliveries, r.Totals.Events, r.Totals.Sent)
	}

	out.Reset()
	status = run(t.Context(), []string{"-url", "ws" + address + "/ws", "-conns", "61"}, &out, &complaints, false)
	if status != statusFailed || !strings.Contains(complaints.String(), "61 connections share 3 tokens, which is enough for 60") {
		t.Errorf("run with one connection too many = %d, and it printed:\n%s", status, &complaints)
	}
}
