package natsengine_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// childVariable has the settings of a server if this program was started as one.
const childVariable = "NATSENGINE_TEST_SERVER"

// child are the settings of a server in a separate process.
type child struct {
	Name, Disk        string
	Port, ClusterPort int
	Routes            []string
}

func TestMain(m *testing.M) {
	if settings := os.Getenv(childVariable); settings != "" {
		if err := serve(settings); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve runs a server until the standard input ends.
func serve(settings string) error {
	var c child
	if err := json.Unmarshal([]byte(settings), &c); err != nil {
		return err
	}
	o := &server.Options{
		ServerName: c.Name, Host: "127.0.0.1", Port: c.Port, NoSigs: true, NoLog: true, JetStream: true, StoreDir: c.Disk,
		Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: c.ClusterPort},
	}
	if c.ClusterPort == 0 {
		o.Cluster = server.ClusterOpts{}
	}
	for _, r := range c.Routes {
		u, err := url.Parse(r)
		if err != nil {
			return err
		}
		o.Routes = append(o.Routes, u)
	}
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		return errors.New("the server does not accept connections")
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	s.Shutdown()
	s.WaitForShutdown()
	return err
}

// process is a server in a separate process, which a test can kill. It is not in this process, so
// that a count of goroutines does not count those of the server.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

func startProcess(c child) (*process, error) {
	settings, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childVariable+"="+string(settings))
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
	p := &process{cmd, stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "ready" {
		return nil, errors.Join(fmt.Errorf("the server has written %q", line), err, p.kill())
	}
	return p, nil
}

// stop ends the server in order.
func (p *process) stop() error {
	p.stdin.Close()
	return p.cmd.Wait()
}

// kill ends the process at once, like kill -9.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	_ = p.cmd.Wait() // says that it was killed
	p.stdin.Close()
	return err
}
