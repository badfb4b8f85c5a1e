package metrics_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics"
)

func Example() {
	authorize := func(context.Context, auth.Identity, string) error { return nil }
	own := room.Observer{Evicted: func(e room.EvictionInfo) { slog.Warn("evicted", "plan", e.PlanID) }}

	m := metrics.New(nil)
	hub := room.NewHub(&room.Options{Authorize: authorize, Observer: m.Observer(own)})
	m.Watch(hub)
	registry := prometheus.NewRegistry()
	registry.MustRegister(m)
	private := http.NewServeMux() // on an address that only Prometheus reaches
	private.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))

	_, _ = hub.BroadcastTaskDeleted(context.Background(), "plan-1", "task-7")
	answer := httptest.NewRecorder()
	private.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	fmt.Println(answer.Code)
	fmt.Println(testutil.GatherAndCount(registry, "planrooms_broadcasts_total", "planrooms_leaves_total"))
	// Output:
	// 200
	// 6 <nil>
}

func ExampleNew() {
	authorize := func(context.Context, auth.Identity, string) error { return nil }

	m := metrics.New(nil)
	hub := room.NewHub(&room.Options{Authorize: authorize, Observer: m.Observer(room.Observer{})})
	m.Watch(hub)
	prometheus.MustRegister(m)
	defer prometheus.Unregister(m) // the registry is global: another example may use it

	fmt.Println(testutil.GatherAndCount(prometheus.DefaultGatherer, "planrooms_connections"))
	// Output: 1 <nil>
}
