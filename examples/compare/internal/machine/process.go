package machine

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPUOf returns the CPU time that a process of this user has used since it was started: of all
// threads, user and system. Linux has a clock for each process, whose ID is made of the process ID.
func CPUOf(pid int) (time.Duration, error) {
	const processClock = 2 // the time that the scheduler has counted, see clock_getcpuclockid(3)
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|processClock), &t); err != nil {
		return 0, fmt.Errorf("machine: CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// RSSOf returns the memory of a process that is resident now, in bytes.
func RSSOf(pid int) (int64, error) {
	return resident(strconv.Itoa(pid))
}

// resident reads the resident memory of a process, whose folder in /proc has the name.
func resident(name string) (int64, error) {
	statm, err := os.ReadFile("/proc/" + name + "/statm")
	if err != nil {
		return 0, fmt.Errorf("machine: %w", err)
	}
	f := strings.Fields(string(statm))
	if len(f) < 2 {
		return 0, fmt.Errorf("machine: statm has %q", statm)
	}
	pages, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("machine: statm: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}
