package client_test

import (
	"context"
	"fmt"
	"log"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

// A program shows the notices that the service sends to its user with Hub.Notify.
func ExampleClient_Notices() {
	hub, endpoint, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := client.Dial(ctx, endpoint, &client.Options{Token: client.StaticToken("secret")})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	invited := protocol.Event{Type: "invited", Data: map[string]string{"plan": "launch"}}
	if _, err := hub.Notify(ctx, c.UserID(), invited); err != nil {
		log.Fatal(err)
	}
	for notice, err := range c.Notices(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(notice.Type, string(notice.Data))
		break
	}
	// Output:
	// invited {"plan":"launch"}
}
