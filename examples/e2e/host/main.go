// Host is a plan service for the tests in browsers: sessions in a cookie, any number of plans, and
// pages of another origin if -origin names it.
//
//	go run ./examples/e2e/host
//
// Everything is in memory, and any name can log in: it is for tests on loopback only.
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

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/browser"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 picks a free one")
	origin := flag.String("origin", "", "further `origin` whose pages may use this service")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, *addr, *origin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "host: %v\n", err)
		os.Exit(1)
	}
}

// run serves on addr until ctx ends. The first line on stdout says where.
func run(ctx context.Context, addr, origin string, stdout io.Writer) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	hub := room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil }, // public
		Logger:    log,
	})
	url := "http://" + ln.Addr().String()
	handler, err := routes(hub, url, origin, log)
	if err != nil {
		return errors.Join(err, ln.Close(), hub.Shutdown(ctx))
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }() // ends with Shutdown or Close
	_, _ = fmt.Fprintf(stdout, "listening on %s\n", url)

	select {
	case err = <-served:
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if srv.Shutdown(end) != nil { // a browser may keep a connection without a request
		err = errors.Join(err, srv.Close())
	}
	return errors.Join(err, hub.Shutdown(end))
}

func routes(hub *room.Hub, url, origin string, log *slog.Logger) (http.Handler, error) {
	opts := &transport.Options{CookieName: cookieName, Logger: log}
	forgery := http.NewCrossOriginProtection()
	if origin != "" {
		opts.AllowedOrigins = []string{url, origin}
		if err := errors.Join(opts.Validate(), forgery.AddTrustedOrigin(origin)); err != nil {
			return nil, err
		}
	}
	s := &sessions{open: map[string]session{}}
	p := &plans{hub: hub, tasks: map[string][]task{}}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", page)
	mux.Handle("GET /planrooms/", browser.Handler())
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /refresh", s.refresh)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) { s.logout(w, r, hub) })
	mux.HandleFunc("GET /plans/{id}", s.required(p.get))
	mux.HandleFunc("POST /plans/{id}/tasks", s.required(p.add))
	operators := transport.Inspect(hub, s.operator)
	mux.Handle("GET /ops/rooms", operators)
	mux.Handle("GET /stripped/", http.StripPrefix("/stripped", operators)) // as a proxy does
	mux.Handle("GET /ws", transport.NewHandler(hub, auth.VerifierFunc(s.verify), opts))
	return cors(origin, forgery.Handler(mux)), nil
}

// cors lets pages of origin make requests with the cookie. It sends the headers that README.md of
// transport lists.
func cors(origin string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "Origin")
		if origin != "" && r.Header.Get("Origin") == origin {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Expose-Headers", transport.HeaderPosition)
			if r.Method == http.MethodOptions {
				h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Plan-Client, X-Plan-Mutation")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// page is where the tests start the client.
func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!doctype html><html lang=en><title>Host</title><link rel=icon href=data:,><body></body></html>\n")
}
