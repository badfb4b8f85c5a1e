package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/planrooms/planrooms/protocol"
)

// build builds the program.
func build(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "quickstart")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", file, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return file
}

// process is a running program.
type process struct {
	*server
	cmd    *exec.Cmd
	stdout io.Reader
	stderr *strings.Builder
}

func spawn(t *testing.T, file string, env ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), file, "-addr", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "QUICKSTART_SIGNING_KEY=")
	cmd.Env = append(cmd.Env, env...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // fails if the process has ended
	return &process{&server{t: t, url: firstLine(t, stdout)}, cmd, stdout, &stderr}
}

// stop sends the signal, and checks that the program exits with 0.
func (p *process) stop(signal os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	p.wait()
}

func (p *process) wait() {
	p.t.Helper()
	rest, err := io.ReadAll(p.stdout)
	if err != nil || len(rest) > 0 {
		p.t.Errorf("more on stdout: %q, %v", rest, err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("exit: %v\n%s", err, p.stderr)
	}
}

func TestProcess(t *testing.T) {
	file := build(t)
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) {
			p := spawn(t, file)
			alice, bob := p.login("alice"), p.login("bob")
			one, answer := p.join(alice, "tab")
			two, _ := p.join(bob, "tab")
			p.must(http.StatusCreated, nil, "POST", "/api/plans/demo/tasks", alice, `{"title":"x"}`)
			if err := p.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			for _, v := range []*viewer{one, two} {
				m := v.event(protocol.TypeTaskCreated, answer.Position.Seq)
				v.event(protocol.TypeProgressUpdated, m.Seq)
				goodbye, code := v.WantClose()
				if code != protocol.CloseShutdown || goodbye.Code != code || !goodbye.Reconnect || goodbye.RetryAfterMs == 0 {
					t.Errorf("closed with %d after %+v", code, goodbye)
				}
			}
			p.wait()
		})
	}

	t.Run("tokens remain valid after a restart", func(t *testing.T) {
		p := spawn(t, file, "QUICKSTART_SIGNING_KEY="+keyFile)
		token := p.login("alice")
		epoch := p.plan(token).Position.Epoch
		p.stop(syscall.SIGTERM)

		p = spawn(t, file, "QUICKSTART_SIGNING_KEY="+keyFile)
		if p.plan(token).Position.Epoch == epoch {
			t.Error("the epoch is that of the previous process")
		}
		p.join(token, "tab")
		p.stop(syscall.SIGTERM)

		p = spawn(t, file) // with another key
		if resp := p.do("GET", "/api/plans/demo", token, ""); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("a token of another key: status %d", resp.StatusCode)
		}
		p.stop(syscall.SIGTERM)
	})

	t.Run("bad key", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), file, "-addr", "127.0.0.1:0")
		cmd.Env = append(os.Environ(), "QUICKSTART_SIGNING_KEY="+filepath.Join(t.TempDir(), "missing"))
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "signing key") {
			t.Errorf("%v: %s", err, out)
		}
	})

	t.Run("bad flags", func(t *testing.T) {
		out, err := exec.CommandContext(t.Context(), file, "demo").CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("%v: %s", err, out)
		}
	})
}
