package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// clusterOptions describe a cluster.
type clusterOptions struct {
	nats     natsURLs // of servers that run already. Default: three are started
	replicas int
	name     string // in NATS
	dir      string // for data and logs
	faults   bool   // the nodes have the routes of faultroutes.go
}

// cluster is all that a service with several nodes consists of: the processes, the database, and
// the balancer.
type cluster struct {
	options  clusterOptions
	run      string   // identifies this run for pages
	urls     natsURLs // of the NATS servers
	outside  bool     // they run elsewhere
	servers  []*natsServer
	stream   *stream
	database *database
	balancer *balancer
	log      *slog.Logger
	life     context.Context // ends with the cluster
	web      *webServer      // of the database
	work     sync.WaitGroup  // goroutines that end with life

	mu    sync.Mutex // guards the following
	nodes []*instance
}

// newCluster returns a cluster of three nodes. The database and the NATS servers run already, the
// nodes do not. ctx is its life. The caller calls close.
func newCluster(ctx context.Context, o clusterOptions, log *slog.Logger) (c *cluster, err error) {
	run := fmt.Sprint(time.Now().UnixNano())
	c = &cluster{options: o, run: run, urls: o.nats, outside: len(o.nats) > 0, database: newDatabase(run), log: log, life: ctx}
	if !c.outside {
		if c.servers, err = startServers(ctx, o.dir); err != nil {
			return nil, err
		}
		c.urls = serverURLs(c.servers)
	}
	c.stream = &stream{servers: c.urls.texts()}
	c.balancer = newBalancer(c.list)
	if c.web, err = serve("127.0.0.1:0", c.database.routes(), log); err != nil {
		c.close()
		return nil, err
	}
	for i := range 3 {
		n, err := c.newNode(i)
		if err != nil {
			c.close()
			return nil, err
		}
		c.nodes = append(c.nodes, n)
	}
	return c, nil
}

// start starts the nodes, in the background.
func (c *cluster) start() {
	for _, n := range c.list() {
		c.startNode(n)
	}
	c.work.Go(func() { c.stream.watch(c.life) })
}

// startNode starts a node and its health checks, in the background.
func (c *cluster) startNode(n *instance) {
	c.work.Go(func() { c.report(n.name, n.start(c.life)) })
	c.work.Go(func() { n.watch(c.life) })
}

// newNode creates the node with an index, with a separate network to NATS.
func (c *cluster) newNode(index int) (*instance, error) {
	name := fmt.Sprintf("n%d", index+1)
	var l *link
	own := c.urls
	if own[0].Scheme == "nats" { // TLS would not accept the address of the link
		var addrs []string
		for k := range own {
			addrs = append(addrs, own[(index+k)%len(own)].Host) // the nodes prefer different servers
		}
		var err error
		if l, err = newLink(addrs); err != nil {
			return nil, err
		}
		own = natsURLs{&url.URL{Scheme: "nats", User: own[0].User, Host: l.addr()}}
	}
	args := []string{
		nodeCommandName, "-name", name, "-cluster", c.options.name, "-database", c.web.url,
		"-replicas", fmt.Sprint(c.options.replicas), "-nats", own.joined(),
	}
	if c.options.faults {
		args = append(args, "-faults")
	}
	return newInstance(name, filepath.Join(c.options.dir, name+".log"), l, args), nil
}

// list returns the nodes.
func (c *cluster) list() []*instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.nodes)
}

// ready reports whether all nodes get clients.
func (c *cluster) ready() bool {
	return !slices.ContainsFunc(c.list(), func(n *instance) bool { return !n.isReady() })
}

// replace puts a node at the place of another one, which gets no clients any more. Those that it
// has stay until it ends.
func (c *cluster) replace(index int, n *instance) (old *instance) {
	c.mu.Lock()
	old, c.nodes[index] = c.nodes[index], n
	c.mu.Unlock()
	old.retire()
	return old
}

// report logs a process that has not started, and is then down.
func (c *cluster) report(name string, err error) {
	if err != nil && c.life.Err() == nil && !errors.Is(err, errRunning) {
		c.log.Error("start", "process", name, "error", err)
	}
}

func (c *cluster) processes() (list []*child) {
	for _, n := range c.list() {
		list = append(list, n.process)
	}
	for _, s := range c.servers {
		list = append(list, s.process)
	}
	return list
}

// close ends the processes: the nodes first, so that they can say goodbye. Its life has ended.
func (c *cluster) close() {
	c.work.Wait()
	var nodes sync.WaitGroup
	for _, n := range c.list() {
		nodes.Go(func() { n.process.stop(); n.close() })
	}
	nodes.Wait()
	for _, s := range c.servers {
		s.process.close()
	}
	if c.web != nil {
		c.web.close()
	}
}
