package jobs_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
	"github.com/planrooms/planrooms/examples/integrations/jobs"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
	"github.com/planrooms/planrooms/transport/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m) }

// start runs a test with jobs in a bubble, in which a day takes no time.
func start(t *testing.T, test func(t *testing.T, j *jobs.Jobs, hub *room.Hub)) {
	synctest.Test(t, func(t *testing.T) {
		hub := room.NewHub(&room.Options{Authorize: func(context.Context, auth.Identity, string) error { return nil }})
		j := jobs.Start(tasks.New(), hub)
		t.Cleanup(func() {
			if err := j.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		test(t, j, hub)
	})
}

// All viewers get the 1,000 tasks of an import, in order and without a resync, and so does one that
// does not read meanwhile.
func TestImport(t *testing.T) {
	start(t, func(t *testing.T, j *jobs.Jobs, hub *room.Hub) {
		const n = 1000
		bob := roomtest.Join(t, hub, "bob", "demo")
		slow := roomtest.Join(t, hub, "cleo", "demo", &roomtest.Options{SocketBuffer: 4 << 10})
		titles := make([]string, n)
		for i := range titles {
			titles[i] = fmt.Sprint("imported ", i)
		}
		slow.Stall()
		if err := j.Import(t.Context(), "ann", "demo", titles); err != nil {
			t.Fatal(err)
		}
		slow.Unstall()
		for _, m := range []*roomtest.Member{bob, slow} {
			for i := range n {
				var data struct{ Task tasks.Task }
				if m.WantEvent(protocol.TypeTaskCreated, &data); data.Task.Title != titles[i] {
					t.Fatalf("task %d is %q", i, data.Task.Title)
				}
			}
			m.Silent()
		}
	})
}

func TestRenameLabel(t *testing.T) {
	start(t, func(t *testing.T, j *jobs.Jobs, hub *room.Hub) {
		demo, launch := roomtest.Join(t, hub, "bob", "demo"), roomtest.Join(t, hub, "cleo", "launch")
		other := roomtest.Join(t, hub, "dan", "other")
		j.RenameLabel(t.Context(), []string{"demo", "launch"}, "urgent", "now")
		demo.WantEvent("label-renamed", nil)
		launch.WantEvent("label-renamed", nil)
		other.Silent()
	})
}

func TestRestore(t *testing.T) {
	start(t, func(t *testing.T, j *jobs.Jobs, hub *room.Hub) {
		bob := roomtest.Join(t, hub, "bob", "demo")
		if err := j.Restore(t.Context(), "demo"); err != nil {
			t.Fatal(err)
		}
		bob.WantEvent(protocol.TypeResync, nil)
	})
}

// The members of the plan get a reminder each day, in every tab and whatever plan they look at.
func TestReminder(t *testing.T) {
	start(t, func(t *testing.T, _ *jobs.Jobs, hub *room.Hub) {
		bob, elsewhere := roomtest.Join(t, hub, "bob", "demo"), roomtest.Join(t, hub, "bob", "other")
		cleo := roomtest.Join(t, hub, "cleo", "demo") // not a member
		for range 2 {
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			bob.WantEvent("reminder", nil)
			elsewhere.WantEvent("reminder", nil)
			bob.Silent()
		}
		cleo.Silent()
	})
}
