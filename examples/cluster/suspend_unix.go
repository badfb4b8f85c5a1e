//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// canPause is whether processes can be paused on this system.
const canPause = true

// detach keeps the signals of a terminal, such as that of Ctrl-C, from a child: this process ends
// it in its own order.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = attributes() }

func suspend(p *os.Process, paused bool) error {
	if paused {
		return p.Signal(syscall.SIGSTOP)
	}
	return p.Signal(syscall.SIGCONT)
}
