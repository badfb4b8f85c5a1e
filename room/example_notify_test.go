package room_test

import (
	"fmt"
	"log"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// A user is invited to a plan. All connections of the user get the event, whatever plans they are
// in. Notify stores nothing: the host also keeps the invitation in its database.
func ExampleHub_Notify() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	tab := watch(hub, "bob", "tab1", "demo")
	phone := connectViewer(hub, "bob", "phone1") // in no plan

	invited := protocol.Event{Type: "invited", Data: map[string]string{"plan": "launch"}}
	queued, err := hub.Notify(background, "bob", invited)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(queued, "connections")
	fmt.Println(tab.next())
	fmt.Println(phone.next())

	queued, err = hub.Notify(background, "carol", invited) // not connected
	fmt.Println(queued, err)
	// Output:
	// 2 connections
	// invited {"plan":"launch"}
	// invited {"plan":"launch"}
	// 0 <nil>
}
