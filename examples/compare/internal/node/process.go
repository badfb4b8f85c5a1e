package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/process"
)

// Process is a node in a child process. One goroutine at a time may call its methods.
type Process struct{ process *process.Process }

// Start starts a node on cpus. The same rules as for [process.Start] apply. Call Ready before
// anything else, and Close at the end.
func Start(c Config, cpus []int) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	p, err := process.Start(cpus, self, role, string(text))
	if err != nil {
		return nil, err
	}
	return &Process{p}, nil
}

// Ready waits until the node can publish.
func (p *Process) Ready() error {
	_, err := p.answer()
	return err
}

// Close kills the node.
func (p *Process) Close() { p.process.Close() }

// Kill ends the process, and a call that waits for it fails. Any goroutine may call it.
func (p *Process) Kill() { p.process.Kill() }

// CPU returns the CPU time that the node has used.
func (p *Process) CPU() (time.Duration, error) { return machine.CPUOf(p.process.PID()) }

// View connects viewers.
func (p *Process) View(v View) error {
	_, err := p.ask(request{View: &v})
	return err
}

// Present waits until plans have a number of viewers.
func (p *Process) Present(q Present) error {
	_, err := p.ask(request{Present: &q})
	return err
}

// Publish publishes events.
func (p *Process) Publish(q Publish) (Published, error) {
	a, err := p.ask(request{Publish: &q})
	return a.Published, err
}

// Await waits until events have arrived, and returns what has arrived.
func (p *Process) Await(w Await) (Viewed, error) {
	a, err := p.ask(request{Await: &w})
	return a.Viewed, err
}

// Collect frees the memory that the node does not use, and returns what it uses.
func (p *Process) Collect() (Memory, error) {
	a, err := p.ask(request{Collect: true})
	return a.Memory, err
}

func (p *Process) ask(q request) (answer, error) {
	if err := json.NewEncoder(p.process.In).Encode(q); err != nil {
		return answer{}, fmt.Errorf("node: %w", err)
	}
	return p.answer()
}

func (p *Process) answer() (a answer, err error) {
	line, err := p.process.Line()
	if err != nil {
		return a, fmt.Errorf("node: %w", err)
	}
	if err := json.Unmarshal([]byte(line), &a); err != nil {
		return a, fmt.Errorf("node: answer %q: %w", line, err)
	}
	if a.Err != "" {
		err := errors.New(a.Err)
		if log := p.process.Stderr(); log != "" {
			err = fmt.Errorf("%w; the node has logged: %s", err, log)
		}
		return a, err
	}
	return a, nil
}
