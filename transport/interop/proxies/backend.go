package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/interop/internal/plans"
)

// backend is a plan server with its WebSocket endpoint at /ws.
type backend struct {
	*plans.Server
	addr   string
	server *http.Server
}

// backends are the servers behind the proxies.
type backends struct {
	standard *backend // default options, behind plain HTTP
	public   *backend // PublicOrigin, behind TLS
	quiet    *backend // no pings
}

func startBackends() (*backends, error) {
	var b backends
	for _, c := range []struct {
		to        **backend
		hub       *room.Options
		transport *transport.Options
	}{
		{&b.standard, nil, nil},
		{&b.public, nil, &transport.Options{PublicOrigin: "https://" + publicHost}},
		{&b.quiet, &room.Options{PingEvery: -1}, nil},
	} {
		s, err := startBackend(c.hub, c.transport)
		if err != nil {
			b.stop()
			return nil, err
		}
		*c.to = s
	}
	return &b, nil
}

func startBackend(hub *room.Options, opts *transport.Options) (*backend, error) {
	s, err := plans.New(hub, opts)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /ws", s.Handler)
	b := &backend{s, ln.Addr().String(), &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}}
	go func() { _ = b.server.Serve(ln) }() // until shutdown or stop
	return b, nil
}

func (b *backends) all() []*backend {
	var all []*backend
	for _, s := range []*backend{b.standard, b.public, b.quiet} {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}

// shutdown ends the servers in the order that the README recommends.
func (b *backends) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var err error
	for _, s := range b.all() {
		err = errors.Join(err, s.server.Shutdown(ctx), s.Hub.Shutdown(ctx))
	}
	return err
}

// stop closes the servers immediately.
func (b *backends) stop() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, s := range b.all() {
		_ = s.server.Close()
		_ = s.Hub.Shutdown(ctx)
	}
}
