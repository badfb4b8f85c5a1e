package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
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

	// Another user changes the plan.
	if _, err := hub.BroadcastTaskDeleted(ctx, "demo", "milk", room.By("bob")); err != nil {
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
	verifier := auth.Static(map[string]auth.Identity{
		"secret":     {UserID: "ann", Name: "Ann"},
		"new secret": {UserID: "ann", Name: "Ann"},
	})
	srv := httptest.NewServer(transport.NewHandler(hub, verifier, nil))
	return hub, srv.URL, func() {
		srv.Close()
		_ = hub.Shutdown(context.Background()) // cannot fail without a deadline
	}
}

// A program that has loaded the plan with its position receives all events since.
func ExampleClient_Join() {
	hub, endpoint, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := client.Dial(ctx, endpoint, &client.Options{Token: client.StaticToken("secret")})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	loaded, err := hub.Position(ctx, "demo") // the service returns it together with the plan
	if err != nil {
		log.Fatal(err)
	}
	if _, err := hub.BroadcastTaskDeleted(ctx, "demo", "milk"); err != nil {
		log.Fatal(err)
	}
	plan, err := c.Join(ctx, "demo", &client.JoinOptions{Since: loaded})
	if err != nil {
		log.Fatal(err)
	}
	event, err := plan.Next(ctx)
	fmt.Println(event.Kind, event.Type, string(event.Data), err)
	fmt.Println("position:", event.Position == plan.Position(), event.Position.Seq-loaded.Seq)
	// Output:
	// change task-deleted {"taskId":"milk"} <nil>
	// position: true 1
}

// The service returns the position of the plan in a header.
func ExamplePositionOf() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		position := protocol.Position{Epoch: "E1", Seq: 42} // hub.Position, asked before the plan is read
		w.Header().Set("X-Plan-Position", position.String())
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprint(w, `[{"id":7,"title":"Milk"}]`)
	}))
	defer service.Close()

	resp, err := http.Get(service.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	since, ok := client.PositionOf(resp) // for JoinOptions.Since
	fmt.Println(since, ok)
	// Output:
	// E1.42 true
}

// A service shows a presence state to the other participants.
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

// A service starts while the plan server is down. The client connects when the server is up.
func ExampleOpen() {
	c, err := client.Open("ws://127.0.0.1:1/ws", &client.Options{
		Token: client.StaticToken("secret"),
		OnState: func(s client.State, err error) {
			if s == client.StateWaiting {
				log.Print("no live plans yet: ", err)
			}
		},
	})
	if err != nil {
		log.Fatal(err) // the endpoint or an option is invalid
	}
	defer c.Close()
	fmt.Println(c.State() == client.StateConnected, c.Err())
	// Output: false <nil>
}

// After another login of the same user the program shows the new token to the server.
func ExampleClient_Renew() {
	_, endpoint, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	token := "secret"
	c, err := client.Dial(ctx, endpoint, &client.Options{
		Token: func(_ context.Context, reason client.TokenReason) (client.Token, error) {
			fmt.Println(reason, token)
			return client.Token{Value: token}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	token = "new secret"
	if err := c.Renew(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// connect secret
	// changed new secret
}

// The host has disconnected the user. The program restarts the client and joins its plan again, at
// the position that it had.
func ExampleClient_Reconnect() {
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
	if _, err := plan.Next(ctx); err != nil { // the first Reload
		log.Fatal(err)
	}

	if _, err := hub.Disconnect(ctx, "ann"); err != nil {
		log.Fatal(err)
	}
	<-c.Done()
	fmt.Println(errors.Is(c.Err(), client.ErrDisconnected))
	if _, err := hub.BroadcastTaskDeleted(ctx, "demo", "milk"); err != nil {
		log.Fatal(err)
	}

	if err := c.Reconnect(); err != nil {
		log.Fatal(err)
	}
	plan, err = c.Join(ctx, "demo", &client.JoinOptions{Since: plan.Position()})
	if err != nil {
		log.Fatal(err)
	}
	event, err := plan.Next(ctx)
	fmt.Println(event.Kind, string(event.Data), err)
	// Output:
	// true
	// change {"taskId":"milk"} <nil>
}
