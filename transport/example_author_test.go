package transport_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// The code that changes tasks knows no requests. The middleware puts the client that makes a change
// into the context.
func ExampleCaptureAuthor() {
	hub := room.NewHub(&room.Options{Authorize: mayView})
	defer hub.Shutdown(context.Background())
	deleteTask := func(ctx context.Context, taskID int64, userID string) error {
		// ... delete it in the database ...
		_, err := hub.BroadcastTaskDeleted(ctx, "demo", taskID, room.AuthorFrom(ctx, userID))
		return err
	}

	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(hub, users, nil))
	mux.HandleFunc("DELETE /tasks/7", func(w http.ResponseWriter, r *http.Request) {
		if err := deleteTask(r.Context(), 7, userOf(r)); err != nil {
			log.Print(err)
		}
	})
	srv := httptest.NewServer(transport.CaptureAuthor(mux))
	defer srv.Close()
	ann := openTab(srv.URL, "token-of-ann", "anns-tab")
	defer ann.Close()
	ann.join("demo", nil)

	r, err := http.NewRequest(http.MethodDelete, srv.URL+"/tasks/7", nil)
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer token-of-ann")
	r.Header.Set(transport.HeaderClient, "anns-tab")
	r.Header.Set(transport.HeaderMutation, "m-1")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println(ann.next())
	// Output:
	// receipt by ann, mutation m-1
}

// The body of the answer is a list, so the position is in a header.
func ExampleNewHandler_positionHeader() {
	hub := room.NewHub(&room.Options{Authorize: mayView})
	defer hub.Shutdown(context.Background())
	plans := newStore()

	getTasks := func(w http.ResponseWriter, r *http.Request) {
		position, err := hub.Position(r.Context(), "demo") // first
		if err != nil {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		tasks := plans.snapshot() // second
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set(transport.HeaderPosition, position.String())
		json.NewEncoder(w).Encode(tasks)
	}
	w := httptest.NewRecorder()
	getTasks(w, httptest.NewRequest(http.MethodGet, "/plans/demo/tasks", nil))

	var position protocol.Position
	err := position.UnmarshalText([]byte(w.Header().Get(transport.HeaderPosition)))
	fmt.Println(position.Valid(), position.Seq, err)
	// Output:
	// true 0 <nil>
}
