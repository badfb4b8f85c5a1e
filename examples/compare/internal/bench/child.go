package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/load"
	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/target"
)

// The first argument of this program when it runs as one side of a measurement. The second is the
// configuration as JSON.
const (
	RoleServer = "serve"
	RoleLoad   = "load"
)

// Child runs this process as one side of a measurement, if args say so; it returns false if they do
// not.
func Child(args []string, stdout io.Writer) (bool, error) {
	if len(args) != 2 {
		return false, nil
	}
	switch args[0] {
	case RoleServer:
		return true, serve([]byte(args[1]), stdout)
	case RoleLoad:
		return true, generate([]byte(args[1]), stdout)
	}
	return false, nil
}

// serverConfig configures a server.
type serverConfig struct {
	target.Config
	Lifetime time.Duration `json:"lifetime"` // the process ends after this, whatever happens
}

// serve says where it listens in the first line, without and with TLS, and serves until it is
// killed.
func serve(config []byte, stdout io.Writer) error {
	var c serverConfig
	if err := json.Unmarshal(config, &c); err != nil {
		return fmt.Errorf("bench: server: %w", err)
	}
	t, err := target.New(c.Config)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("bench: server: %w", err)
	}
	secure, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("bench: server: %w", err)
	}
	certificate, err := newCertificate()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(stdout, ln.Addr(), secure.Addr()); err != nil {
		return fmt.Errorf("bench: server: %w", err)
	}
	time.AfterFunc(c.Lifetime, func() { os.Exit(1) })
	srv := &http.Server{
		Handler: t, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
		// WebSocket is over HTTP/1.1.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	ended := make(chan error, 2)
	go func() { ended <- srv.Serve(ln) }() // ends with the process
	go func() { ended <- srv.ServeTLS(secure, "", "") }()
	return <-ended
}

// loadMemory is what the load generator may use: it collects no garbage while it measures.
const loadMemory = 4 << 30

// generate does one run and writes its result.
func generate(config []byte, stdout io.Writer) error {
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(loadMemory)
	var c load.Config
	if err := json.Unmarshal(config, &c); err != nil {
		return fmt.Errorf("bench: load: %w", err)
	}
	r, err := load.Run(context.Background(), c)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(r)
}

// child is this program as one side.
type child struct {
	cmd    *exec.Cmd
	stdout io.ReadCloser
	stderr bytes.Buffer
}

// startChild starts a side on cpus. It is killed when ctx ends. The caller must be locked to its
// thread, see [machine.Start].
func startChild(ctx context.Context, role string, config any, cpus []int, threads int) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	c := &child{cmd: exec.CommandContext(ctx, self, role, string(text))}
	c.cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(threads))
	c.cmd.Stderr = &c.stderr
	c.cmd.WaitDelay = time.Second
	if c.stdout, err = c.cmd.StdoutPipe(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if err := machine.Start(c.cmd, cpus); err != nil {
		return nil, err
	}
	return c, nil
}

// addresses returns the first line that a server writes: where it listens without and with TLS.
func (c *child) addresses() (plain, secure string, err error) {
	line, err := bufio.NewReader(c.stdout).ReadString('\n')
	if err != nil {
		return "", "", fmt.Errorf("bench: the server reported no address: %s", c.failure(err))
	}
	plain, secure, _ = strings.Cut(strings.TrimSpace(line), " ")
	return plain, secure, nil
}

// result is what a load generator writes before it ends.
func (c *child) result() (r load.Result, err error) {
	out, err := io.ReadAll(c.stdout)
	if err := errors.Join(err, c.cmd.Wait()); err != nil {
		return r, errors.New(c.failure(err))
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("bench: result: %w", err)
	}
	return r, nil
}

// failure prefers what the child said itself.
func (c *child) failure(err error) string {
	if said := strings.TrimSpace(c.stderr.String()); said != "" && c.cmd.ProcessState != nil {
		lines := strings.Split(said, "\n")
		return lines[0]
	}
	return err.Error()
}

// kill ends a child and waits for that.
func (c *child) kill() {
	c.cmd.Process.Kill() // it may have ended already
	c.cmd.Wait()         // as above; the caller has what it wanted of it
}
