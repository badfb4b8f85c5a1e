package hosttests_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
	"github.com/planrooms/planrooms/examples/integrations/routers"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/roomtest"
	"github.com/planrooms/planrooms/transport"
)

// service is the service under test.
type service struct {
	t     *testing.T
	store *tasks.Store
	live  *routers.Live
	mux   http.Handler
}

func start(t *testing.T) *service {
	store := tasks.New()
	live := routers.NewLive(store)
	t.Cleanup(func() {
		if err := live.Hub.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &service{t: t, store: store, live: live, mux: routers.NetHTTP(store, live)}
}

// rename calls the route that renames a task, as the tab of a user does.
func (s *service) rename(user, tab, title string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPatch, "/tasks/7", strings.NewReader(`{"title":"`+title+`"}`))
	r.Header.Set("Authorization", "Bearer token-of-"+user)
	r.Header.Set(transport.HeaderClient, tab)
	r.Header.Set(transport.HeaderMutation, "m-1")
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return w
}

// The route broadcasts what it has changed, once.
func TestViewersSeeTheChange(t *testing.T) {
	s := start(t)
	bob := roomtest.Join(t, s.live.Hub, "bob", "demo")

	if w := s.rename("ann", "tab-1", "Oat milk"); w.Code != http.StatusOK {
		t.Fatalf("status %d with %s", w.Code, w.Body)
	}
	var data struct{ Task tasks.Task }
	if m := bob.WantEvent(protocol.TypeTaskUpdated, &data); data.Task.Title != "Oat milk" || m.By != "ann" {
		t.Errorf("task %+v by %q", data.Task, m.By)
	}
	bob.Silent() // and nothing else
}

// The tab that makes a change gets a receipt; the other tabs of its user get the event.
func TestTheTabThatMadeTheChange(t *testing.T) {
	s := start(t)
	tab := roomtest.Join(t, s.live.Hub, "ann", "demo", &roomtest.Options{ClientID: "tab-1"})
	other := roomtest.Join(t, s.live.Hub, "ann", "demo", &roomtest.Options{ClientID: "tab-2"})

	s.rename("ann", "tab-1", "Oat milk")
	tab.WantReceipt("m-1")
	other.WantEvent(protocol.TypeTaskUpdated, nil)
}

// A request that is refused broadcasts nothing.
func TestARefusedRequest(t *testing.T) {
	s := start(t)
	bob := roomtest.Join(t, s.live.Hub, "bob", "demo")

	if w := s.rename("cleo", "tab-1", "Beer"); w.Code != http.StatusNotFound {
		t.Errorf("status %d, want 404", w.Code)
	}
	bob.Silent()
}

// A user without access to a plan cannot join it, and a plan that does not exist looks the same.
func TestAccess(t *testing.T) {
	s := start(t)
	cleo := roomtest.Connect(t, s.live.Hub, auth.Identity{UserID: "cleo", Name: "Cleo"}, nil)
	for _, planID := range []string{"demo", "no such plan"} {
		cleo.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: planID})
		cleo.Refused(protocol.ErrorForbidden)
	}
}

// A membership that ends without a call of Revoke ends in the room within 10 minutes, which take no
// time here.
func TestForgottenRevoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		bob := roomtest.Join(t, s.live.Hub, "bob", "demo")
		s.store.Remove("demo", "bob")
		time.Sleep(10 * time.Minute)
		bob.WantEvent(protocol.TypeRemoved, nil)
	})
}

// A viewer who was away gets what was missed, in order.
func TestAViewerWhoWasAway(t *testing.T) {
	s := start(t)
	bob := roomtest.Join(t, s.live.Hub, "bob", "demo")
	bob.Cut()
	s.rename("ann", "tab-1", "Oat milk")
	s.rename("ann", "tab-1", "Soy milk")
	bob.Resume()
	for _, want := range []string{"Oat milk", "Soy milk"} {
		var data struct{ Task tasks.Task }
		if bob.WantEvent(protocol.TypeTaskUpdated, &data); data.Task.Title != want {
			t.Errorf("task %q, want %q", data.Task.Title, want)
		}
	}
}

// If the broadcast fails, here because the hub has ended, the change and its answer stand.
func TestAFailedBroadcast(t *testing.T) {
	s := start(t)
	if err := s.live.Hub.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w := s.rename("ann", "tab-1", "Oat milk"); w.Code != http.StatusOK {
		t.Errorf("status %d, want 200", w.Code)
	}
	if task, err := s.store.Task("7"); err != nil || task.Title != "Oat milk" {
		t.Errorf("task %+v, error %v", task, err)
	}
}
