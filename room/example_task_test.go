package room_test

import (
	"fmt"
	"log"

	"github.com/planrooms/planrooms/room"
)

// A task was dragged to the top. The event has the new order, as the page shows it.
func ExampleHub_BroadcastTaskReordered() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	bob := watch(hub, "bob", "tab1", "demo")

	if _, err := hub.BroadcastTaskReordered(background, "demo", []string{"8", "7"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bob.next())
	// Output:
	// task-reordered {"taskIds":["8","7"]}
}

// A task was completed, which changes the task and the progress of the plan. Combine keeps the
// options of one request together.
func ExampleCombine() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	tab := watch(hub, "ann", "tab1", "demo")
	bob := watch(hub, "bob", "tab1", "demo")

	author := room.Combine(room.By("ann"), room.ExceptClient("ann", "tab1"), room.Mutation("m-1"))
	if _, err := hub.BroadcastTaskUpdated(background, "demo", row{7, "Milk", 4}, author); err != nil {
		log.Fatal(err)
	}
	progress := map[string]int{"done": 1, "total": 2}
	if _, err := hub.BroadcastProgressUpdated(background, "demo", progress, author); err != nil {
		log.Fatal(err)
	}
	for range 2 {
		fmt.Println(tab.next())
		fmt.Println(bob.next())
	}
	// Output:
	// receipt by ann, mutation m-1
	// task-updated {"task":{"id":7,"title":"Milk","version":4}}
	// receipt by ann, mutation m-1
	// progress-updated {"progress":{"done":1,"total":2}}
}

// The phone of a user uploads changes that the other devices of the user have already synchronized
// by another way: none of them gets the event, and each gets a receipt.
func ExampleExceptUser() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	tab := watch(hub, "ann", "tab1", "demo")
	bob := watch(hub, "bob", "tab1", "demo")

	if _, err := hub.BroadcastTaskDeleted(background, "demo", "7", room.By("ann"), room.ExceptUser("ann"), room.Mutation("m-2")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(tab.next())
	fmt.Println(bob.next())
	// Output:
	// receipt by ann, mutation m-2
	// task-deleted {"taskId":"7"}
}
