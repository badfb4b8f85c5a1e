package room_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// viewer is a client in memory, for the examples.
type viewer struct{ *roomtest.Sink }

// connectViewer makes a connection of the user.
func connectViewer(hub *room.Hub, userID, clientID string) viewer {
	v := viewer{roomtest.NewSink(nil)}
	err := v.Connect(hub, auth.Identity{UserID: userID, Name: userID}, &room.ConnectOptions{ClientID: clientID})
	if err != nil {
		log.Fatal(err)
	}
	v.read() // the hello
	return v
}

// read waits for the next message.
func (v viewer) read() (m protocol.Message) {
	v.Wait(time.Minute, func() bool {
		got, ok := v.Message()
		m = got.Message
		return ok
	})
	return m
}

// join joins a plan, since a position if that is not nil, and returns the answer.
func (v viewer) join(planID string, since *protocol.Position) protocol.Message {
	v.Join(planID, since)
	return v.read()
}

// watch connects and joins.
func watch(hub *room.Hub, userID, clientID, planID string) viewer {
	v := connectViewer(hub, userID, clientID)
	v.join(planID, nil)
	return v
}

// next waits for the next message that is not a presence notice.
func (v viewer) next() string {
	m := v.read()
	for m.Type == protocol.TypeJoinPlan || m.Type == protocol.TypeLeavePlan {
		m = v.read()
	}
	if m.Data == nil {
		return fmt.Sprintf("%s by %s, mutation %s", m.Type, m.By, m.MutationID)
	}
	return fmt.Sprintf("%s %s", m.Type, m.Data)
}

type todo struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

func everybodyMay(context.Context, auth.Identity, string) error { return nil }

var background = context.Background()

// Authorize is the one required option. It reads the database of the host.
func ExampleNewHub() {
	members := func(ctx context.Context, planID string) ([]string, error) {
		if planID == "unlucky" {
			return nil, errors.New("database: connection refused")
		}
		return map[string][]string{"demo": {"ann", "bob"}}[planID], nil
	}
	hub := room.NewHub(&room.Options{
		Authorize: func(ctx context.Context, id auth.Identity, planID string) error {
			users, err := members(ctx, planID)
			if err != nil {
				return err // unknown: a join is refused, a member stays for now
			}
			for _, u := range users {
				if u == id.UserID {
					return nil
				}
			}
			return room.ErrForbidden // no member, or no such plan: the client does not learn which
		},
	})
	defer hub.Shutdown(background)

	mallory := connectViewer(hub, "mallory", "tab1")
	for _, planID := range []string{"demo", "nothing", "unlucky"} {
		var refused protocol.Error
		if err := json.Unmarshal(mallory.join(planID, nil).Data, &refused); err != nil {
			log.Fatal(err)
		}
		fmt.Println(planID, refused.Code)
	}
	// Output:
	// demo forbidden
	// nothing forbidden
	// unlucky unavailable
}

// The tab that made the change gets a receipt. All others get the event, other tabs of the same
// user included.
func ExampleHub_BroadcastTaskUpdated() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	author := watch(hub, "ann", "tab1", "demo")
	otherTab := watch(hub, "ann", "tab2", "demo")
	bob := watch(hub, "bob", "tab1", "demo")

	_, err := hub.BroadcastTaskUpdated(background, "demo", todo{ID: "7", Title: "Milk"},
		room.By("ann"), room.ExceptClient("ann", "tab1"), room.Mutation("m-1"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(author.next())
	fmt.Println(otherTab.next())
	fmt.Println(bob.next())
	// Output:
	// receipt by ann, mutation m-1
	// task-updated {"task":{"id":"7","title":"Milk"}}
	// task-updated {"task":{"id":"7","title":"Milk"}}
}

// Hosts can define event types.
func ExampleHub_Broadcast() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	bob := watch(hub, "bob", "tab1", "demo")

	comment := map[string]string{"taskId": "7", "text": "The blue one."}
	_, err := hub.Broadcast(background, "demo", protocol.Event{Type: "comment-added", Data: comment}, room.By("ann"))
	fmt.Println(err)
	fmt.Println(bob.next())

	_, err = hub.Broadcast(background, "demo", protocol.Event{Type: protocol.TypeGoodbye})
	fmt.Println(errors.Is(err, protocol.ErrEventType))
	// Output:
	// <nil>
	// comment-added {"taskId":"7","text":"The blue one."}
	// true
}

