package routers_test

import (
	"net/http"
	"testing"

	"github.com/planrooms/planrooms/examples/integrations/internal/kit"
	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
	"github.com/planrooms/planrooms/examples/integrations/routers"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m) }

// On each router, a viewer gets the change of another user, the tab that made it gets a receipt, a
// change between the loading of a plan and the join is not lost, and a user without access sees
// nothing.
func TestRouters(t *testing.T) {
	for name, service := range map[string]func(*tasks.Store, *routers.Live) http.Handler{
		"net/http": routers.NetHTTP,
		"chi":      routers.Chi,
		"gin":      routers.Gin,
		"echo":     routers.Echo,
		"gorilla":  routers.Gorilla,
	} {
		t.Run(name, func(t *testing.T) {
			store := tasks.New()
			live := routers.NewLive(store)
			url := kit.Serve(t, service(store, live), live.Hub)
			ann, bob, cleo := kit.Bearer("token-of-ann"), kit.Bearer("token-of-bob"), kit.Bearer("token-of-cleo")

			anns := kit.Watch(t, url, url+"/plans/demo", "demo", ann)
			bobs := kit.Watch(t, url, url+"/plans/demo", "demo", bob)
			before, _ := bob.Load(t, url+"/plans/demo")
			ann.Tab(anns.Client.ClientID(), "m-1").Do(t, http.MethodPatch, url+"/tasks/7", map[string]string{"title": "Oat milk"}, http.StatusOK)

			if m := anns.Want(protocol.TypeReceipt); m.By != "ann" || m.MutationID != "m-1" {
				t.Errorf("receipt by %q, mutation %q", m.By, m.MutationID)
			}
			m := bobs.Want(protocol.TypeTaskUpdated)
			want := `{"id":"7","planId":"demo","title":"Oat milk","version":2}`
			if got := bobs.Tasks[`"7"`]; got != want || m.By != "ann" || m.Version != (protocol.EventVersion{Key: "7", N: 2}) {
				t.Errorf("by %q, version %v, task %s, want %s", m.By, m.Version, got, want)
			}

			late := kit.Dial(t, url, bob) // loaded the plan before the change, joins after it
			if got := kit.JoinSince(t, late, "demo", before).Type; got != protocol.TypeTaskUpdated {
				t.Errorf("the first item after a late join is %q, want the change", got)
			}

			kit.WantForbidden(t, kit.Dial(t, url, cleo), "demo")
			cleo.Do(t, http.MethodGet, url+"/plans/demo", nil, http.StatusNotFound)
			kit.WantRefused(t, url, kit.Bearer("token-of-nobody"))
		})
	}
}
