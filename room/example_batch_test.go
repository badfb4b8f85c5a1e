package room_test

import (
	"fmt"
	"log"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// An import adds several tasks in one transaction. No event of another call comes between theirs.
// If one event is invalid, none is sent.
func ExampleHub_BroadcastBatch() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	bob := watch(hub, "bob", "tab1", "demo")

	// After the commit:
	var events []protocol.Event
	for _, task := range []todo{{ID: "7", Title: "Milk"}, {ID: "8", Title: "Bread"}} {
		events = append(events, protocol.TaskCreated(task))
	}
	if _, err := hub.BroadcastBatch(background, "demo", events, room.By("ann")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bob.next())
	fmt.Println(bob.next())

	events = append(events, protocol.Event{Type: protocol.TypeGoodbye}) // a type of the hub itself
	_, err := hub.BroadcastBatch(background, "demo", events)
	fmt.Println(err)
	// Output:
	// task-created {"task":{"id":"7","title":"Milk"}}
	// task-created {"task":{"id":"8","title":"Bread"}}
	// event 3 of 3: broadcast to plan "demo": protocol: invalid event type
}
