package room_test

import (
	"fmt"
	"log"
	"time"

	"github.com/planrooms/planrooms/room"
)

// An operator looks at who is in a plan. transport.Inspect is a page with the same answers.
func ExampleHub_Room() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	watch(hub, "ann", "tab1", "demo")
	watch(hub, "ann", "tab2", "demo")
	watch(hub, "bob", "tab1", "demo")

	for _, summary := range hub.Rooms() {
		info, ok := hub.Room(summary.PlanID)
		if !ok {
			continue // the last user has left meanwhile
		}
		for _, who := range info.People {
			fmt.Println(info.PlanID, who.UserID, who.Connections)
		}
	}
	_, ok := hub.Room("launch")
	fmt.Println(ok)
	// Output:
	// demo ann 2
	// demo bob 1
	// false
}

// A user asks the support of the host why a change did not appear. The log of the service has the
// position that BroadcastTaskDeleted returned.
func ExampleHub_Explain() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	connectViewer(hub, "ann", "tab1") // has joined no plan

	position, err := hub.BroadcastTaskDeleted(background, "demo", "7")
	if err != nil {
		log.Fatal(err)
	}
	watch(hub, "bob", "tab1", "demo") // too late

	for _, userID := range []string{"ann", "bob"} {
		x, err := hub.Explain("demo", userID, position.Seq)
		if err != nil {
			log.Fatal(err)
		}
		for _, c := range x.Connections {
			fmt.Println(userID, c.ClientID, c.Outcome)
		}
	}
	// Output:
	// ann tab1 not_joined
	// bob tab1 joined_later
}

// A client has stopped reading. Its events wait in the history of the plan, and Lagging says who it
// is and how far it has read.
func ExampleHub_Lagging() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	bob := watch(hub, "bob", "tab1", "demo")
	bob.Stall(10) // the socket takes 10 bytes more
	defer bob.Unstall()

	if _, err := hub.BroadcastTaskDeleted(background, "demo", "7"); err != nil {
		log.Fatal(err)
	}
	for {
		// A moment later the hub finds that the socket is full.
		if slow := hub.Lagging("demo", 10); len(slow) > 0 && !slow[0].Since.IsZero() {
			fmt.Println(slow[0].UserID, slow[0].ClientID, "does not keep up")
			return
		}
		time.Sleep(time.Millisecond)
	}
	// Output:
	// bob tab1 does not keep up
}

// The numbers of a hub. Package room/metrics exports them to Prometheus and OpenTelemetry.
func ExampleHub_Stats() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	watch(hub, "ann", "tab1", "demo")
	watch(hub, "ann", "tab2", "launch")

	s := hub.Stats()
	fmt.Println(s.Connections, "connections,", s.Users, "user,", s.Rooms, "rooms,", s.Participants, "participants")
	// Output:
	// 2 connections, 1 user, 2 rooms, 2 participants
}
