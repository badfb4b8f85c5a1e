package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsRoutes serves the numbers of the hub, of the Go runtime and of the process. They need no
// login, so they are not among the public routes: they have a separate address.
func (s *service) metricsRoutes() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.live.metrics, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}))
	return mux
}

// serveMetrics serves /metrics at the address of -metrics until stop is called. Without that flag
// it does nothing.
func (s *service) serveMetrics() (stop func() error, err error) {
	if s.config.metrics == "" {
		return func() error { return nil }, nil
	}
	ln, err := net.Listen("tcp", s.config.metrics)
	if err != nil {
		return nil, err
	}
	srv := &http.Server{
		Handler:           s.metricsRoutes(),
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }() // ends with stop
	s.log.Info("serving metrics", "url", "http://"+reachable(ln.Addr())+"/metrics")
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			_ = srv.Close() // a scrape that takes longer
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, nil
}
