package instances_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/ThreeDotsLabs/watermill/pubsub/gochannel"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/examples/integrations/instances"
	"github.com/planrooms/planrooms/examples/integrations/internal/kit"
	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
	"github.com/planrooms/planrooms/examples/integrations/routers"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/client"
	"github.com/planrooms/planrooms/transport/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m) }

// cluster is three instances with one store and one bus.
type cluster struct {
	store     *tasks.Store
	instances []*instances.Instance
	urls      []string
	broadcast sync.WaitGroup // counts events that are expected and not broadcast yet
}

func start(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{store: tasks.New()}
	bus := gochannel.NewGoChannel(gochannel.Config{}, nil) // keeps no order
	for n := range 3 {
		hub := room.NewHub(&room.Options{
			Authorize: func(_ context.Context, id auth.Identity, planID string) error {
				if !c.store.MayView(id.UserID, planID) {
					return room.ErrForbidden
				}
				return nil
			},
			Observer: room.Observer{Broadcast: func(context.Context, room.BroadcastInfo) { c.broadcast.Done() }},
		})
		i, err := instances.New(fmt.Sprint("instance ", n), c.store, bus, hub)
		if err != nil {
			t.Fatal(err)
		}
		c.instances = append(c.instances, i)
		c.urls = append(c.urls, kit.Serve(t, routers.NetHTTP(c.store, routers.NewLiveOn(hub, c.store)), hub))
	}
	t.Cleanup(func() { // first of all
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
		for _, i := range c.instances {
			i.Wait()
		}
	})
	return c
}

func (c *cluster) watch(t *testing.T, instance int, token string) *kit.Viewer {
	t.Helper()
	return kit.Watch(t, c.urls[instance], c.urls[instance]+"/plans/demo", "demo", kit.Bearer(token))
}

// Three writers, one on each instance, change the same tasks at the same time, and one of them
// deletes a task meanwhile. The bus delivers the changes in any order. At the end no viewer on any
// instance differs from the database.
func TestNoViewerDiffers(t *testing.T) {
	const rounds = 100
	c := start(t)
	c.store.Add("demo", "Bread", "Tea", "To be deleted") // 8, 9 and 10
	var viewers []*kit.Viewer
	for n := range c.urls {
		for range 4 {
			viewers = append(viewers, c.watch(t, n, "token-of-bob"))
		}
	}

	var writers sync.WaitGroup
	failed := make(chan error, len(c.instances))
	for n, i := range c.instances {
		writers.Go(func() {
			for round := range rounds {
				taskID := []string{"7", "8", "9", "10"}[round%4]
				c.broadcast.Add(len(c.instances))
				err := i.Rename(context.Background(), "ann", taskID, fmt.Sprint("writer ", n, ", round ", round))
				if n == 0 && round == rounds/2 {
					c.broadcast.Add(len(c.instances))
					err = errors.Join(err, i.Delete(context.Background(), "ann", "10"))
				}
				switch {
				case taskID == "10" && errors.Is(err, tasks.ErrNotFound):
					c.broadcast.Add(-len(c.instances))
				case err != nil:
					failed <- err
					return
				}
			}
		})
	}
	writers.Wait()
	close(failed)
	for err := range failed {
		t.Fatal(err)
	}
	c.broadcast.Wait()

	if got := c.store.Plan("demo"); len(got) != 3 {
		t.Fatalf("the database has the tasks %v", got)
	}
	c.broadcast.Add(len(c.instances)) // the last event of WantSame
	for n, i := range c.instances {
		kit.WantSame(t, i.Hub, viewers[4*n:4*n+4]...)
	}
}

// A membership ends on one instance. The hubs of all instances remove the user, and each stays out.
func TestMemberRemoved(t *testing.T) {
	c := start(t)
	var bobs, anns []*kit.Viewer
	for n := range c.urls {
		bobs = append(bobs, c.watch(t, n, "token-of-bob"))
		anns = append(anns, c.watch(t, n, "token-of-ann"))
	}
	if err := c.instances[1].Remove(t.Context(), "demo", "bob"); err != nil {
		t.Fatal(err)
	}
	for n, bob := range bobs {
		bob.WantEnd(client.ErrRemoved)
		kit.WantForbidden(t, bob.Client, "demo")
		kit.Bearer("token-of-bob").Do(t, http.MethodGet, c.urls[n]+"/plans/demo", nil, http.StatusNotFound)
	}

	// The author's tab, on its instance, gets a receipt; tabs on other instances get the event.
	c.broadcast.Add(len(c.instances))
	ctx := room.WithAuthor(t.Context(), room.Author{ClientID: anns[2].Client.ClientID(), MutationID: "m-1"})
	if err := c.instances[2].Rename(ctx, "ann", "7", "Oat milk"); err != nil {
		t.Fatal(err)
	}
	for n, want := range []protocol.Type{protocol.TypeTaskUpdated, protocol.TypeTaskUpdated, protocol.TypeReceipt} {
		if m := anns[n].Want(want); m.By != "ann" || m.MutationID != "m-1" {
			t.Errorf("%s by %q, mutation %q", m.Type, m.By, m.MutationID)
		}
	}
	if err := c.instances[0].Delete(t.Context(), "bob", "7"); !errors.Is(err, tasks.ErrNotFound) {
		t.Errorf("Delete by a former member: error %v, want %v", err, tasks.ErrNotFound)
	}
}
