package machine

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Layout says which CPUs the two sides of a measurement run on.
type Layout struct {
	Server []int
	Load   []int
	Shared bool // the load generator runs on a CPU of the server, since it is the only one
}

// Arrange gives the server the first CPUs of those allowed, and the load generator the next one, or
// the server's last if it is the last. It is an error if the server is to have more than there are.
func Arrange(allowed []int, server int) (Layout, error) {
	if server < 1 || server > len(allowed) {
		return Layout{}, fmt.Errorf("machine: %d CPUs for the server, but this process may use only %d", server, len(allowed))
	}
	if server == len(allowed) {
		return Layout{Server: allowed, Load: allowed[server-1:], Shared: true}, nil
	}
	return Layout{Server: allowed[:server], Load: allowed[server : server+1]}, nil
}

// Allowed returns the CPUs that this process may use, in order.
func Allowed() (cpus []int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("machine: %w", err)
	}
	for cpu := range len(set) * 64 {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// Start starts a command pinned to cpus. Its threads inherit them from the one that makes the
// process, which is therefore pinned for as long as that takes. The command is killed when the
// calling thread ends: the caller must have locked its goroutine to it with [runtime.LockOSThread],
// for as long as the command is to live.
func Start(cmd *exec.Cmd, cpus []int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, during unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("machine: %w", err)
	}
	for _, cpu := range cpus {
		during.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &during); err != nil {
		return fmt.Errorf("machine: pin to CPUs %v: %w", cpus, err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := cmd.Start()
	if restore := unix.SchedSetaffinity(0, &before); restore != nil {
		err = errors.Join(err, fmt.Errorf("machine: %w", restore))
	}
	return err
}

// Descriptors is how many files this process may have open.
func Descriptors() (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("machine: %w", err)
	}
	return int(min(limit.Max, 1<<30)), nil // the Go runtime raises the current limit to the maximum
}
