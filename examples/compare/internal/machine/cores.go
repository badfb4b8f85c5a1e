package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Cores reports on which CPU a process spent its time. The kernel does not keep that, so the
// threads are looked at every so often, and what one has used since is put down to the CPU on which
// it is then.
//
// Its methods are safe for concurrent use. End it with Stop.
type Cores struct {
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex // guards the fields below
	spent map[int]time.Duration
	seen  map[string]time.Duration // CPU time of a thread when it was last looked at
}

// SampleEvery is how often [Cores] looks at the threads: rare enough to take about 1 % of a CPU
// itself.
const SampleEvery = 40 * time.Millisecond

// WatchCores begins to watch this process.
func WatchCores() *Cores {
	c := &Cores{
		stop:  make(chan struct{}),
		done:  make(chan struct{}),
		spent: map[int]time.Duration{},
		seen:  map[string]time.Duration{},
	}
	go c.run()
	return c
}

// Stop ends the watching and returns when its goroutine has ended. It is called once.
func (c *Cores) Stop() {
	close(c.stop)
	<-c.done
}

// Spent returns the time that each CPU has been used for so far.
func (c *Cores) Spent() map[int]time.Duration {
	c.sample()
	c.mu.Lock()
	defer c.mu.Unlock()
	spent := map[int]time.Duration{}
	for cpu, d := range c.spent {
		spent[cpu] = d
	}
	return spent
}

func (c *Cores) run() {
	defer close(c.done)
	ticker := time.NewTicker(SampleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			c.sample()
		case <-c.stop:
			return
		}
	}
}

func (c *Cores) sample() {
	c.mu.Lock()
	defer c.mu.Unlock()
	threads, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return // the pattern is fixed, and a thread that has ended is not looked at
	}
	for _, dir := range threads {
		used, cpu, err := thread(dir)
		if err != nil {
			continue // it has ended in between
		}
		c.spent[cpu] += used - c.seen[dir]
		c.seen[dir] = used
	}
}

// thread returns what a thread has used so far, and the CPU on which it ran last.
func thread(dir string) (used time.Duration, cpu int, err error) {
	schedstat, err := os.ReadFile(filepath.Join(dir, "schedstat"))
	if err != nil {
		return 0, 0, err
	}
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return 0, 0, err
	}
	return parseThread(string(schedstat), string(stat))
}

// statProcessor is the number of the field of /proc/<pid>/stat that holds the CPU, counted after
// the name in parentheses.
const statProcessor = 36

func parseThread(schedstat, stat string) (used time.Duration, cpu int, err error) {
	ns, _, _ := strings.Cut(schedstat, " ")
	on, err := strconv.ParseInt(ns, 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("machine: schedstat: %w", err)
	}
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(f) <= statProcessor {
		return 0, 0, fmt.Errorf("machine: stat has %d fields after the name", len(f))
	}
	cpu, err = strconv.Atoi(f[statProcessor])
	return time.Duration(on), cpu, err
}
