package room_test

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
)

// A user is locked out. The verifier of the host refuses the user from now on, and Disconnect
// closes the connections that are open.
func ExampleHub_Disconnect() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	bob := watch(hub, "bob", "tab1", "demo")
	ann := watch(hub, "ann", "tab1", "demo")

	// After the account has been locked in the database:
	closed, err := hub.Disconnect(background, "bob")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(closed, "closed:", bob.next())
	if _, err := hub.BroadcastTaskDeleted(background, "demo", "7"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(ann.next())
	// Output:
	// 1 closed: goodbye {"code":4403,"reason":"disconnected","reconnect":false,"reauth":false,"retryAfterMs":0}
	// task-deleted {"taskId":"7"}
}

// A user has changed the password on one device. The clients on all devices ask for a new token:
// those without one show the login.
func ExampleSignInAgain() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	tab := watch(hub, "ann", "tab1", "demo")

	// After the sessions have been deleted in the database:
	if _, err := hub.Disconnect(background, "ann", room.SignInAgain()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(tab.next())
	// Output:
	// goodbye {"code":4401,"reason":"token missing, invalid or expired","reconnect":true,"reauth":true,"retryAfterMs":0}
}

// An account may not read any plan until an invoice is paid. Its connections stay open, so that
// notices still reach it.
func ExampleHub_RevokeUser() {
	hub := room.NewHub(&room.Options{Authorize: everybodyMay})
	defer hub.Shutdown(background)
	bob := watch(hub, "bob", "tab1", "demo")
	bob.join("launch", nil)

	// After the account has been suspended in the database, so that Authorize refuses it:
	removed, err := hub.RevokeUser(background, "bob")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(removed, "places,", hub.UserConnections("bob"), "connection")
	fmt.Println(bob.next())
	fmt.Println(bob.next())
	// Output:
	// 2 places, 1 connection
	// removed {"reason":"access ended","retry":false}
	// removed {"reason":"access ended","retry":false}
}

// roles is a table of a host: the plans that each role may see.
type roles struct {
	mu    sync.Mutex                 // guards the following
	plans map[string]map[string]bool // by role
	of    map[string]string          // the role of each user
}

func (r *roles) assign(userID, role string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of[userID] = role
}

// admits is the host's Authorize.
func (r *roles) admits(_ context.Context, id auth.Identity, planID string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.plans[r.of[id.UserID]][planID] {
		return room.ErrForbidden
	}
	return nil
}

// A user gets another role, and the host does not work out which plans that takes away: the hub
// calls Authorize for each plan that the user is in.
func ExampleHub_RecheckUser() {
	table := &roles{
		plans: map[string]map[string]bool{"editor": {"demo": true, "launch": true}, "guest": {"demo": true}},
		of:    map[string]string{"bob": "editor"},
	}
	hub := room.NewHub(&room.Options{Authorize: table.admits})
	defer hub.Shutdown(background)
	bob := watch(hub, "bob", "tab1", "demo")
	bob.join("launch", nil)

	table.assign("bob", "guest") // in the database
	result, err := hub.RecheckUser(background, "bob")
	if err != nil {
		log.Print(err) // some plans could not be checked yet: the hub tries again
	}
	fmt.Printf("%d kept, %d removed, still in %q\n", result.Kept, result.Removed, hub.PlansOf("bob"))
	// Output:
	// 1 kept, 1 removed, still in ["demo"]
}
