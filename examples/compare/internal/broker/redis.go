package broker

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/planrooms/planrooms/examples/compare/internal/process"
)

func (b *Broker) startRedis(cpus []int, sync bool) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return ErrNotInstalled
	}
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	args := []string{"--bind", "127.0.0.1", "--port", strconv.Itoa(ports[0]), "--dir", b.dir, "--save", ""}
	if sync {
		args = append(args, "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0")
	}
	p, err := process.Start(cpus, program, args...)
	if err != nil {
		return err
	}
	b.processes = append(b.processes, p)
	b.Addresses = append(b.Addresses, fmt.Sprintf("127.0.0.1:%d", ports[0]))
	return expect(p, "Ready to accept connections")
}

// RedisVersion returns the name and version of the Redis server on this machine, or "" if there is
// none.
func RedisVersion() string {
	out, err := exec.Command("redis-server", "--version").Output() // Redis server v=7.0.15 sha=…
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(out), "v=")
	version, _, _ := strings.Cut(rest, " ")
	return "Redis " + version
}
