package machine

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Usage is what this process has used since it was started.
type Usage struct {
	CPU    time.Duration // of all threads, user and system
	RSS    int64         // bytes resident now
	Writes int64         // calls of write(2) and its kin
}

// Self returns the usage of this process.
func Self() (Usage, error) {
	cpu, err := SelfCPU()
	if err != nil {
		return Usage{}, err
	}
	rss, err := resident("self")
	if err != nil {
		return Usage{}, err
	}
	u := Usage{CPU: cpu, RSS: rss}
	io, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return Usage{}, fmt.Errorf("machine: %w", err)
	}
	for line := range strings.Lines(string(io)) {
		if v, ok := strings.CutPrefix(line, "syscw: "); ok {
			u.Writes, _ = strconv.ParseInt(strings.TrimSpace(v), 10, 64) // as above
		}
	}
	return u, nil
}

// SelfCPU returns the CPU time of this process alone, which is cheaper than [Self].
func SelfCPU() (time.Duration, error) {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0, fmt.Errorf("machine: %w", err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), nil
}

// Busy returns the CPU time that all programs of the machine have used: exact where the cpuacct
// controller is mounted, and counted in scheduler ticks of 10 ms where it is not.
func Busy() (time.Duration, error) {
	if b, err := os.ReadFile("/sys/fs/cgroup/cpuacct/cpuacct.usage"); err == nil {
		if ns, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil {
			return time.Duration(ns), nil
		}
	}
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("machine: %w", err)
	}
	return busyTicks(b)
}

// Fields of the first line of /proc/stat: what is not in it was work.
const (
	statIdle   = 3
	statIOWait = 4
	statSteal  = 7 // what follows is contained in user and nice
	tick       = 10 * time.Millisecond
)

func busyTicks(stat []byte) (time.Duration, error) {
	s := bufio.NewScanner(bytes.NewReader(stat))
	if !s.Scan() || !strings.HasPrefix(s.Text(), "cpu ") {
		return 0, fmt.Errorf("machine: /proc/stat begins with %q", s.Text())
	}
	var busy int64
	for i, f := range strings.Fields(s.Text())[1:] {
		v, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("machine: /proc/stat: %w", err)
		}
		if i != statIdle && i != statIOWait && i < statSteal {
			busy += v
		}
	}
	return time.Duration(busy) * tick, nil
}
