package transport_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/planrooms/planrooms/transport"
)

func TestInspect(t *testing.T) {
	s := newServer(t, config{})
	ann, bob := dial(t, s.Server, "ann"), dial(t, s.Server, "bob")
	ann.join("p")
	bob.join("p")
	bob.join("q")
	h := transport.Inspect(s.hub)

	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/debug/rooms", nil))
	if got := w.Header().Get("Cache-Control"); w.Code != http.StatusOK || got != "no-store" {
		t.Errorf("status %d, Cache-Control %q, want 200, no-store", w.Code, got)
	}
	var view struct {
		Rooms []struct {
			PlanID       string
			Participants int
			People       []struct{ UserID, UserName string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &view); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	if len(view.Rooms) != 2 || view.Rooms[0].PlanID != "p" || len(view.Rooms[0].People) != 2 || view.Rooms[0].People[0].UserName != "ANN" {
		t.Errorf("rooms %s, want p with ann and bob, and q", w.Body)
	}

	w = httptest.NewRecorder()
	transport.Inspect(newHub(t)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if got, want := w.Body.String(), `{"rooms":[]}`; got != want {
		t.Errorf("no rooms: %s, want %s", got, want)
	}
	for method, want := range map[string]int{
		http.MethodHead: http.StatusOK, http.MethodPost: http.StatusMethodNotAllowed, http.MethodDelete: http.StatusMethodNotAllowed,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		if w.Code != want {
			t.Errorf("%s: status %d, want %d", method, w.Code, want)
		}
	}
}
