//go:build !unix

package main

import (
	"errors"
	"os"
	"os/exec"
)

const canPause = false

func detach(*exec.Cmd) {}

func suspend(*os.Process, bool) error {
	return errors.New("a process cannot be paused on this system")
}
