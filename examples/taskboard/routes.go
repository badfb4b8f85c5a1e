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

	mux.Handle("PATCH /api/plans/{planId}", s.signedIn(s.renamePlan))
	mux.Handle("DELETE /api/plans/{planId}", s.signedIn(s.deletePlan))

	mux.Handle("GET /api/plans/{planId}/invitations", s.signedIn(s.listInvitees))
	mux.Handle("POST /api/plans/{planId}/invitations", s.signedIn(s.invite))
	mux.Handle("DELETE /api/plans/{planId}/invitations/{userId}", s.signedIn(s.withdraw))
	mux.Handle("GET /api/invitations", s.signedIn(s.listInvitations))
	mux.Handle("POST /api/invitations/{planId}/accept", s.signedIn(s.accept))
	mux.Handle("DELETE /api/invitations/{planId}", s.signedIn(s.decline))
	mux.Handle("POST /api/plans/{planId}/owner", s.signedIn(s.passOn))
	mux.Handle("DELETE /api/plans/{planId}/members/{userId}", s.signedIn(s.removeMember))

	mux.Handle("POST /api/plans/{planId}/tasks", s.signedIn(s.createTask))
	mux.Handle("POST /api/plans/{planId}/tasks/reorder", s.signedIn(s.reorderTasks))
	mux.Handle("PATCH /api/tasks/{taskId}", s.signedIn(s.updateTask))
	mux.Handle("DELETE /api/tasks/{taskId}", s.signedIn(s.deleteTask))
	mux.Handle("POST /api/tasks/{taskId}/restore", s.signedIn(s.restoreTask))

	mux.Handle("GET /ws", transport.NewHandler(s.live.hub, s.tokens.verifier, &transport.Options{
		PublicOrigin:   s.config.origin,
		MaxConnections: 10_000, // below the limit of open files
		Logger:         s.log,
	}))
	if len(s.config.operators) > 0 {
		mux.Handle("GET /api/rooms", transport.Inspect(s.live.hub, s.isOperator))
	}

	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusNotFound, "no_such_route", "There is no such route.")
	})
	mux.Handle("/", page())
	return secured(s.sameOrigin(mux))
}

// sameOrigin refuses requests that the pages of other sites make. It protects the routes that use
// the cookie, which browsers attach; the others need a token. It does not check GET requests, and
// so not WebSockets: transport checks their origin.
func (s *service) sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if s.config.origin != "" {
		if err := protection.AddTrustedOrigin(s.config.origin); err != nil {
			panic(err) // unreachable: parseFlags has checked it
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusForbidden, "cross_origin", "Pages of other origins must not do this.")
	}))
	return protection.Handler(next)
}

// secured sets headers: other pages cannot embed this one, and it runs its own scripts only.
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
