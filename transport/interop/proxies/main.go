// Command proxies checks that a plan server works behind nginx, HAProxy and Caddy. It starts each
// of them in front of a server, over plain HTTP and over TLS, and uses connections through them for
// more than a minute. nginx and HAProxy use the configuration blocks of README.md of transport. The
// command prints a table, and exits with 1 if a check fails.
//
//	go run ./proxies
//
// The proxies must be installed; on Debian: apt-get install nginx haproxy caddy. Everything listens
// on free ports of the loopback interface. The command ends the processes it started, and removes
// its files.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// publicHost is the host name of the TLS entrances, the same as in the README.
const publicHost = "app.example.com"

func main() {
	// By default nginx closes a connection that is idle for 60 s. HAProxy with Debian's
	// configuration does so after 50 s.
	idle := flag.Duration("idle", 63*time.Second, "how long a connection carries only pings; the control cases need more than a minute")
	readme := flag.String("readme", "../README.md", "the file with the blocks for nginx and HAProxy")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, *idle, *readme)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "proxies:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, idle time.Duration, readme string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, idle+2*time.Minute)
	defer cancel()
	nginxBlock, err := block(readme, "nginx")
	if err != nil {
		return err
	}
	haproxyBlock, err := block(readme, "haproxy")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "planrooms-proxies-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cert, err := newCertificate(dir, publicHost)
	if err != nil {
		return err
	}
	b, err := startBackends()
	if err != nil {
		return err
	}
	defer b.stop()

	var entrances []*entrance
	for _, p := range []proxy{nginx(nginxBlock), haproxy(haproxyBlock), haproxyBare(), caddy()} {
		found, stop, err := p.start(ctx, dir, cert, b)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		defer stop()
		entrances = append(entrances, found...)
	}

	results := newTable()
	var open, checked sync.WaitGroup
	for _, e := range entrances {
		open.Add(1)
		checked.Go(func() { e.check(ctx, idle, results, sync.OnceFunc(open.Done)) })
	}
	open.Wait()
	results.progress("the servers shut down")
	if err := b.shutdown(ctx); err != nil {
		return err
	}
	checked.Wait()
	return results.print(os.Stdout)
}
