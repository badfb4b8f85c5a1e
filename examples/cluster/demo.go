package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
)

type demoOptions struct {
	addr     string
	nats     natsURLs // of servers that run already
	replicas int
	cluster  string
	dir      string
	rate     int
}

// demonstration is a cluster with a page, a publisher and viewers.
type demonstration struct {
	*cluster
	publisher *publisher
	viewers   []*viewer
}

// demo runs the demonstration until ctx ends. The first line on stdout says where the page is.
func demo(ctx context.Context, o demoOptions, stdout io.Writer, log *slog.Logger) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ln, err := net.Listen("tcp", o.addr)
	if err != nil {
		return fmt.Errorf("the page cannot be served: %w; choose another address with -addr, such as -addr 127.0.0.1:0", err)
	}
	defer ln.Close()
	dir, remove, err := folder(o.dir)
	if err != nil {
		return err
	}
	defer remove()

	var histories *history.Writer // it grows with each message, so a temporary folder has none
	if o.dir != "" {
		file, err := os.Create(filepath.Join(dir, viewersFile))
		if err != nil {
			return err
		}
		defer file.Close()
		histories = history.NewWriter(file)
	}
	defer func() {
		if histories != nil {
			err = errors.Join(err, histories.Flush())
		}
	}()
	c, err := newCluster(ctx, clusterOptions{nats: o.nats, replicas: o.replicas, name: o.cluster, dir: dir}, log)
	if ctx.Err() != nil && err != nil {
		return nil // interrupted while the NATS servers started
	}
	if err != nil {
		return err
	}
	defer c.close()
	d := &demonstration{cluster: c}
	d.publisher = newPublisher(c, planID, o.rate, nil)
	for i, n := range c.list() {
		d.viewers = append(d.viewers, newViewer(viewerOptions{
			name: fmt.Sprintf("checker-%d", i+1), user: "checker", base: "http://" + reachable(ln.Addr()), node: n.name,
			plans: []string{planID}, history: histories, log: log,
		}))
	}
	page := &webServer{ln: ln, http: newHTTPServer(d.routes(), log)}
	page.start()
	defer page.close()
	if _, err := fmt.Fprintf(stdout, "listening on http://%s\n", reachable(ln.Addr())); err != nil {
		return err
	}
	log.Info("data and logs", "folder", dir)
	if len(o.nats) == 0 { // URLs of the user may have a password
		log.Info("list the nodes with: go run . nodes -nats " + c.urls.joined() + " -cluster " + o.cluster)
	}

	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	c.start()
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

// folder returns the folder for data and logs, and what removes it.
func folder(dir string) (string, func(), error) {
	if dir != "" {
		return dir, func() {}, os.MkdirAll(dir, 0o700)
	}
	dir, err := os.MkdirTemp("", "planrooms-cluster-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}
