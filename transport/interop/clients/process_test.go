package clients_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// requireEnv is the environment variable that makes a missing client a failure instead of a skip.
const requireEnv = "INTEROP_REQUIRED"

// process returns a client that runs in a separate process. The process gets the target as its only
// argument, prints one event per line, and reads one command per line from standard input. install
// says how to install the client. probe is a command that succeeds if the client is installed.
// fragments reports whether the client can send a message in several frames.
func process(install string, probe, command []string, fragments bool) func(t *testing.T, to target) (*peer, error) {
	missing := sync.OnceValue(func() string {
		if err := exec.Command(probe[0], probe[1:]...).Run(); err != nil {
			return fmt.Sprintf("%q failed (%v): install the client: %s", strings.Join(probe, " "), err, install)
		}
		return ""
	})
	return func(t *testing.T, to target) (*peer, error) {
		if text := missing(); text != "" {
			if os.Getenv(requireEnv) != "" {
				t.Fatal(text)
			}
			t.Skip(text)
		}
		arg, err := json.Marshal(to)
		if err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(t.Context(), command[0], append(command[1:], string(arg))...)
		cmd.Stderr = os.Stderr
		stdin, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		events := make(chan event)
		go func() {
			defer close(events)
			readEvents(stdout, events)
			_ = cmd.Wait() // after the last read of stdout, as the documentation of Wait requires
		}()
		p := &peer{events: events}
		order := func(v any) error {
			b, err := json.Marshal(v)
			if err == nil {
				_, err = stdin.Write(append(b, '\n'))
			}
			return err
		}
		p.send = func(text string) error { return order(map[string]any{"send": []string{text}}) }
		if fragments {
			p.fragment = func(parts ...string) error { return order(map[string]any{"send": parts}) }
		}
		p.ping = func() error { return order(map[string]any{"ping": true}) }
		p.close = func(code int) error { return order(map[string]any{"close": code}) }
		p.stop = func() { _ = cmd.Process.Kill() }

		first, err := p.next()
		if err != nil || first.Kind != "open" {
			p.end()
			return nil, fmt.Errorf("the client did not open: %+v, %w", first, err)
		}
		p.protocol = first.Protocol
		return p, nil
	}
}

// readEvents passes on the events that a client prints, until its output ends.
func readEvents(stdout io.Reader, events chan<- event) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			e = event{Kind: "nonsense", Text: lines.Text()}
		}
		events <- e
	}
}

// python returns the interpreter that has Debian's packages. It may not be the first in PATH.
func python() string {
	if p := os.Getenv("PYTHON"); p != "" {
		return p
	}
	const debian = "/usr/bin/python3"
	if _, err := os.Stat(debian); err == nil {
		return debian
	}
	return "python3"
}
