//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience ends a test that hangs. No test waits for it.
const patience = 2 * time.Minute

// process is a running demonstration, with its children.
type process struct {
	t      *testing.T
	url    string
	cmd    *exec.Cmd
	left   *os.File // ends when the process and all its children have ended
	stderr bytes.Buffer
	client http.Client
}

// program returns a command that runs the program.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), file, args...)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	return cmd
}

func spawn(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, client: http.Client{Timeout: 30 * time.Second}}
	p.cmd = program(t, append([]string{"-addr", "127.0.0.1:0", "-dir", t.TempDir(), "-rate", "50"}, args...)...)
	left, inherited, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.left = left
	p.cmd.ExtraFiles = []*os.File{inherited} // children inherit it, too
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	inherited.Close()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // mostly it has ended by then
		p.allEnded()
		left.Close()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		_ = p.cmd.Wait()
		t.Fatalf("first line %q (%v)\n%s", line, err, &p.stderr)
	}
	p.url = url
	return p
}

// allEnded waits until the process and its children have ended.
func (p *process) allEnded() {
	p.t.Helper()
	if err := p.left.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, p.left); err != nil {
		p.t.Errorf("processes are left: %v", err)
	}
}

// stop sends the signal, and checks that all end without an error.
func (p *process) stop(signal os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("exit: %v\n%s", err, &p.stderr)
	}
	p.allEnded()
}

func (p *process) state() (s state) {
	p.t.Helper()
	resp, err := p.client.Get(p.url + "/api/state")
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		p.t.Fatal(err)
	}
	return s
}

// turn turns a switch.
func (p *process) turn(path string) {
	p.t.Helper()
	resp, err := p.client.Post(p.url+"/api/"+path, "", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		text, _ := io.ReadAll(resp.Body)
		p.t.Fatalf("%s: %s %s", path, resp.Status, text)
	}
}

// await waits until the state is as wanted, and returns it.
func (p *process) await(what string, want func(s state) bool) state {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		s := p.state()
		if want(s) {
			return s
		}
		if time.Now().After(deadline) {
			text, _ := json.MarshalIndent(s, "", "  ")
			p.t.Fatalf("%s: not reached\n%s\n%s", what, text, &p.stderr)
		}
		<-tick.C
	}
}

// ready reports whether all nodes serve clients, and all viewers are connected.
func (s *state) ready() bool {
	for _, n := range s.Nodes {
		if n.Problem != "" || n.Process != "running" {
			return false
		}
	}
	for _, v := range s.Viewers {
		if !v.Live {
			return false
		}
	}
	return s.Stream.Leader != ""
}

// more waits until the publisher has published changes that it had not before.
func (p *process) more() {
	p.t.Helper()
	before := p.state().Published.Changes
	p.await("more changes", func(s state) bool { return s.Published.Changes > before+20 })
}

// faultless checks that each viewer sees all that was published.
func (p *process) faultless() state {
	p.t.Helper()
	p.turn("publisher/pause")
	changes := uint64(0)
	s := p.await("viewers see everything", func(s state) bool {
		same := s.Published.Changes == changes // the last change is being published
		changes = s.Published.Changes
		for _, v := range s.Viewers {
			same = same && v.Last >= changes
		}
		return same
	})
	p.turn("publisher/resume")
	for _, v := range s.Viewers {
		if v.Lost+v.Doubled+v.Disordered > 0 || v.Delivered == 0 {
			p.t.Errorf("%s: %+v", v.Name, v.Counts)
		}
	}
	return s
}

