package routers

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
)

type plan struct {
	Tasks []tasks.Task `json:"tasks"`
}

type change struct {
	Title string `json:"title"`
}

// NetHTTP returns the service on the mux of net/http.
func NetHTTP(store *tasks.Store, live *Live) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /ws", live.Socket) // glue
	mux.Handle("GET /plans/{planID}", login(store, func(w http.ResponseWriter, r *http.Request, userID string) {
		planID := r.PathValue("planID")
		if !store.MayView(userID, planID) {
			http.NotFound(w, r)
			return
		}
		if err := live.Mark(r.Context(), w.Header(), planID); err != nil { // glue
			http.Error(w, "unavailable", http.StatusServiceUnavailable) // glue
			return                                                      // glue
		} // glue
		writeJSON(w, plan{store.Plan(planID)})
	}))
	mux.Handle("PATCH /tasks/{taskID}", login(store, func(w http.ResponseWriter, r *http.Request, userID string) {
		var c change
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		task, err := store.Rename(userID, r.PathValue("taskID"), c.Title)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		live.Changed(r, userID, task.ID) // glue
		writeJSON(w, task)
	}))
	return mux
}

// login calls next with the user of the request.
func login(store *tasks.Store, next func(w http.ResponseWriter, r *http.Request, userID string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		userID, ok := store.Login(bearer(r))
		if !ok {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		next(w, r, userID)
	})
}

// bearer returns the token of a request.
func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}

type userKey struct{}

// withUser is login as middleware, for the routers that chain it: the user is in the context.
func withUser(store *tasks.Store) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return login(store, func(w http.ResponseWriter, r *http.Request, userID string) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, userID)))
		})
	}
}

func userOf(r *http.Request) string { return r.Context().Value(userKey{}).(string) }
