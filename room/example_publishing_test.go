package room_test

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// row is a row of the host's database. The database increases the version at each change.
type row struct {
	ID      int64  `json:"id"`
	Title   string `json:"title"`
	Version int64  `json:"version"`
}

// Two workers publish the changes of one task in the wrong order. Clients drop the older state.
func ExampleVersion() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	bob := watch(hub, "bob", "tab1", "demo")

	for _, task := range []row{{7, "Oat milk", 3}, {7, "Milk", 2}} {
		_, err := hub.BroadcastTaskUpdated(background, "demo", task, room.Version(fmt.Sprint(task.ID), task.Version))
		if err != nil {
			log.Fatal(err)
		}
	}
	last := map[string]int64{} // package client and the browser client do this
	for range 2 {
		m := bob.read()
		if v := m.Version; v.N >= last[v.Key] {
			last[v.Key] = v.N
			fmt.Printf("%s\n", m.Data)
		}
	}
	// Output:
	// {"task":{"id":7,"title":"Oat milk","version":3}}
}

// A subscriber of an event bus gets messages late and in any order. It reads the task again and
// broadcasts it under one lock, so no event has an older state than the event before it.
func ExampleHub_Broadcast_eventBus() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	bob := watch(hub, "bob", "tab1", "demo")
	loadTask := func(context.Context, int64) (row, error) { return row{7, "Oat milk", 3}, nil }

	var order sync.Mutex
	onTaskChanged := func(ctx context.Context, planID string, taskID int64, userID string) error {
		order.Lock()
		defer order.Unlock()
		task, err := loadTask(ctx, taskID) // again, not the one in the message
		if err != nil {
			return err
		}
		_, err = hub.BroadcastTaskUpdated(ctx, planID, task,
			room.AuthorFrom(ctx, userID), room.Version(fmt.Sprint(task.ID), task.Version))
		return err
	}
	if err := onTaskChanged(background, "demo", 7, "ann"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bob.next())
	// Output:
	// task-updated {"task":{"id":7,"title":"Oat milk","version":3}}
}

// A label that several plans show was renamed.
func ExampleHub_BroadcastToPlans() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	ann, bob := watch(hub, "ann", "tab1", "demo"), watch(hub, "bob", "tab1", "launch")

	event := protocol.Event{Type: "label-renamed", Data: map[string]string{"label": "urgent"}}
	fmt.Println(hub.BroadcastToPlans(background, []string{"demo", "launch", ""}, event, room.By("ann")))
	fmt.Println(ann.next())
	fmt.Println(bob.next())
	// Output:
	// broadcast to plan "": room: invalid plan id
	// label-renamed {"label":"urgent"}
	// label-renamed {"label":"urgent"}
}

// A task moves to another plan.
func ExampleHub_BroadcastTaskMoved() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	ann, bob := watch(hub, "ann", "tab1", "demo"), watch(hub, "bob", "tab1", "launch")

	task := row{7, "Milk", 4}
	move := room.TaskMove{From: "demo", To: "launch", TaskID: task.ID, Task: task}
	if err := hub.BroadcastTaskMoved(background, move, room.By("ann"), room.Version("7", task.Version)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bob.next())
	fmt.Println(ann.next())
	// Output:
	// task-created {"task":{"id":7,"title":"Milk","version":4}}
	// task-deleted {"taskId":7}
}

// The author of a change travels with a message to the worker that broadcasts it.
func ExampleWithAuthor() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	tab := watch(hub, "ann", "tab1", "demo")

	// Middleware, here transport.CaptureAuthor, reads the IDs from the headers of a request:
	ctx := room.WithAuthor(background, room.Author{ClientID: "tab1", MutationID: "m-1"})

	// The code that publishes the message:
	text, err := room.AuthorIn(ctx).MarshalText()
	if err != nil {
		log.Fatal(err)
	}
	metadata := map[string]string{"author": string(text), "user": "ann"} // ann is verified

	// The worker:
	var author room.Author
	if err := author.UnmarshalText([]byte(metadata["author"])); err != nil {
		log.Print(err) // the change is broadcast all the same
	}
	_, err = hub.BroadcastTaskDeleted(background, "demo", 7, author.By(metadata["user"]))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tab.next())
	// Output:
	// receipt by ann, mutation m-1
}

// tasksService is code of a host that publishes what it changes.
type tasksService struct{ events room.Broadcaster }

func (s *tasksService) rename(ctx context.Context, planID string, task row) error {
	_, err := s.events.Broadcast(ctx, planID, protocol.TaskUpdated(task))
	return err
}

// A command has no viewers, so it uses the code of the service without a hub.
func ExampleDiscard() {
	s := tasksService{events: room.Discard}
	fmt.Println(s.rename(background, "demo", row{7, "Milk", 2}))
	fmt.Println(s.rename(background, "", row{7, "Milk", 2})) // an error all the same
	// Output:
	// <nil>
	// room: invalid plan id
}
