package natsengine_test

import (
	"errors"
	"fmt"
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

// machine is one NATS server in this process, with JetStream. It keeps its ports and its disk when
// it is started again.
type machine struct {
	t       *testing.T
	options server.Options
	server  *server.Server
}

// start starts the server, and waits until it accepts connections.
func (m *machine) start() {
	m.t.Helper()
	if err := m.run(); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) run() error {
	s, err := server.NewServer(m.options.Clone())
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		return errors.New("the server does not accept connections")
	}
	m.server = s
	if m.options.Port < 0 {
		m.options.Port = s.Addr().(*net.TCPAddr).Port
	}
	return nil
}

// together starts or stops servers at the same time.
func together(t *testing.T, list []*machine, f func(*machine) error) {
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

// stop stops the server.
func (m *machine) stop() error {
	m.server.Shutdown()
	m.server.WaitForShutdown()
	return nil
}

// disk is the folder with the data of the server.
func (m *machine) disk() string { return m.options.StoreDir }

func (m *machine) address() string { return "127.0.0.1:" + strconv.Itoa(m.options.Port) }

func (m *machine) url() string { return "nats://" + m.address() }

func newMachine(t *testing.T, name string, configure func(*server.Options)) *machine {
	m := &machine{t: t, options: server.Options{
		ServerName: name, Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: filepath.Join(t.TempDir(), name),
	}}
	if configure != nil {
		configure(&m.options)
	}
	return m
}

// one starts a server without a cluster.
func one(t *testing.T, configure func(*server.Options)) *machine {
	t.Helper()
	m := newMachine(t, "n1", configure)
	m.start()
	t.Cleanup(func() { m.stop() })
	return m
}

// three starts a cluster of three servers.
func three(t *testing.T) []*machine {
	t.Helper()
	ports := freePorts(t, 3)
	var routes []*url.URL
	for _, port := range ports {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	var list []*machine
	for i, port := range ports {
		m := newMachine(t, fmt.Sprintf("n%d", i+1), func(o *server.Options) {
			o.Cluster = server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: port}
			o.Routes = routes
		})
		list = append(list, m)
	}
	together(t, list, (*machine).run)
	t.Cleanup(func() { together(t, list, (*machine).stop) })
	return list
}

// freePorts returns ports that nobody listens on. The servers of a cluster have to know those of the
// others before they start.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
