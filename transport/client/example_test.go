package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/client"
)

// A program that follows a plan.
func Example() {
	hub, endpoint, stop := exampleServer()
	defer stop()
	ctx := context.Background()

	c, err := client.Dial(ctx, endpoint, &client.Options{Token: client.StaticToken("secret")})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	plan, err := c.Join(ctx, "demo", nil)
	if err != nil {
		log.Fatal(err)
	}

	if err := hub.BroadcastTaskDeleted(ctx, "demo", "milk", room.By("bob")); err != nil { // somebody changes the plan
		log.Fatal(err)
	}
	for event, err := range plan.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if event.Kind == client.Reload {
			fmt.Println("load the plan:", event.Reason)
			continue
		}
		fmt.Println(event.Type, string(event.Data), "by", event.By)
		break
	}
	// Output:
	// load the plan: joined
	// task-deleted {"taskId":"milk"} by bob
}

// exampleServer runs a server for the examples.
func exampleServer() (hub *room.Hub, endpoint string, stop func()) {
	hub = room.NewHub(&room.Options{Authorize: func(context.Context, auth.Identity, string) error { return nil }})
	verifier := auth.Static(map[string]auth.Identity{"secret": {UserID: "ann", Name: "Ann"}})
	srv := httptest.NewServer(transport.NewHandler(hub, verifier, nil))
	return hub, srv.URL, func() {
		srv.Close()
		_ = hub.Shutdown(context.Background()) // cannot fail without a deadline
	}
}

// A program that has loaded the plan, with the position that came with it, misses nothing that has happened since.
func ExampleClient_Join() {
	hub, endpoint, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := client.Dial(ctx, endpoint, &client.Options{Token: client.StaticToken("secret")})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	loaded, err := hub.Position(ctx, "demo") // a program gets it from the service, with the plan
	if err != nil {
		log.Fatal(err)
	}
	if err := hub.BroadcastTaskDeleted(ctx, "demo", "milk"); err != nil { // somebody is quicker
		log.Fatal(err)
	}
	plan, err := c.Join(ctx, "demo", &client.JoinOptions{Since: loaded})
	if err != nil {
		log.Fatal(err)
	}
	event, err := plan.Next(ctx)
	fmt.Println(event.Kind, event.Type, string(event.Data), err)
	fmt.Println("to be stored with what was made of it:", event.Position == plan.Position(), event.Position.Seq-loaded.Seq)
	// Output:
	// change task-deleted {"taskId":"milk"} <nil>
	// to be stored with what was made of it: true 1
}

// A service that tells others where it looks, and sees who else is there.
func ExamplePlan_SetPresence() {
	_, endpoint, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := client.Dial(ctx, endpoint, &client.Options{Token: client.StaticToken("secret")})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	plan, err := c.Join(ctx, "demo", nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := plan.SetPresence(map[string]string{"task": "milk"}); err != nil {
		log.Fatal(err)
	}
	for _, who := range plan.Participants() {
		fmt.Println(who.UserID, who.UserName)
	}
	// Output: ann Ann
}
