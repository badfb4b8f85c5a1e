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

	cmd := exec.CommandContext(t.Context(), file, "-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "new.db"))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// It prints this line while it starts.
	said := bufio.NewReader(stderr)
	first, err := said.ReadString('\n')
	if err != nil || !strings.Contains(first, demoPassword) {
		t.Errorf("stderr begins with %q (%v)", first, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	rest, _ := io.ReadAll(said)
	if err := cmd.Wait(); err != nil {
		t.Errorf("SIGTERM while it starts: %v\n%s", err, rest)
	}

	for status, args := range map[int][]string{2: {"extra"}, 1: {"-db", filepath.Join(t.TempDir(), "no", "such", "directory.db")}} {
		out, err := exec.CommandContext(t.Context(), file, args...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != status {
			t.Errorf("%q: %v, want exit status %d\n%s", args, err, status, out)
		}
	}
}

// ending is a stderr that ends a context when the program writes to it.
type ending struct {
	strings.Builder
	end context.CancelFunc
}

func (e *ending) Write(b []byte) (int, error) {
	e.end()
	return e.Builder.Write(b)
}

func TestEndWhileStarting(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{true, false} { // before the database opens, or after the demo is in it
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if before {
			cancel()
		}
		c := cheap()
		c.addr, c.db = "127.0.0.1:0", filepath.Join(t.TempDir(), "board.db")
		var stdout strings.Builder
		stderr := &ending{end: cancel}
		if err := run(ctx, c, &stdout, stderr); err != nil || stdout.Len() > 0 {
			t.Errorf("before the database opens: %v: %v, stdout %q", before, err, &stdout)
		}
		if got := strings.Contains(stderr.String(), demoPassword); got == before {
			t.Errorf("before the database opens: %v: stderr %q", before, &stderr.Builder)
		}
	}
}
