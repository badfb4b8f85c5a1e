package routers

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
)

// Chi returns the service on go-chi/chi. Its Timeout ends the context of a request; the connection
// does not use that context after the upgrade.
func Chi(store *tasks.Store, live *Live) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.RequestID, middleware.Recoverer, middleware.Compress(5), middleware.Timeout(time.Minute))
	r.Method(http.MethodGet, "/ws", live.Socket) // glue
	r.Group(func(r chi.Router) {
		r.Use(withUser(store))
		r.Get("/plans/{planID}", func(w http.ResponseWriter, r *http.Request) {
			planID := chi.URLParam(r, "planID")
			if !store.MayView(userOf(r), planID) {
				http.NotFound(w, r)
				return
			}
			if err := live.Mark(r.Context(), w.Header(), planID); err != nil { // glue
				http.Error(w, "unavailable", http.StatusServiceUnavailable) // glue
				return                                                      // glue
			} // glue
			writeJSON(w, plan{store.Plan(planID)})
		})
		r.Patch("/tasks/{taskID}", func(w http.ResponseWriter, r *http.Request) {
			var c change
			if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
				http.Error(w, "bad request", http.StatusBadRequest)
				return
			}
			task, err := store.Rename(userOf(r), chi.URLParam(r, "taskID"), c.Title)
			if err != nil {
				http.NotFound(w, r)
				return
			}
			live.Changed(r, userOf(r), task.ID) // glue
			writeJSON(w, task)
		})
	})
	return r
}
