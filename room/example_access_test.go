package room_test

import (
	"context"
	"fmt"
	"log"
	"strconv"
	"sync"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// links are the share links of a host. A user with a link may see its plan.
type links struct {
	mu    sync.Mutex        // guards the following
	plans map[string]string // by link
}

func (l *links) remove(link string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.plans, link)
}

// admits is the Authorize of the host. The link is in a claim of the guest's token.
func (l *links) admits(_ context.Context, id auth.Identity, planID string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if link, _ := id.Claims["link"].(string); l.plans[link] != planID {
		return room.ErrForbidden
	}
	return nil
}

// connectAs makes a connection with an identity and joins a plan.
func connectAs(hub *room.Hub, id auth.Identity, planID string) viewer {
	v := viewer{roomtest.NewSink(nil)}
	if err := v.Connect(hub, id, nil); err != nil {
		log.Fatal(err)
	}
	v.read() // the hello
	v.join(planID, nil)
	return v
}

// The plans of this host have numeric IDs. Authorize refuses every spelling but the decimal form
// that the broadcasts use, since "007" would be a separate room.
func ExampleOptions_numericPlanIDs() {
	mayView := func(_ context.Context, userID string, plan int64) error { return nil }
	authorize := func(ctx context.Context, id auth.Identity, planID string) error {
		n, err := strconv.ParseInt(planID, 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != planID {
			return room.ErrForbidden
		}
		return mayView(ctx, id.UserID, n)
	}
	hub := room.NewHub(&room.Options{Authorize: authorize})
	defer hub.Shutdown(background)

	ann := connectViewer(hub, "ann", "tab1")
	for _, planID := range []string{"007", "+7", "7"} {
		fmt.Println(planID, ann.join(planID, nil).Type)
	}
	// Output:
	// 007 error
	// +7 error
	// 7 join-plan
}

// A share link is deleted. The host does not know which users the link has admitted. The claims of
// their tokens have the link, and the hub holds them.
func ExampleHub_Recheck() {
	shared := &links{plans: map[string]string{"k3u": "demo", "9xq": "demo"}}
	hub := room.NewHub(&room.Options{Authorize: shared.admits})
	defer hub.Shutdown(background)
	guest := connectAs(hub, auth.Identity{UserID: "guest1", Claims: map[string]any{"link": "k3u"}}, "demo")
	connectAs(hub, auth.Identity{UserID: "guest2", Claims: map[string]any{"link": "9xq"}}, "demo")

	shared.remove("k3u") // in the database
	result, err := hub.Recheck(background, "demo")
	if err != nil {
		log.Print(err) // some could not be checked yet: the hub tries again
	}
	fmt.Printf("%d stay, %d removed\n", result.Kept, result.Removed)
	fmt.Println(guest.next())
	// Output:
	// 1 stay, 1 removed
	// removed {"reason":"access ended","retry":false}
}

// A user logs out on one device. The other devices stay connected.
func ExampleOnlySession() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	phone := connectAs(hub, auth.Identity{UserID: "ann", SessionID: "phone"}, "demo")
	laptop := connectAs(hub, auth.Identity{UserID: "ann", SessionID: "laptop"}, "demo")

	// After the session has been deleted in the database:
	closed, err := hub.Disconnect(background, "ann", room.OnlySession("phone"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(closed, "closed:", phone.next())
	if _, err := hub.BroadcastTaskDeleted(background, "demo", "7"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(laptop.next())
	// Output:
	// 1 closed: goodbye {"code":4403,"reason":"disconnected","reconnect":false,"reauth":false,"retryAfterMs":0}
	// task-deleted {"taskId":"7"}
}

// A plan is deleted: its viewers are removed, and no client can resume it.
func ExampleHub_ClosePlan() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	ann := watch(hub, "ann", "tab1", "demo")

	// After the plan has been deleted in the database:
	removed, err := hub.ClosePlan(background, "demo")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(removed, ann.next())
	_, exists := hub.Room("demo")
	fmt.Println("in memory:", exists)
	// Output:
	// 1 removed {"reason":"plan deleted","retry":false}
	// in memory: false
}
