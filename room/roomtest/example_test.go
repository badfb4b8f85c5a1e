package roomtest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// task is what the service of the examples stores and sends.
type task struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// renameTask is the route of a service that changes a task and publishes the change.
func renameTask(hub *room.Hub) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		changed := task{ID: r.PathValue("task"), Title: r.FormValue("title")} // and store it
		_, err := hub.BroadcastTaskUpdated(r.Context(), r.PathValue("plan"), changed,
			room.By("ann"), room.ExceptClient("ann", r.FormValue("client")), room.Mutation(r.FormValue("mutation")))
		if err != nil {
			http.Error(w, "not published", http.StatusInternalServerError)
		}
	}
}

// TestRenameTask is a service's test of a route that broadcasts. In a bubble, the ten minutes that
// bob is away take no time.
func TestRenameTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := room.NewHub(&room.Options{Authorize: everyoneMay})
		defer hub.Shutdown(context.Background())
		routes := http.NewServeMux()
		routes.Handle("PATCH /plans/{plan}/tasks/{task}", renameTask(hub))
		rename := func(title string) {
			target := "/plans/demo/tasks/7?client=tab1&mutation=m-1&title=" + title
			routes.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("PATCH", target, nil))
		}

		ann := roomtest.Join(t, hub, "ann", "demo", &roomtest.Options{ClientID: "tab1"})
		bob := roomtest.Join(t, hub, "bob", "demo")

		rename("Milk")
		ann.WantReceipt("m-1") // the tab that made the change knows it
		var got struct{ Task task }
		bob.WantEvent(protocol.TypeTaskUpdated, &got)
		if want := (task{"7", "Milk"}); got.Task != want {
			t.Errorf("bob got %+v, want %+v", got.Task, want)
		}
		ann.Silent()
		bob.Silent()

		bob.Cut()
		rename("Bread")
		time.Sleep(10 * time.Minute)
		bob.Resume()
		bob.WantEvent(protocol.TypeTaskUpdated, &got)
		if got.Task.Title != "Bread" || !bob.Joined.Recovered {
			t.Errorf("bob got %+v, recovered %v", got.Task, bob.Joined.Recovered)
		}
	})
}

func everyoneMay(context.Context, auth.Identity, string) error { return nil }

// In a test, t is its argument.
var t testing.TB = printing{}

// printing prints failures, for the examples.
type printing struct{ testing.TB }

func (printing) Helper()                           {}
func (printing) Cleanup(func())                    {}
func (printing) Fatalf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// A service's test connects members and looks at what a change sends to each.
func Example() {
	hub := room.NewHub(&room.Options{Authorize: everyoneMay})
	defer hub.Shutdown(context.Background())
	ann := roomtest.Join(t, hub, "ann", "demo", &roomtest.Options{ClientID: "tab1"})
	bob := roomtest.Join(t, hub, "bob", "demo")

	request := httptest.NewRequest("PATCH", "/?client=tab1&mutation=m-1&title=Milk", nil)
	request.SetPathValue("plan", "demo")
	request.SetPathValue("task", "7")
	renameTask(hub)(httptest.NewRecorder(), request)

	receipt := ann.WantReceipt("m-1")
	var data struct{ Task task }
	event := bob.WantEvent(protocol.TypeTaskUpdated, &data)
	bob.Silent() // no other message
	fmt.Printf("%s by %s; %s %+v\n", receipt.Type, receipt.By, event.Type, data.Task)
	// Output:
	// receipt by ann; task-updated {ID:7 Title:Milk}
}

// A user who is removed from a plan gets no further event of it, and cannot join again.
func ExampleMember() {
	access := map[string]bool{"ann": true, "bob": true} // a service has a database
	hub := room.NewHub(&room.Options{Authorize: func(_ context.Context, id auth.Identity, _ string) error {
		if !access[id.UserID] {
			return room.ErrForbidden
		}
		return nil
	}})
	defer hub.Shutdown(context.Background())
	ann := roomtest.Join(t, hub, "ann", "demo")
	bob := roomtest.Join(t, hub, "bob", "demo")

	access["bob"] = false // the route that removes a member does this, and then calls Revoke
	if _, err := hub.Revoke(context.Background(), "demo", "bob"); err != nil {
		fmt.Println(err)
	}
	if _, err := hub.BroadcastTaskDeleted(context.Background(), "demo", "7"); err != nil {
		fmt.Println(err)
	}

	ann.WantEvent(protocol.TypeTaskDeleted, nil)
	var removed protocol.Removed
	bob.WantEvent(protocol.TypeRemoved, &removed)
	bob.Silent()
	bob.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "demo"})
	fmt.Printf("%s; %s\n", removed.Reason, bob.Refused(protocol.ErrorForbidden).Message)
	// Output:
	// access ended; there is no such plan, or it is not yours
}

// A sink shows each frame as a line, and takes as many bytes as the test allows.
func ExampleSink() {
	hub := room.NewHub(&room.Options{Authorize: everyoneMay})
	defer hub.Shutdown(context.Background())
	k := roomtest.NewSink(nil)
	if err := k.Connect(hub, auth.Identity{UserID: "ann"}, nil); err != nil {
		fmt.Println(err)
		return
	}
	k.Take() // the hello

	k.SetWindow(12)
	if _, err := hub.Notify(context.Background(), "ann", protocol.Event{Type: "notice", Data: "dinner"}); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%q\n", k.Take())
	k.SetWindow(-1)
	rest := ""
	k.Wait(time.Minute, func() bool { rest += k.Take(); return strings.HasSuffix(rest, "\n") })
	fmt.Println(strings.Contains(rest, "dinner"))

	if _, err := hub.Disconnect(context.Background(), "ann"); err != nil {
		fmt.Println(err)
	}
	k.Wait(time.Minute, func() bool { return k.State().Over })
	state := k.State()
	fmt.Println(state.Over, state.Code, k.Faults())
	// Output:
	// "{\"type\":\"not"
	// true
	// true 4403 []
}
