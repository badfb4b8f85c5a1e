package natsengine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
	"github.com/planrooms/planrooms/room/roomtest"
)

// Two hubs are one room: the members of both receive what each broadcasts, in one order.
func TestTwoHubs(t *testing.T) {
	m := one(t, nil)
	var hubs []*room.Hub
	for range 2 {
		h := room.NewHub(&room.Options{
			Authorize: func(context.Context, auth.Identity, string) error { return nil },
			Engine:    natsengine.New(natsengine.Options{Servers: []string{m.url()}}), Cluster: "test",
		})
		defer h.Shutdown(context.Background())
		hubs = append(hubs, h)
	}
	// A node closes its connections if another one finds a loss while it begins.
	for _, h := range hubs {
		for patient := within(t); h.Ready() != nil; time.Sleep(time.Millisecond) {
			if patient.Err() != nil {
				t.Fatal(h.Ready())
			}
		}
	}
	ann := roomtest.Join(t, hubs[0], "ann", "plan-1")
	bob := roomtest.Join(t, hubs[1], "bob", "plan-1")
	for i := range 20 {
		if _, err := hubs[i%2].BroadcastTaskDeleted(within(t), "plan-1", fmt.Sprint("task-", i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		for _, member := range []*roomtest.Member{ann, bob} {
			var got struct{ TaskID string }
			member.WantEvent(protocol.TypeTaskDeleted, &got)
			if want := fmt.Sprint("task-", i); got.TaskID != want {
				t.Errorf("event %d is of %s, want %s", i, got.TaskID, want)
			}
		}
	}
}
