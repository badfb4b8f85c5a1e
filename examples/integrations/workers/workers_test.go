package workers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/ThreeDotsLabs/watermill/pubsub/gochannel"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/examples/integrations/internal/kit"
	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
	"github.com/planrooms/planrooms/examples/integrations/workers"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
	"github.com/planrooms/planrooms/transport/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m) }

func newHub(t *testing.T) *room.Hub {
	hub := room.NewHub(&room.Options{Authorize: func(context.Context, auth.Identity, string) error { return nil }})
	t.Cleanup(func() { _ = hub.Shutdown(context.Background()) })
	return hub
}

// A worker makes the change. The tab that asked for it gets a receipt, the other tab of the same
// user and other users get the event.
func TestWorker(t *testing.T) {
	hub, store := newHub(t), tasks.New()
	queue := gochannel.NewGoChannel(gochannel.Config{}, nil)
	orders, err := queue.Subscribe(context.Background(), "rename")
	if err != nil {
		t.Fatal(err)
	}
	var worker sync.WaitGroup
	worker.Go(func() { workers.Work(orders, &workers.Service{Store: store, Events: hub}) })
	t.Cleanup(func() {
		if err := queue.Close(); err != nil {
			t.Error(err)
		}
		worker.Wait()
	})
	srv := httptest.NewServer(workers.Routes(store, queue))
	t.Cleanup(srv.Close)

	tab := roomtest.Join(t, hub, "ann", "demo", &roomtest.Options{ClientID: "tab-1"})
	other := roomtest.Join(t, hub, "ann", "demo", &roomtest.Options{ClientID: "tab-2"})
	bob := roomtest.Join(t, hub, "bob", "demo")

	order := map[string]string{"taskId": "7", "title": "Oat milk"}
	kit.Bearer("token-of-ann").Tab("tab-1", "m-1").Do(t, http.MethodPost, srv.URL+"/orders", order, http.StatusAccepted)

	tab.WantReceipt("m-1")
	for _, m := range []*roomtest.Member{other, bob} {
		var data struct{ Task tasks.Task }
		if got := m.WantEvent(protocol.TypeTaskUpdated, &data); data.Task.Title != "Oat milk" || got.By != "ann" || got.MutationID != "m-1" {
			t.Errorf("task %+v by %q, mutation %q", data.Task, got.By, got.MutationID)
		}
	}

	// An order of a user without access changes nothing, and does not stop the worker.
	order["title"] = "Beer"
	kit.Bearer("token-of-cleo").Do(t, http.MethodPost, srv.URL+"/orders", order, http.StatusAccepted)
	order["title"] = "Bread"
	kit.Bearer("token-of-bob").Do(t, http.MethodPost, srv.URL+"/orders", order, http.StatusAccepted)
	if got := tab.WantEvent(protocol.TypeTaskUpdated, nil); got.By != "bob" {
		t.Errorf("the next change is by %q, want bob", got.By)
	}
}

// The command makes the changes without a hub.
func TestCommand(t *testing.T) {
	store := tasks.New()
	if err := workers.Command(t.Context(), store, "ann", "demo"); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Task("7"); err != nil || got.Title != "MILK" {
		t.Errorf("task %+v, error %v", got, err)
	}
}
