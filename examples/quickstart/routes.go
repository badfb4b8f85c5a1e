package main

import (
	"net/http"
	"net/netip"

	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/browser"
)

const jwksPath = "/.well-known/jwks.json"

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /", page())
	mux.Handle("GET /planrooms/", browser.Handler())
	mux.HandleFunc("GET "+jwksPath, s.keys.publish)
	mux.HandleFunc("POST /api/login", s.login)

	mux.Handle("GET /ws", transport.NewHandler(s.hub, s.verifier, &transport.Options{Logger: s.log}))

	mux.Handle("GET /api/plans/{planId}", s.member(s.getPlan))
	mux.Handle("POST /api/plans/{planId}/tasks", s.member(s.createTask))
	mux.Handle("POST /api/plans/{planId}/tasks/reorder", s.member(s.reorderTasks))
	mux.Handle("PATCH /api/tasks/{taskId}", s.member(s.updateTask))
	mux.Handle("DELETE /api/tasks/{taskId}", s.member(s.deleteTask))

	// It shows who looks at what, so a real service checks its operators' login. Here it is for
	// requests from this machine.
	mux.Handle("GET /api/rooms", transport.Inspect(s.hub, local))
	return secured(mux)
}

// local reports whether the request comes from this machine.
func local(r *http.Request) bool {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

// secured sets headers that allow the page its own scripts only, and forbid other pages to embed
// it.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}
