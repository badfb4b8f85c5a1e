package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"
)

type demoOptions struct {
	addr     string
	nats     natsURLs // of servers that run already
	replicas int
	cluster  string
	dir      string
	rate     int
}

// demonstration is all that runs: processes, the balancer, the publisher and the viewers.
type demonstration struct {
	run       string   // identifies this run for pages
	urls      natsURLs // of the NATS servers
	outside   bool     // they run elsewhere
	servers   []*natsServer
	nodes     []*instance
	stream    *stream
	database  *database
	balancer  *balancer
	publisher *publisher
	viewers   []*viewer
	log       *slog.Logger
	life      context.Context // ends with the demonstration
	work      sync.WaitGroup  // goroutines that switches start
}

// demo runs the demonstration until ctx ends. The first line on stdout says where the page is.
func demo(ctx context.Context, o demoOptions, stdout io.Writer, log *slog.Logger) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ln, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	dir, remove, err := folder(o.dir)
	if err != nil {
		return err
	}
	defer remove()

	histories, err := os.Create(filepath.Join(dir, "history.jsonl"))
	if err != nil {
		return err
	}
	defer histories.Close()
	run := fmt.Sprint(time.Now().UnixNano())
	d := &demonstration{run: run, database: newDatabase(run), outside: len(o.nats) > 0, log: log, life: ctx}
	db, err := serve("127.0.0.1:0", d.database.routes(), log)
	if err != nil {
		return err
	}
	defer db.close()

	defer d.close()
	urls := o.nats
	if !d.outside {
		if d.servers, err = newServers(dir); err != nil {
			return err
		}
		urls = serverURLs(d.servers)
	}
	d.urls = urls
	if err := d.makeNodes(o, dir, urls, db.url); err != nil {
		return err
	}
	d.stream = &stream{servers: urls.texts()}
	d.balancer = newBalancer(d.nodes)
	d.publisher = newPublisher(d.database, d.nodes, o.rate)
	for i, n := range d.nodes {
		v := newViewer(fmt.Sprintf("checker-%d", i+1), "http://"+reachable(ln.Addr()), n.name, &history{w: histories}, log)
		d.viewers = append(d.viewers, v)
	}
	page := &webServer{ln: ln, http: newHTTPServer(d.routes(), log)}
	page.start()
	defer page.close()
	if _, err := fmt.Fprintf(stdout, "listening on http://%s\n", reachable(ln.Addr())); err != nil {
		return err
	}
	log.Info("data and logs", "folder", dir)

	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for _, s := range d.servers {
		all.Go(func() { d.report(s.name, s.start(ctx)) })
	}
	for _, n := range d.nodes {
		all.Go(func() { d.report(n.name, n.start(ctx)) })
		all.Go(func() { n.watch(ctx) })
	}
	all.Go(func() { d.stream.watch(ctx) })
	all.Go(func() { d.publisher.run(ctx) })
	for _, v := range d.viewers {
		all.Go(func() { v.run(ctx) })
	}
	select {
	case err := <-page.failed:
		return err
	case <-ctx.Done():
		log.Info("shutting down")
		return nil
	}
}

// makeNodes creates the nodes, each with a separate network to NATS.
func (d *demonstration) makeNodes(o demoOptions, dir string, urls natsURLs, database string) error {
	for i := range 3 {
		name := fmt.Sprintf("n%d", i+1)
		var l *link
		own := urls
		if urls[0].Scheme == "nats" { // TLS would not accept the address of the link
			var addrs []string
			for k := range urls {
				addrs = append(addrs, urls[(i+k)%len(urls)].Host) // the nodes prefer different servers
			}
			var err error
			if l, err = newLink(addrs); err != nil {
				return err
			}
			own = natsURLs{&url.URL{Scheme: "nats", User: urls[0].User, Host: l.addr()}}
		}
		args := []string{
			nodeCommandName, "-name", name, "-cluster", o.cluster, "-database", database,
			"-replicas", fmt.Sprint(o.replicas), "-nats",
		}
		for k, one := range own.texts() {
			if k > 0 {
				one = args[len(args)-1] + "," + one
				args = args[:len(args)-1]
			}
			args = append(args, one)
		}
		d.nodes = append(d.nodes, newInstance(name, filepath.Join(dir, name+".log"), l, args))
	}
	return nil
}

// report logs a process that has not started, and is then down.
func (d *demonstration) report(name string, err error) {
	if err != nil && d.life.Err() == nil {
		d.log.Error("start", "process", name, "error", err)
	}
}

// close ends the processes: the nodes first, so that they can say goodbye.
func (d *demonstration) close() {
	d.work.Wait()
	var nodes sync.WaitGroup
	for _, n := range d.nodes {
		nodes.Go(func() { n.process.stop(); n.close() })
	}
	nodes.Wait()
	for _, s := range d.servers {
		s.process.close()
	}
}

// folder returns the folder for data and logs, and what removes it.
func folder(dir string) (string, func(), error) {
	if dir != "" {
		return dir, func() {}, os.MkdirAll(dir, 0o700)
	}
	dir, err := os.MkdirTemp("", "planrooms-cluster-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// webServer is an HTTP server of this process.
type webServer struct {
	ln     net.Listener
	url    string
	http   *http.Server
	failed chan error // gets the error if it fails
	done   sync.WaitGroup
}

func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // nodes that end are expected
	}
}

func serve(addr string, h http.Handler, log *slog.Logger) (*webServer, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &webServer{ln: ln, http: newHTTPServer(h, log)}
	s.start()
	return s, nil
}

func (s *webServer) start() {
	s.url = "http://" + reachable(s.ln.Addr())
	s.failed = make(chan error, 1)
	s.done.Go(func() {
		if err := s.http.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	})
}

// close ends the server. Requests have a moment to end themselves.
func (s *webServer) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.http.Shutdown(ctx) // it may time out
	_ = s.http.Close()
	s.done.Wait()
}

// reachable returns the host and port under which this machine reaches a listener: loopback for one
// on all interfaces.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
	}
	return addr.String()
}
