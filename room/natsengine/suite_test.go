package natsengine_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/natsengine"
)

// cluster is what enginetest tests: engines, each with a proxy to its server.
type cluster struct {
	t       *testing.T
	servers []*machine
	admin   *admin
	options natsengine.Options
	proxies map[room.Engine]*proxy
	copies  []string // of the disks
}

func newCluster(t *testing.T, o natsengine.Options, servers ...*machine) *cluster {
	o.NATS = append(o.NATS, nats.IgnoreDiscoveredServers())
	return &cluster{t: t, servers: servers, admin: newAdmin(t, servers...), options: o, proxies: make(map[room.Engine]*proxy)}
}

func (c *cluster) log() string { return strings.ReplaceAll(c.options.Prefix, ".", "_") + "_log" }

func (c *cluster) Engine() room.Engine {
	i := len(c.proxies) % len(c.servers)
	p := newProxy(c.t, append(c.servers[i:len(c.servers):len(c.servers)], c.servers[:i]...)...)
	o := c.options
	o.Servers = []string{p.url()}
	e := natsengine.New(o)
	c.proxies[e] = p
	return e
}

func (c *cluster) Cut(e room.Engine)     { c.proxies[e].setCut(true) }
func (c *cluster) Heal(e room.Engine)    { c.proxies[e].setCut(false) }
func (c *cluster) Stall(e room.Engine)   { c.proxies[e].setStalled(true) }
func (c *cluster) Release(e room.Engine) { c.proxies[e].setStalled(false) }
func (c *cluster) Trim(before uint64)    { c.admin.trim(c.log(), before) }

// Restart restarts the leader of the log.
func (c *cluster) Restart() {
	m := c.servers[0]
	if info := c.admin.info(c.log()); info.Cluster != nil {
		for _, s := range c.servers {
			if s.options.ServerName == info.Cluster.Leader {
				m = s
			}
		}
	}
	m.stop()
	m.start()
}

// everywhere stops all servers, calls f for each, and starts them.
func (c *cluster) everywhere(f func(i int, m *machine) error) {
	c.t.Helper()
	together(c.t, c.servers, (*machine).stop)
	for i, m := range c.servers {
		if err := f(i, m); err != nil {
			c.t.Fatal(err)
		}
	}
	together(c.t, c.servers, (*machine).run)
}

func (c *cluster) Snapshot() {
	c.copies = nil
	c.everywhere(func(i int, m *machine) error {
		c.copies = append(c.copies, c.t.TempDir()+"/copy")
		return os.CopyFS(c.copies[i], os.DirFS(m.disk()))
	})
}

func (c *cluster) Restore() {
	c.everywhere(func(i int, m *machine) error {
		if err := os.RemoveAll(m.disk()); err != nil {
			return err
		}
		return os.CopyFS(m.disk(), os.DirFS(c.copies[i]))
	})
}

func (c *cluster) Wipe() {
	c.everywhere(func(_ int, m *machine) error { return os.RemoveAll(m.disk()) })
}

// single is a cluster with one server, whose files the test can damage.
type single struct{ *cluster }

func (c single) Hole(seq uint64) { c.admin.delete(c.servers[0], c.log(), seq) }
func (c single) LoseTail(n int)  { loseTail(c.t, c.servers[0], c.log(), n) }

// A server without a cluster.
func TestSuiteSingle(t *testing.T) {
	create := creator(t, natsengine.Options{}, apart(t))
	enginetest.Run(t, func(t *testing.T) enginetest.Cluster { return single{create(t)} })
}

// onReplicas matches the checks that replicas may make fail. The others are the same with one
// server.
var onReplicas = regexp.MustCompile("/(Open|AppendOrder|AppendStored|AppendSameIDAtOnce|AppendRepeats|AppendStalled|TailCut|Restart|Trim|TrimAll|Restore|BeatOthers|BeatAtOnce|BeatWindow)$")

// Three servers, which all store the log.
func TestSuiteReplicas(t *testing.T) {
	create := creator(t, natsengine.Options{Replicas: 3}, three(t)...)
	enginetest.Run(t, func(t *testing.T) enginetest.Cluster {
		if os.Getenv("NATSENGINE_ALL") == "" && !onReplicas.MatchString(t.Name()) {
			t.Skip("the same as with one server, unless NATSENGINE_ALL is set")
		}
		return create(t)
	})
}

// creator returns a function that returns another log on the same servers at each call.
func creator(t *testing.T, o natsengine.Options, servers ...*machine) func(*testing.T) *cluster {
	n := 0
	return func(t *testing.T) *cluster {
		n++
		for _, m := range servers {
			m.t = t
		}
		o.Prefix = fmt.Sprintf("test.%d", n)
		return newCluster(t, o, servers...)
	}
}
