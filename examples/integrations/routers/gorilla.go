package routers

import (
	"encoding/json"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
)

// Gorilla returns the service on gorilla/mux.
func Gorilla(store *tasks.Store, live *Live) http.Handler {
	r := mux.NewRouter()
	r.Handle("/ws", live.Socket).Methods(http.MethodGet) // glue
	users := r.NewRoute().Subrouter()
	users.Use(withUser(store))
	users.HandleFunc("/plans/{planID}", func(w http.ResponseWriter, r *http.Request) {
		planID := mux.Vars(r)["planID"]
		if !store.MayView(userOf(r), planID) {
			http.NotFound(w, r)
			return
		}
		if err := live.Mark(r.Context(), w.Header(), planID); err != nil { // glue
			http.Error(w, "unavailable", http.StatusServiceUnavailable) // glue
			return                                                      // glue
		} // glue
		writeJSON(w, plan{store.Plan(planID)})
	}).Methods(http.MethodGet)
	users.HandleFunc("/tasks/{taskID}", func(w http.ResponseWriter, r *http.Request) {
		var c change
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		task, err := store.Rename(userOf(r), mux.Vars(r)["taskID"], c.Title)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		live.Changed(r, userOf(r), task.ID) // glue
		writeJSON(w, task)
	}).Methods(http.MethodPatch)
	return r
}
