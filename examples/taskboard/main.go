// Taskboard is a plan service with a database, a login and a React page, made live by this
// library. It is an example to copy from.
//
//	go run . -db taskboard.db
//
// It is a separate module. README.md describes how it works and which files are worth copying.
// The library is used in live.go, in one line of routes.go, and in one call after each commit in
// the handlers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

func main() {
	c, err := parseFlags(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // parseFlags has printed the error
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process immediately
	switch {
	case c.addUser != "":
		err = addUser(ctx, c, os.Stdin)
	case c.backup != "":
		err = backup(ctx, c)
	default:
		err = run(ctx, c, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "taskboard: %v\n", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, also while it starts. The first line on stdout has the address.
func run(ctx context.Context, c config, stdout, stderr io.Writer) (err error) {
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: c.logLevel()}))
	db, err := store.Open(ctx, c.db)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }() // last, because requests use it
	s, err := newService(ctx, db, c, log)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer s.close()
	if err := s.prepareDemo(ctx, stderr); err != nil {
		return unlessEnded(ctx, err)
	}

	ln, err := net.Listen("tcp", c.addr)
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second, // this and the next do not apply to WebSockets
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10, // a token may have 8 KiB
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	stopMetrics, err := s.serveMetrics()
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer func() { err = errors.Join(err, stopMetrics()) }() // after the hub, whose shutdown they show
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }() // ends with drain
	// Stdout may be closed.
	_, _ = fmt.Fprintf(stdout, "listening on http://%s\n", reachable(ln.Addr()))

	select {
	case err = <-served: // it failed
		return errors.Join(err, drain(srv, s.live))
	case <-ctx.Done():
		log.Info("shutting down")
		return drain(srv, s.live)
	}
}

// unlessEnded returns err, or nil if the end of ctx caused it.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// backup copies the database for -backup.
func backup(ctx context.Context, c config) (err error) {
	if _, err := os.Stat(c.db); err != nil {
		return err
	}
	db, err := store.Open(ctx, c.db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Backup(ctx, c.backup)
}

// drain ends requests first and connections second, so that a change in progress is still
// broadcast.
func drain(srv *http.Server, live *live) error {
	const patience = 10 * time.Second

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := srv.Shutdown(ctx) // ignores WebSocket connections
	if err != nil {
		err = errors.Join(err, srv.Close())
	}

	ctx, cancel = context.WithTimeout(context.Background(), patience)
	defer cancel()
	return errors.Join(err, live.hub.Shutdown(ctx))
}

// reachable returns an address at which this machine reaches a listener: loopback for one on all
// interfaces.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
	}
	return addr.String()
}
