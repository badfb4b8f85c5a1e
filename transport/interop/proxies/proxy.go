package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// proxy is a reverse proxy.
type proxy struct {
	name      string
	program   string // also the name of its Debian package
	ports     int    // number of ports
	configure func(configuration) (*configured, error)
}

// configuration holds the values for a proxy's configuration.
type configuration struct {
	dir   string   // a directory for this proxy alone
	file  string   // path of the configuration file
	addrs []string // listen addresses
	cert  *certificate
	*backends
}

// configured is a configuration, the arguments to start the proxy with it, and its entrances.
type configured struct {
	text      string
	args      []string
	entrances []*entrance
}

const (
	tries     = 3                // another program may take a free port
	readyWait = 15 * time.Second // time until a proxy listens
	stopWait  = 5 * time.Second  // time from SIGTERM to SIGKILL
)

// start starts the proxy, and returns its entrances and a function that stops it.
func (p proxy) start(ctx context.Context, dir string, cert *certificate, b *backends) ([]*entrance, func(), error) {
	binary, err := find(p.program)
	if err != nil {
		return nil, nil, fmt.Errorf("not installed; on Debian: apt-get install %s", p.program)
	}
	for try := 1; ; try++ {
		entrances, stop, err := p.tryStart(ctx, binary, filepath.Join(dir, fmt.Sprintf("%s-%d", p.name, try)), cert, b)
		if err == nil || try == tries || ctx.Err() != nil {
			return entrances, stop, err
		}
	}
}

func (p proxy) tryStart(ctx context.Context, binary, dir string, cert *certificate, b *backends) ([]*entrance, func(), error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, nil, err
	}
	addrs, err := freeAddrs(p.ports)
	if err != nil {
		return nil, nil, err
	}
	file := filepath.Join(dir, "configuration")
	c, err := p.configure(configuration{dir, file, addrs, cert, b})
	if err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
		return nil, nil, err
	}
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, c.args...)
	// Caddy keeps files there
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopWait
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	stop := sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(stopWait):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	if err := ready(addrs, ended); err != nil {
		stop()
		return nil, nil, fmt.Errorf("%w: %s", err, output.Bytes())
	}
	return c.entrances, stop, nil
}

// find looks for a program, also in the sbin directories that only root has in PATH.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + name)
}

// freeAddrs returns addresses that were free a moment ago.
func freeAddrs(n int) ([]string, error) {
	var addrs []string
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		// close all at the end, so that no two addresses are the same
		defer func() { _ = ln.Close() }()
		addrs = append(addrs, ln.Addr().String())
	}
	return addrs, nil
}

// ready waits until all addresses accept connections.
func ready(addrs []string, ended <-chan struct{}) error {
	deadline := time.After(readyWait)
	for _, addr := range addrs {
		for {
			nc, err := net.Dial("tcp", addr)
			if err == nil {
				_ = nc.Close()
				break
			}
			select {
			case <-ended:
				return errors.New("the proxy ended")
			case <-deadline:
				return fmt.Errorf("the proxy does not listen on %s", addr)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return nil
}