// The demonstration shows what it promises: whatever breaks, no viewer misses a change or sees one
// twice. At the end nothing is left.
func TestDemonstration(t *testing.T) {
	t.Parallel()
	p := spawn(t)
	s := p.await("the cluster serves", func(s state) bool { return s.ready() && s.Published.Changes > 20 })
	leader := s.Stream.Leader
	if s.Clients["checker-1"] != "n1" { // n1 was not ready for a moment; see TestPickWaits
		p.turn("clients/checker-1/n1")
		p.await("a client is on n1", func(s state) bool { return s.Clients["checker-1"] == "n1" && s.ready() })
	}

	t.Log("kill a node")
	p.turn("nodes/n1/kill")
	p.await("the client of n1 is elsewhere", func(s state) bool {
		n := s.Clients["checker-1"]
		return s.Nodes[0].Process == "down" && n != "" && n != "n1"
	})
	p.more()
	p.turn("nodes/n1/start")

	t.Log("kill the leader of the stream")
	p.turn("servers/leader/kill")
	p.await("another leader", func(s state) bool { return s.Stream.Leader != leader && s.Stream.Leader != "" })
	p.more()
	p.turn("servers/" + leader + "/start")
	p.await("all serve again", func(s state) bool { return s.ready() })

	t.Log("pause a node past its tenure, and cut another one from NATS")
	before := p.state()
	p.turn("nodes/n2/pause")
	p.turn("nodes/n3/cut")
	p.await("n1 no longer waits for them", func(s state) bool {
		ended := 0
		for _, n := range s.Nodes[0].Cluster.Nodes {
			if (n.Name == before.Nodes[1].Cluster.Node || n.Name == before.Nodes[2].Cluster.Node) && n.Ended {
				ended++
			}
		}
		return ended == 2 && s.Nodes[2].Problem != "" && s.Nodes[2].Link == linkCut
	})
	p.more()
	p.turn("nodes/n2/resume")
	p.turn("nodes/n3/connect")
	s = p.await("they have new tenures", func(s state) bool {
		return s.ready() && s.Nodes[1].Cluster.Tenure > before.Nodes[1].Cluster.Tenure &&
			s.Nodes[2].Cluster.Tenure > before.Nodes[2].Cluster.Tenure
	})

	t.Log("restart a node, and move a client")
	pid := s.Nodes[1].PID
	p.turn("nodes/n2/restart")
	p.await("n2 is another process", func(s state) bool { return s.ready() && s.Nodes[1].PID != pid })
	p.turn("clients/checker-1/n2")
	p.await("the client is on n2", func(s state) bool { return s.Clients["checker-1"] == "n2" && s.ready() })
	p.more()

	s = p.faultless()
	resumed := uint64(0)
	for _, v := range s.Viewers {
		resumed += v.Resumed
	}
	if resumed < 3 {
		t.Errorf("%d connections were resumed, want at least 3: %+v", resumed, s.Viewers)
	}
	p.listed(s)
	p.stop(os.Interrupt)
}

// listed checks what the command nodes prints.
func (p *process) listed(s state) {
	p.t.Helper()
	out, err := program(p.t, "nodes", "-nats", s.NATS, "-wait", "60s").CombinedOutput()
	if err != nil {
		p.t.Fatalf("nodes: %v\n%s", err, out)
	}
	for _, n := range s.Nodes {
		found := false
		for line := range strings.Lines(string(out)) {
			f := strings.Fields(line)
			found = found || len(f) == 6 && f[0] == n.Name && f[1] == "open" && f[4] == n.Cluster.Epoch && f[5] == n.Cluster.Node
		}
		if !found {
			p.t.Errorf("no line for %s, %s in\n%s", n.Name, n.Cluster.Node, out)
		}
	}
}

// When the demonstration is killed, its children end, also one that is paused.
func TestParentIsKilled(t *testing.T) {
	t.Parallel()
	p := spawn(t)
	p.await("all processes run", func(s state) bool {
		for _, n := range s.Nodes {
			if n.Process != "running" {
				return false
			}
		}
		return true
	})
	p.turn("nodes/n3/pause")
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // it was killed
	p.allEnded()
}

// The demonstration also runs with NATS servers that run elsewhere.
func TestOutsideNATS(t *testing.T) {
	t.Parallel()
	s := outsideServer(t)
	out, err := program(t, "nodes", "-nats", s.ClientURL(), "-wait", "1s").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.HasPrefix(string(out), "cluster: the cluster could not be read: ") {
		t.Errorf("nodes of a server without a cluster: %v\n%s", err, out)
	}

	p := spawn(t, "-nats", s.ClientURL(), "-cluster", "outside")
	state := p.await("the cluster serves", func(s state) bool { return s.ready() && s.Published.Changes > 20 })
	if state.Cluster != "outside" || !state.Outside || len(state.Servers) > 0 || state.Stream.Leader != "outside" {
		t.Errorf("cluster %q, outside %t, servers %v, stream %+v", state.Cluster, state.Outside, state.Servers, state.Stream)
	}
	p.turn("nodes/n1/cut")
	p.turn("nodes/n1/connect")
	p.more()
	p.faultless()
	p.stop(syscall.SIGTERM)
}
