package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
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