// Call Position before you read the plan: the hub then replays the events in between.
func ExampleHub_Position() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)

	// In GET /plans/demo:
	position, err := hub.Position(background, "demo")
	if err != nil {
		log.Fatal(err)
	}
	tasks := []todo{} // read from the database

	// Before the client has joined, another user adds a task.
	if _, err := hub.BroadcastTaskCreated(background, "demo", todo{ID: "7", Title: "Milk"}); err != nil {
		log.Fatal(err)
	}

	// The client joins with the position that came with the plan.
	bob := connectViewer(hub, "bob", "tab1")
	var answer protocol.JoinAnswer
	if err := json.Unmarshal(bob.join("demo", &position).Data, &answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(tasks), "tasks, recovered:", answer.Recovered)
	fmt.Println(bob.next())
	// Output:
	// 0 tasks, recovered: true
	// task-created {"task":{"id":"7","title":"Milk"}}
}

// Once Revoke has returned, no event of the plan is written to the user.
func ExampleHub_Revoke() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	bob := watch(hub, "bob", "tab1", "demo")

	// After the membership has been deleted in the database:
	if _, err := hub.Revoke(background, "demo", "bob"); err != nil {
		log.Fatal(err)
	}
	if _, err := hub.BroadcastTaskDeleted(background, "demo", "7"); err != nil {
		log.Fatal(err)
	}
	if _, err := hub.Notify(background, "bob", protocol.Event{Type: "notice", Data: "the connection stays"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bob.next())
	fmt.Println(bob.next())
	// Output:
	// removed {"reason":"access ended","retry":false}
	// notice "the connection stays"
}

// A host makes all clients load a plan after a change that no event describes.
func ExampleHub_Resync() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	bob := watch(hub, "bob", "tab1", "demo")

	// After an import of a thousand tasks:
	if err := hub.Resync(background, "demo"); err != nil {
		log.Fatal(err)
	}
	m := bob.read()
	fmt.Println(m.Type)
	// Output:
	// resync
}

// An observer feeds metrics and an audit log.
func ExampleObserver() {
	hub := room.NewHub(&room.Options{
		Authorize: everybodyMay,
		Observer: room.Observer{
			Join: func(j room.JoinInfo) {
				fmt.Println(j.Connection.UserID, "looks at", j.PlanID)
			},
			Broadcast: func(_ context.Context, b room.BroadcastInfo) {
				fmt.Println(b.Type, "to", b.Recipients)
			},
		},
	})
	defer hub.Shutdown(background)
	watch(hub, "ann", "tab1", "demo")
	watch(hub, "bob", "tab1", "demo")
	if _, err := hub.BroadcastTaskDeleted(background, "demo", "7"); err != nil {
		log.Fatal(err)
	}
	stats := hub.Stats()
	fmt.Println(stats.Connections, "connections,", stats.Rooms, "room")
	// Output:
	// ann looks at demo
	// bob looks at demo
	// task-deleted to 2
	// 2 connections, 1 room
}

// After Shutdown a broadcast returns ErrHubClosed, and no goroutine of the hub is left.
func ExampleHub_Shutdown() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	bob := watch(hub, "bob", "tab1", "demo")

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(hub.Shutdown(ctx))

	var goodbye protocol.Goodbye
	if err := json.Unmarshal(bob.read().Data, &goodbye); err != nil {
		log.Fatal(err)
	}
	fmt.Println(goodbye.Code, goodbye.Reason, "reconnect:", goodbye.Reconnect)
	_, err := hub.BroadcastTaskDeleted(ctx, "demo", "7")
	fmt.Println(err)
	// Output:
	// <nil>
	// 4503 shutting down reconnect: true
	// room: hub closed
}

// The test of a host for a route that broadcasts, without a socket.
func TestViewersSeeTheChange(t *testing.T) {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(t.Context())
	bob := roomtest.Join(t, hub, "bob", "demo")

	if _, err := hub.BroadcastTaskDeleted(t.Context(), "demo", "7"); err != nil { // or call the route
		t.Fatal(err)
	}
	if got := bob.Next(); got.Type != protocol.TypeTaskDeleted {
		t.Errorf("bob got %s, want %s", got.Type, protocol.TypeTaskDeleted)
	}
	bob.Silent() // and nothing else

	bob.Cut()
	if _, err := hub.BroadcastTaskDeleted(t.Context(), "demo", "8"); err != nil {
		t.Fatal(err)
	}
	bob.Resume()
	if got := bob.Next(); !bob.Joined.Recovered || got.Type != protocol.TypeTaskDeleted {
		t.Errorf("recovered %v, bob got %s, want %s", bob.Joined.Recovered, got.Type, protocol.TypeTaskDeleted)
	}
}
