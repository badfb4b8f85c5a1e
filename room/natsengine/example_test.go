package natsengine_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

func ExampleNew() {
	authorize := func(context.Context, auth.Identity, string) error { return nil }
	url, stop := startServer()
	defer stop()

	engine := natsengine.New(natsengine.Options{Servers: []string{url}})
	hub := room.NewHub(&room.Options{Authorize: authorize, Engine: engine, Cluster: "taskboard"})
	defer hub.Shutdown(context.Background())

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	position, err := hub.BroadcastTaskDeleted(ctx, "plan-1", "task-7")
	fmt.Println(position.Seq > 0, err)
	// Output: true <nil>
}

// startServer starts a NATS server in this process.
func startServer() (url string, stop func()) {
	dir, err := os.MkdirTemp("", "natsengine")
	if err != nil {
		panic(err)
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	if err != nil {
		panic(err)
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		panic("the server does not accept connections")
	}
	return s.ClientURL(), func() {
		s.Shutdown()
		s.WaitForShutdown()
		os.RemoveAll(dir)
	}
}
