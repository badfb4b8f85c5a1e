package room_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// A queue may deliver a message twice. Its ID makes the second broadcast harmless.
func ExampleOnce() {
	hub := room.NewHub(&room.Options{Authorize: func(context.Context, auth.Identity, string) error { return nil }})
	defer hub.Shutdown(context.Background())

	consume := func(messageID, taskID string) {
		event := protocol.TaskDeleted(taskID)
		if _, err := hub.Broadcast(context.Background(), "demo", event, room.Once(messageID)); err != nil {
			log.Fatal(err)
		}
	}
	consume("message 17", "7")
	consume("message 17", "7") // delivered again
	consume("message 18", "8")
	info, _ := hub.Room("demo")
	fmt.Println(info.Events, "events")
	// Output: 2 events
}

// Two hubs share an engine. A service has one of them in each process, and the engine of package
// natsengine in place of the one in memory.
func ExampleHub_Ready() {
	store := enginetest.NewMemory(nil)
	hub := room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
		Engine:    store.Engine(),
		Cluster:   "planner",
	})
	defer hub.Shutdown(context.Background())

	ready := func(w http.ResponseWriter, _ *http.Request) {
		if err := hub.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}
	get := func() int { // what a load balancer does
		w := httptest.NewRecorder()
		ready(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		return w.Code
	}
	for get() != http.StatusOK {
		time.Sleep(10 * time.Millisecond)
	}
	info, _ := hub.Cluster()
	fmt.Println("ready, with", len(info.Nodes), "node")
	// Output: ready, with 1 node
}

// A page for operators lists the nodes.
func ExampleHub_Cluster() {
	hub := room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
		Engine:    enginetest.NewMemory(nil).Engine(),
		Cluster:   "planner",
		Node:      "web-1",
	})
	defer hub.Shutdown(context.Background())
	for hub.Ready() != nil {
		time.Sleep(10 * time.Millisecond)
	}
	info, _ := hub.Cluster()
	for _, node := range info.Nodes {
		fmt.Println(node.Host, "is behind by", info.Last-min(info.Applied, info.Last), "records")
	}
	// Output: web-1 is behind by 0 records
}
