//go:build unix

package main

import (
	"syscall"
	"time"
)

// cpuSeconds returns the processor time that this process has used, in seconds.
func cpuSeconds() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
}
