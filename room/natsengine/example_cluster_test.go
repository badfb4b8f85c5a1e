package natsengine_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// A node of a cluster with three NATS servers. Until it has reached one of them, the balancer sends
// it no clients.
func ExampleNew_cluster() {
	mayView := func(context.Context, auth.Identity, string) error { return nil }
	servers := []string{"nats://127.0.0.1:1", "nats://127.0.0.1:2", "nats://127.0.0.1:3"} // none runs
	logger := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()

	hub := room.NewHub(&room.Options{
		Authorize: mayView,
		Engine: natsengine.New(natsengine.Options{
			Servers:  servers, // all three: nats://10.0.0.5:4222 and so on
			Replicas: 3,
			Logger:   logger,
		}),
		Cluster: "planner-production",
		Logger:  logger, // without the two loggers, only Ready says what is wrong
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := hub.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable) // names servers, no secrets
		}
	})
	defer hub.Shutdown(context.Background())

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	fmt.Println(w.Code)
	// Output: 503
}
