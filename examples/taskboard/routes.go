package main

import (
	"net/http"

	"github.com/planrooms/planrooms/transport"
)

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/login", s.login)
	mux.HandleFunc("POST /api/token", s.renew)
	mux.HandleFunc("POST /api/logout", s.logout)
	mux.HandleFunc("GET /api/demo", s.demoAccounts)
	mux.Handle("DELETE /api/sessions", s.signedIn(s.logoutEverywhere))

	mux.Handle("GET /api/plans", s.signedIn(s.listPlans))
	mux.Handle("POST /api/plans", s.signedIn(s.createPlan))
	mux.Handle("GET /api/plans/{planId}", s.signedIn(s.getPlan))
	mux.Handle("GET /api/plans/{planId}/tasks", s.signedIn(s.getTasks))
	mux.Handle("GET /api/plans/{planId}/progress", s.signedIn(s.getProgress))

	mux.Handle("POST /api/plans/{planId}/members", s.signedIn(s.addMember))
	mux.Handle("DELETE /api/plans/{planId}/members/{userId}", s.signedIn(s.removeMember))

	mux.Handle("POST /api/plans/{planId}/tasks", s.signedIn(s.createTask))
	mux.Handle("POST /api/plans/{planId}/tasks/reorder", s.signedIn(s.reorderTasks))
	mux.Handle("PATCH /api/tasks/{taskId}", s.signedIn(s.updateTask))
	mux.Handle("DELETE /api/tasks/{taskId}", s.signedIn(s.deleteTask))

	mux.Handle("GET /ws", transport.NewHandler(s.live.hub, s.tokens.verifier, &transport.Options{
		PublicOrigin:   s.config.origin,
		MaxConnections: 10_000, // below the limit of open files
		Logger:         s.log,
	}))
	if s.config.debug {
		mux.Handle("GET /api/rooms", transport.Inspect(s.live.hub))
	}

	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusNotFound, "no_such_route", "There is no such route.")
	})
	mux.Handle("/", page())
	return secured(s.sameOrigin(mux))
}

// sameOrigin refuses requests that the pages of other sites make. It protects the routes that use
// the cookie, which browsers attach; the others need a token. It does not look at GET, and so not at
// WebSockets: transport checks their origin.
func (s *service) sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if s.config.origin != "" {
		if err := protection.AddTrustedOrigin(s.config.origin); err != nil {
			panic(err) // unreachable: parseFlags has checked it
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusForbidden, "cross_origin", "Pages of other origins may not do this.")
	}))
	return protection.Handler(next)
}

// secured sets the headers that keep other pages out of this one, and this one to its own scripts.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
			"font-src 'self'; manifest-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
