package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// An ownServer is a server of plan rooms in this process, with the defaults of the library. Every
// user may see every plan.
type ownServer struct {
	hub    *room.Hub
	http   *http.Server
	served chan error

	mu     sync.Mutex // guards the following
	closes counts     // of stalled readers, by code
}

// stalledID is part of the client ids of stalled readers.
const stalledID = "-stalled-"

// newOwnTarget starts a server on a free port of loopback. Each connection is another user, and
// changes are broadcast directly.
func newOwnTarget(s *settings) (*target, error) {
	o := &ownServer{served: make(chan error, 1), closes: counts{}}
	o.hub = room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
		Observer:  room.Observer{Disconnect: o.disconnected},
	})
	tokens, verifier, err := o.login(s)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o.http = &http.Server{Handler: transport.NewHandler(o.hub, verifier, nil), ReadHeaderTimeout: 30 * time.Second}
	go func() { o.served <- o.http.Serve(ln) }() // close waits for it

	pad := strings.Repeat("x", s.size)
	return &target{
		endpoint: url.URL{Scheme: "ws", Host: ln.Addr().String(), Path: "/ws"},
		plans:    s.plans, credentials: &credentials{tokens: tokens}, own: o,
		publish: func(ctx context.Context, c change, mutation string) error {
			task := map[string]any{"id": "load", "title": pad}
			_, err := o.hub.BroadcastTaskUpdated(ctx, s.plans[c.plan], task, room.Mutation(mutation))
			return err
		},
	}, nil
}

// login returns a token for each connection, and what verifies them.
func (o *ownServer) login(s *settings) (tokens []string, _ auth.Verifier, err error) {
	if s.sign != "" {
		return signedTokens(s.sign, s.conns)
	}
	for i := range s.conns {
		tokens = append(tokens, fmt.Sprint("user", i))
	}
	return tokens, auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
		return auth.Identity{UserID: token, Name: token}, nil
	}), nil
}

func (o *ownServer) disconnected(d room.DisconnectInfo) {
	if !strings.Contains(d.Connection.ClientID, stalledID) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closes.add(fmt.Sprint(d.Code))
}

// stalledCloses returns with which codes the server has closed stalled readers.
func (o *ownServer) stalledCloses() counts {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := counts{}
	for code, n := range o.closes {
		c[code] = n
	}
	return c
}

func (o *ownServer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := errors.Join(o.http.Shutdown(ctx), o.hub.Shutdown(ctx))
	if served := <-o.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
