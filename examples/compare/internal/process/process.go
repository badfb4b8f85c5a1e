// Package process starts child processes that end with this one.
package process

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"

	"github.com/planrooms/planrooms/examples/compare/internal/machine"
)

// Process is a child process. Close ends it. Its methods must not be called concurrently.
type Process struct {
	In  io.Writer     // standard input of the process
	Out *bufio.Reader // standard output of the process

	cmd    *exec.Cmd
	stderr output
	stdin  io.Closer
}

// Start starts a program on cpus. The process is killed when the calling thread ends: the caller
// must have locked its goroutine to it, see [machine.Start].
func Start(cpus []int, program string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(program, args...)}
	p.cmd.Stderr = &p.stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("process: %w", err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("process: %w", err)
	}
	if err := machine.Start(p.cmd, cpus); err != nil {
		return nil, fmt.Errorf("process: start %s: %w", program, err)
	}
	p.In, p.stdin, p.Out = stdin, stdin, bufio.NewReader(stdout)
	return p, nil
}

// PID is the ID of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Line returns the next line of the standard output. The error has what the process has written to
// its standard error.
func (p *Process) Line() (string, error) {
	line, err := p.Out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("process %d has ended: %w: %s", p.PID(), err, p.Stderr())
	}
	return strings.TrimSpace(line), nil
}

// Stderr returns the end of what the process has written to its standard error. It may be called
// while another method runs.
func (p *Process) Stderr() string { return p.stderr.text() }

// Kill ends the process at once. A call of Line returns an error. It may be called while another
// method runs.
func (p *Process) Kill() { _ = p.cmd.Process.Kill() } // it may have ended already

// Close kills the process and waits for its end.
func (p *Process) Close() {
	p.Kill()
	_ = p.stdin.Close()
	_ = p.cmd.Wait() // says that it was killed
}

// output keeps the end of what a process writes. Its methods may be called concurrently.
type output struct {
	mu  sync.Mutex // guards end
	end []byte
}

const outputBytes = 4096 // that are kept

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.end = append(o.end, b...)
	o.end = o.end[max(len(o.end)-outputBytes, 0):]
	return len(b), nil
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(bytes.TrimSpace(o.end))
}
