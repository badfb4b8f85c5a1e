package transport

import (
	"encoding/json"
	"net/http"

	"github.com/planrooms/planrooms/room"
)

// Inspect returns a handler for operators. It answers GET and HEAD with the rooms of hub and their
// participants as JSON: {"rooms": [...]}, where each element is a [room.Info]. It panics if hub is
// nil.
//
// It does not check access, and it shows which user looks at which plan. Put it behind a login or
// on a separate port.
func Inspect(hub *room.Hub) http.Handler {
	if hub == nil {
		panic("transport: Inspect: hub is nil")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			answer(w, http.StatusMethodNotAllowed, "method not allowed")
			return
		}
		view := struct {
			Rooms []room.Info `json:"rooms"`
		}{Rooms: []room.Info{}}
		for _, summary := range hub.Rooms() {
			// false: the room was deleted after Rooms returned
			if info, ok := hub.Room(summary.PlanID); ok {
				view.Rooms = append(view.Rooms, info)
			}
		}
		body, err := json.Marshal(view)
		if err != nil {
			answer(w, http.StatusInternalServerError, "internal error")
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(body) // fails if the client has disconnected
	})
}
