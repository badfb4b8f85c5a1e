package natsengine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// patience ends a test that hangs. No test waits for it.
const patience = 60 * time.Second

// machine is one NATS server with JetStream, in this process or in a separate one. It keeps its
// ports and its disk when it is started again.
type machine struct {
	t       testing.TB
	options server.Options
	server  *server.Server // nil if it is in a separate process, or is stopped
	process *process
	apart   bool // in a separate process
}

// start starts the server, and waits until it accepts connections.
func (m *machine) start() {
	m.t.Helper()
	if err := m.run(); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) run() (err error) {
	if m.apart {
		c := child{Name: m.options.ServerName, Disk: m.disk(), Port: m.options.Port, ClusterPort: m.options.Cluster.Port}
		for _, r := range m.options.Routes {
			c.Routes = append(c.Routes, r.String())
		}
		m.process, err = startProcess(c)
		return err
	}
	s, err := server.NewServer(m.options.Clone())
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		l, err := net.Listen("tcp", m.address()) // another process may have got the port
		if err == nil {
			l.Close()
		}
		return errors.Join(errors.New("the server does not accept connections"), err)
	}
	m.server = s
	return nil
}

// together starts or stops servers at the same time.
func together(t testing.TB, list []*machine, f func(*machine) error) {
	t.Helper()
	errs := make([]error, len(list))
	var done sync.WaitGroup
	for i, m := range list {
		done.Go(func() { errs[i] = f(m) })
	}
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// stop stops the server, if it runs.
func (m *machine) stop() error {
	s, p := m.server, m.process
	m.server, m.process = nil, nil
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
	if p != nil {
		return p.stop()
	}
	return nil
}

// kill ends the process of the server at once.
func (m *machine) kill() {
	m.t.Helper()
	p := m.process
	m.process = nil
	if err := p.kill(); err != nil {
		m.t.Fatal(err)
	}
}

// disk is the folder with the data of the server.
func (m *machine) disk() string { return m.options.StoreDir }

func (m *machine) address() string { return "127.0.0.1:" + strconv.Itoa(m.options.Port) }

func (m *machine) url() string { return "nats://" + m.address() }

func newMachine(t testing.TB, name string, configure func(*server.Options)) *machine {
	m := &machine{t: t, options: server.Options{
		ServerName: name, Host: "127.0.0.1", Port: freePorts(t, 1)[0], NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: filepath.Join(t.TempDir(), name),
	}}
	if configure != nil {
		configure(&m.options)
	}
	return m
}

// one starts a server without a cluster, in this process.
func one(t testing.TB, configure func(*server.Options)) *machine {
	t.Helper()
	m := newMachine(t, "n1", configure)
	run(t, m)
	return m
}

// apart starts a server without a cluster, in a separate process.
func apart(t testing.TB) *machine {
	t.Helper()
	m := newMachine(t, "n1", nil)
	m.apart = true
	run(t, m)
	return m
}

// three starts a cluster of three servers in separate processes.
func three(t testing.TB) []*machine {
	t.Helper()
	ports := freePorts(t, 3)
	var list []*machine
	for i, port := range ports {
		m := newMachine(t, fmt.Sprintf("n%d", i+1), func(o *server.Options) {
			o.Cluster = server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: port}
			o.Routes = routesTo(ports)
		})
		m.apart = true
		list = append(list, m)
	}
	run(t, list...)
	return list
}

// routesTo returns the addresses of the servers of a cluster.
func routesTo(ports []int) (routes []*url.URL) {
	for _, port := range ports {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	return routes
}

// run starts servers, and stops them when the test ends.
func run(t testing.TB, list ...*machine) {
	t.Helper()
	t.Cleanup(func() { together(t, list, (*machine).stop) })
	together(t, list, (*machine).run)
}

// givenPorts has the ports that freePorts has returned.
var givenPorts sync.Map

// freePorts returns ports without a listener, each once. The servers of a cluster have to know those
// of the others before they start. The system gives none of them to a connection, which could have
// it when a server starts again.
func freePorts(t testing.TB, n int) (ports []int) {
	t.Helper()
	for range 1000 {
		if len(ports) == n {
			return ports
		}
		port := 10000 + rand.IntN(20000)
		if _, given := givenPorts.LoadOrStore(port, true); given {
			continue
		}
		if l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port)); err == nil {
			l.Close()
			ports = append(ports, port)
		}
	}
	t.Fatal("no port is free")
	return nil
}
