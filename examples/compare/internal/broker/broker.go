// Package broker starts the servers that connect the nodes of a cluster, as child processes: NATS
// with JetStream, and Redis.
package broker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/process"
)

// Kind says which servers are started.
type Kind string

// The kinds. NATS stores the log in files and, as it does by default, syncs them every 2 minutes.
// Redis keeps everything in memory.
const (
	None      Kind = ""
	NATS      Kind = "nats"       // one server
	NATSThree Kind = "nats-three" // three servers
	NATSSync  Kind = "nats-sync"  // one server, which syncs its files before it answers
	Redis     Kind = "redis"
	RedisSync Kind = "redis-sync" // with an append-only file that it syncs before it answers
)

// ErrNotInstalled is returned by [Start] if this machine has no Redis server.
var ErrNotInstalled = errors.New("broker: redis-server is not installed")

// Broker is the servers of one cluster.
type Broker struct {
	Addresses []string // host:port of each server

	dir       string
	processes []*process.Process
}

// Start starts servers, and returns when they accept connections. Their data is in a new folder
// that Close removes. The same rules as for [process.Start] apply.
func Start(kind Kind, cpus []int) (b *Broker, err error) {
	b = &Broker{}
	if kind == None {
		return b, nil
	}
	if b.dir, err = os.MkdirTemp("", "compare-"); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	switch kind {
	case NATS:
		return b, b.startNATS(cpus, 1, false)
	case NATSThree:
		return b, b.startNATS(cpus, 3, false)
	case NATSSync:
		return b, b.startNATS(cpus, 1, true)
	case Redis:
		return b, b.startRedis(cpus, false)
	case RedisSync:
		return b, b.startRedis(cpus, true)
	default:
		return b, fmt.Errorf("broker: unknown kind %q", kind)
	}
}

// Close kills the servers, waits for their end, and removes their data.
func (b *Broker) Close() error {
	for _, p := range b.processes {
		p.Close()
	}
	if b.dir == "" {
		return nil
	}
	return os.RemoveAll(b.dir)
}

// Address returns the server that a node connects to. The nodes use the servers in turn.
func (b *Broker) Address(node int) string {
	if len(b.Addresses) == 0 {
		return ""
	}
	return b.Addresses[node%len(b.Addresses)]
}

// CPU returns the CPU time that all servers have used.
func (b *Broker) CPU() (sum time.Duration, err error) {
	for _, p := range b.processes {
		used, err := machine.CPUOf(p.PID())
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// RSS returns the resident memory of all servers, in bytes.
func (b *Broker) RSS() (sum int64, err error) {
	for _, p := range b.processes {
		rss, err := machine.RSSOf(p.PID())
		if err != nil {
			return 0, err
		}
		sum += rss
	}
	return sum, nil
}

// freePorts returns ports of 127.0.0.1 on which no process listens. The servers of a cluster have to
// know those of the others before they start.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("broker: %w", err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// expect reads lines of a server until one contains text.
func expect(p *process.Process, text string) error {
	for {
		line, err := p.Line()
		if err != nil {
			return fmt.Errorf("broker: %w", err)
		}
		if strings.Contains(line, text) {
			return nil
		}
	}
}
