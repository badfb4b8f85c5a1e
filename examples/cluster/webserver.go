package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/planrooms/planrooms/room"
)

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

// serveUntilParentEnds serves a hub from a child process until ctx or the parent process ends, and
// shuts both down. The first line on stdout is the URL.
func serveUntilParentEnds(ctx context.Context, h http.Handler, hub *room.Hub, stdout io.Writer) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }() // ends with Shutdown
	if _, err := fmt.Fprintf(stdout, "http://%s\n", ln.Addr()); err != nil {
		return err
	}
	select {
	case err := <-served:
		return err
	case <-untilParentEnds(ctx).Done():
	}
	return shutDown(srv, hub, requestPatience, goodbyePatience)
}

// How long a child process waits for requests, and then for its hub, before it ends.
const (
	requestPatience = 3 * time.Second
	goodbyePatience = 10 * time.Second
)

// shutDown ends the requests first, so that their changes are still broadcast, and then the
// connections. Requests that wait for NATS do not take the time that the hub has.
func shutDown(srv, hub interface{ Shutdown(context.Context) error }, requests, goodbyes time.Duration) error {
	within := func(patience time.Duration, s interface{ Shutdown(context.Context) error }) error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return s.Shutdown(ctx)
	}
	return errors.Join(within(requests, srv), within(goodbyes, hub))
}
