//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/planrooms/planrooms/protocol"
)

// process is a running program.
type process struct {
	*board
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr *strings.Builder
}

func spawn(t *testing.T, file string, args ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), file, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // mostly it has ended by then
	stdout := bufio.NewReader(pipe)
	line, err := stdout.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "listening on ")
	if err != nil || !ok || !strings.HasPrefix(url, "http://127.0.0.1:") {
		_ = cmd.Wait()
		t.Fatalf("first line %q (%v), want listening on http://HOST:PORT\n%s", line, err, &stderr)
	}
	return &process{&board{t: t, url: url}, cmd, stdout, &stderr}
}

// wait checks that the program exits with 0 and has printed nothing more on stdout. It returns
// its stderr.
func (p *process) wait() string {
	p.t.Helper()
	rest, err := io.ReadAll(p.stdout)
	if err != nil || len(rest) > 0 {
		p.t.Errorf("more on stdout: %q, %v", rest, err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("exit: %v\n%s", err, p.stderr)
	}
	return p.stderr.String()
}

func TestProcess(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "taskboard")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", file, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	db := filepath.Join(t.TempDir(), "board.db")

	p := spawn(t, file, "-db", db)
	adasPerson := p.login(ada)
	plan := p.plan(adasPerson, "Launch week")
	v := p.join(adasPerson, "tab", plan)
	p.must(http.StatusCreated, nil, "POST", "/api/plans/"+plan.ID+"/tasks", adasPerson, `{"title":"Survive a restart"}`)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m := v.event(protocol.TypeTaskCreated, plan.Position.Seq)
	v.event(protocol.TypeProgressUpdated, m.Seq)
	if goodbye, code := v.WantClose(); code != protocol.CloseShutdown || !goodbye.Reconnect {
		t.Errorf("closed with %d after %+v", code, goodbye)
	}
	if stderr := p.wait(); !strings.Contains(stderr, demoPassword) {
		t.Errorf("stderr %q, want how to log in", stderr)
	}

	p = spawn(t, file, "-db", db)
	again := p.plan(adasPerson, "Launch week") // with the token from before
	if tasks := again.Tasks; len(tasks) != 10 || tasks[9].Title != "Survive a restart" {
		t.Errorf("tasks after a restart: %+v", tasks)
	}
	p.join(adasPerson, "tab", again)
	p.must(http.StatusOK, nil, "POST", "/api/token", nil, "", "Cookie", adasPerson.cookie)
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if stderr := p.wait(); strings.Contains(stderr, demoPassword) {
		t.Errorf("stderr %q at the second start", stderr)
	}

	for status, args := range map[int][]string{2: {"extra"}, 1: {"-db", filepath.Join(t.TempDir(), "no", "such", "directory.db")}} {
		out, err := exec.CommandContext(t.Context(), file, args...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != status {
			t.Errorf("%q: %v, want exit status %d\n%s", args, err, status, out)
		}
	}
}
