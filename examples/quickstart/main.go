// Quickstart is a small plan service made live: two people, one plan, a page that shows what each of them sees.
//
//	go run ./examples/quickstart
//
// It is an ordinary net/http service with a login, a store and REST routes of its own. What the library adds stands in
// three places: the hub and its Authorize function in service.go, one handler in routes.go, and the broadcasts after each
// change in tasks.go. The page's side of the conversation is page/client.js.
//
// QUICKSTART_SIGNING_KEY names a PEM file with a PKCS #8 RSA key to sign tokens with, so that they outlive a restart;
// without it a key is made at every start. SIGINT and SIGTERM end the service after everybody has been told.
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

	"github.com/planrooms/planrooms/room"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 picks a free one")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "quickstart: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, *addr, os.Getenv("QUICKSTART_SIGNING_KEY"), os.Stdout, log); err != nil {
		fmt.Fprintf(os.Stderr, "quickstart: %v\n", err)
		os.Exit(1)
	}
}

// run serves on addr until ctx ends. The first line on stdout says where.
func run(ctx context.Context, addr, keyFile string, stdout io.Writer, log *slog.Logger) error {
	keys, err := newSigner(keyFile)
	if err != nil {
		return err
	}
	// The listener comes first: the verifier reads the keys from the service's own URL.
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	url := "http://" + reachable(ln.Addr())
	s, err := newService(keys, url, log)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer s.verifier.Close()

	srv := &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second, // net/http lifts both from a connection that becomes a WebSocket
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()              // ends with drain
	_, _ = fmt.Fprintf(stdout, "listening on %s\n", url) // nobody may be reading

	select {
	case err = <-served: // it failed
		return errors.Join(err, drain(srv, s.hub))
	case <-ctx.Done():
		log.Info("shutting down")
		return drain(srv, s.hub)
	}
}

// drain ends requests first and connections second: a change that is being made can still be told.
func drain(srv *http.Server, hub *room.Hub) error {
	const patience = 10 * time.Second

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := srv.Shutdown(ctx) // knows nothing of WebSocket connections
	if err != nil {
		err = errors.Join(err, srv.Close())
	}

	ctx, cancel = context.WithTimeout(context.Background(), patience)
	defer cancel()
	return errors.Join(err, hub.Shutdown(ctx))
}

// reachable returns the host and port under which this machine reaches a listener: one on all interfaces by loopback.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
	}
	return addr.String()
}
