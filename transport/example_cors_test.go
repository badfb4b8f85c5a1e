package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// allowPage is CORS middleware for the pages of one other origin. Hosts often use a library for it.
func allowPage(origin string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		if r.Header.Get("Origin") == origin {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", transport.HeaderPosition)
			if r.Method == http.MethodOptions { // a preflight request
				h.Set("Access-Control-Allow-Methods", "GET, PATCH")
				h.Set("Access-Control-Allow-Headers", strings.Join([]string{
					"Authorization", "Content-Type", transport.HeaderClient, transport.HeaderMutation,
				}, ", "))
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// The page comes from another origin than the service. The WebSocket needs the origin in
// AllowedOrigins, the routes need CORS: browsers do not apply CORS to WebSockets.
func ExampleNewHandler_cors() {
	const page = "https://app.example.com"
	hub := room.NewHub(&room.Options{Authorize: mayView})
	defer hub.Shutdown(context.Background())

	api := http.NewServeMux()
	api.HandleFunc("PATCH /tasks/{taskID}", func(http.ResponseWriter, *http.Request) {})
	mux := http.NewServeMux()
	mux.Handle("/", allowPage(page, api))
	mux.Handle("GET /ws", transport.NewHandler(hub, users, &transport.Options{
		PublicOrigin:   "https://api.example.com",
		AllowedOrigins: []string{page},
	}))

	preflight := httptest.NewRequest(http.MethodOptions, "/tasks/7", nil)
	preflight.Header.Set("Origin", page)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, preflight)
	fmt.Println(w.Code, w.Header().Get("Access-Control-Allow-Headers"))

	for _, origin := range []string{page, "https://other.example"} {
		r := httptest.NewRequest(http.MethodGet, "/ws", nil)
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code == http.StatusForbidden, origin)
	}
	// Output:
	// 204 Authorization, Content-Type, X-Plan-Client, X-Plan-Mutation
	// false https://app.example.com
	// true https://other.example
}
