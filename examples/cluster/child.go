package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// child is a process of this program with other arguments: a node or a NATS server. It ends with
// this process: its stdin is a pipe, and it exits at the end of that. A paused child ends, too,
// since the system continues and hangs up a process group that is orphaned. On Linux the kernel
// also kills it, whatever it does.
type child struct {
	name string
	log  string // the file for stderr

	turn sync.Mutex // makes start and stop one after the other

	mu     sync.Mutex // guards the following
	cmd    *exec.Cmd  // nil if it does not run
	stdin  io.Closer
	ended  chan struct{} // closed when the process has ended
	paused bool
	closed bool // no start any more
}

// A child process has this long to start, or to end after its stdin has ended. It needs up to
// requestPatience and goodbyePatience to end.
const (
	startPatience = 60 * time.Second
	stopPatience  = requestPatience + goodbyePatience + 5*time.Second
)

var errRunning = errors.New("it runs already")

// start starts the process, and returns the first line that it prints. ended is called once when it
// ends.
func (c *child) start(ctx context.Context, args []string, ended func()) (string, error) {
	c.turn.Lock()
	defer c.turn.Unlock()
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(program, args...)
	detach(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return "", err
	}
	defer log.Close() // the process has its own
	cmd.Stderr = log

	c.mu.Lock()
	if c.closed || c.cmd != nil {
		c.mu.Unlock()
		return "", errRunning
	}
	if err := cmd.Start(); err != nil {
		c.mu.Unlock()
		return "", err
	}
	c.cmd, c.stdin, c.paused, c.ended = cmd, stdin, false, make(chan struct{})
	c.mu.Unlock()

	line := make(chan string, 1)
	go func() { // ends with the process
		r := bufio.NewReader(stdout)
		first, _ := r.ReadString('\n')
		line <- strings.TrimSuffix(first, "\n")
		_, _ = io.Copy(io.Discard, r) // nothing reads its further output
		_ = cmd.Wait()                // the log has the reason
		stdin.Close()
		c.mu.Lock()
		c.cmd = nil
		close(c.ended)
		c.mu.Unlock()
		ended()
	}()
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	select {
	case first := <-line:
		if first != "" {
			return first, nil
		}
	case <-ctx.Done():
		c.kill()
	}
	return "", fmt.Errorf("%s has not started; %s has its log", c.name, c.log)
}

// kill ends the process without a warning (kill -9).
func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd != nil {
		_ = c.cmd.Process.Kill() // it may have ended just now
	}
}

// stop has the process end itself, or kills it if it does not or is paused, and waits for its end.
func (c *child) stop() {
	c.turn.Lock()
	defer c.turn.Unlock()
	c.mu.Lock()
	if c.cmd == nil {
		c.mu.Unlock()
		return
	}
	c.stdin.Close()
	if c.paused {
		_ = c.cmd.Process.Kill()
	}
	ended := c.ended
	c.mu.Unlock()
	timer := time.AfterFunc(stopPatience, c.kill)
	defer timer.Stop()
	<-ended
}

// close kills the process and waits for its end. It does not start again.
func (c *child) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.kill() // also one that is starting
	c.stop()
}

// pause stops the process (SIGSTOP), or lets it continue (SIGCONT).
func (c *child) pause(paused bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil {
		return errors.New("it does not run")
	}
	if err := suspend(c.cmd.Process, paused); err != nil {
		return err
	}
	c.paused = paused
	return nil
}

// state describes the process in one word. pid is 0 if it does not run.
func (c *child) state() (word string, pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.cmd == nil:
		return "down", 0
	case c.paused:
		return "paused", c.cmd.Process.Pid
	}
	return "running", c.cmd.Process.Pid
}

// untilParentEnds returns a context that ends with ctx, or when stdin ends: in a child process,
// when its parent has ended or wants it to end.
func untilParentEnds(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() { // ends with the process
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return ctx
}
