package workers

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
	"github.com/planrooms/planrooms/transport" // glue
)

// Routes returns the route that gives an order to the workers.
func Routes(store *tasks.Store, queue message.Publisher) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		userID, ok := store.Login(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if !ok {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		var o order
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		if err := Enqueue(r.Context(), queue, userID, o); err != nil {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	return transport.CaptureAuthor(mux) // glue
}
