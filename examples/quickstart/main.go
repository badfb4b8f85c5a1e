// Quickstart is a small plan service made live: two users, one plan, and a page that shows what
// each of them sees.
//
//	go run ./examples/quickstart
//
// It is an ordinary net/http service with a login, a store and REST routes. It uses the library in
// three places: the hub and its Authorize function in service.go, the WebSocket handler in
// routes.go, and the broadcasts after each change in tasks.go. In the page, page/pane.js joins the
// plan with the browser client, and page/stream.js applies the events.
//
// Programs can follow the plan, too:
//
//	POST /api/login             {"user":"alice"}, or bob, carol, mallory: returns {"token":…}
//	GET /api/plans/demo         the plan, with its position
//	POST /api/plans/demo/tasks  {"title":"Milk"} adds a task
//	GET /ws                     the WebSocket
//
// All but the login need the token, as Authorization: Bearer. Mallory has no access to the plan.
//
// QUICKSTART_SIGNING_KEY names a PEM file with a PKCS #8 RSA key that signs the tokens, so that
// they remain valid after a restart. Without it, the service generates a key at every start. On
// SIGINT and SIGTERM the service sends goodbye to all clients and exits.
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
		ReadTimeout:       10 * time.Second, // net/http removes both limits from a WebSocket
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }() // ends with drain
	_, _ = fmt.Fprintf(stdout, "listening on %s\n", url)

	select {
	case err = <-served: // it failed
		return errors.Join(err, drain(srv, s.hub))
	case <-ctx.Done():
		log.Info("shutting down")
		return drain(srv, s.hub)
	}
}

// drain ends the requests first and then the connections, so that a change in flight is still
// broadcast.
func drain(srv *http.Server, hub *room.Hub) error {
	const patience = 10 * time.Second

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := srv.Shutdown(ctx) // ignores WebSocket connections
	if err != nil {
		err = errors.Join(err, srv.Close())
	}

	ctx, cancel = context.WithTimeout(context.Background(), patience)
	defer cancel()
	return errors.Join(err, hub.Shutdown(ctx))
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
