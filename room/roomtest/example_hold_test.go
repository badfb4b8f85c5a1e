package roomtest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A test of a service whose users have claims, and follow several plans on one connection.
func ExampleConnect() {
	hub := room.NewHub(&room.Options{Authorize: func(_ context.Context, id auth.Identity, planID string) error {
		if planID == "salaries" && id.Claims["role"] != "manager" {
			return room.ErrForbidden
		}
		return nil
	}})
	defer hub.Shutdown(context.Background())

	ann := roomtest.Connect(t, hub, auth.Identity{UserID: "ann", Claims: map[string]any{"role": "guest"}}, nil)
	ann.Join("demo", nil)
	fmt.Println(len(ann.Participants("demo")))
	ann.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "salaries"})
	fmt.Println(ann.Refused(protocol.ErrorForbidden).Code)
	// Output:
	// 1
	// forbidden
}

// A test stops the hub while it writes, to see what happens meanwhile.
func ExampleHold() {
	hub := room.NewHub(&room.Options{Authorize: everyoneMay})
	defer hub.Shutdown(context.Background())
	hold := roomtest.NewHold(t)
	k := roomtest.NewSink(&roomtest.SinkOptions{Hold: hold})
	if err := k.Connect(hub, auth.Identity{UserID: "ann"}, nil); err != nil {
		fmt.Println(err)
		return
	}
	k.Take() // the hello

	hold.Arm()
	notified := make(chan error, 1)
	go func() {
		_, err := hub.Notify(context.Background(), "ann", protocol.Event{Type: "notice", Data: "dinner"})
		notified <- err
	}()
	hold.Wait()
	fmt.Printf("%q\n", k.Take())
	hold.Release()
	fmt.Println(<-notified, k.Wait(time.Minute, func() bool { return k.Take() != "" }))
	// Output:
	// ""
	// <nil> true
}
