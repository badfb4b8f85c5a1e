// Package jobs makes the changes of background jobs live: an import, a rename that concerns several
// plans, a restore from a backup, and reminders to single users.
//
// At the end of the process the jobs end before the hub, so that what they have changed is
// broadcast: see Jobs.Close.
package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
	"github.com/planrooms/planrooms/protocol" // glue
	"github.com/planrooms/planrooms/room"     // glue
)

// Jobs are the background jobs of a service.
type Jobs struct {
	store *tasks.Store
	hub   *room.Hub // glue

	stop    context.CancelFunc
	running sync.WaitGroup
}

// Start starts the jobs. Call Close at the end.
func Start(store *tasks.Store, hub *room.Hub) *Jobs { // glue
	ctx, stop := context.WithCancel(context.Background())
	j := &Jobs{store: store, hub: hub, stop: stop} // glue
	j.running.Go(func() { j.remind(ctx) })
	return j
}

// Close ends the jobs and waits for them, then shuts the hub down.
func (j *Jobs) Close(ctx context.Context) error {
	j.stop()
	j.running.Wait()
	return j.hub.Shutdown(ctx) // glue
}

// Import adds tasks to a plan. All of them are one batch: no other event comes between them, and a
// viewer that reads gets all of them. Above some thousand tasks a Resync is cheaper.
func (j *Jobs) Import(ctx context.Context, userID, planID string, titles []string) error {
	added := j.store.Add(planID, titles...)
	// glue {
	// The tasks are added, whatever happens here.
	events := make([]protocol.Event, len(added))
	for i, t := range added {
		events[i] = protocol.TaskCreated(t)
		events[i].Version = protocol.EventVersion{Key: t.ID, N: t.Version}
	}
	if _, err := j.hub.BroadcastBatch(ctx, planID, events, room.By(userID)); err != nil {
		slog.ErrorContext(ctx, "broadcast", "plan", planID, "error", err)
	}
	// } glue
	return nil
}

// RenameLabel renames a label of several plans. Its event is a type of this service.
func (j *Jobs) RenameLabel(ctx context.Context, planIDs []string, from, to string) {
	// glue {
	renamed := protocol.Event{Type: "label-renamed", Data: map[string]string{"from": from, "to": to}}
	if err := j.hub.BroadcastToPlans(ctx, planIDs, renamed); err != nil {
		slog.ErrorContext(ctx, "broadcast", "error", err)
	}
	// } glue
}

// Restore puts a plan back to an earlier state. No event describes that, so the viewers load it.
func (j *Jobs) Restore(ctx context.Context, planID string) error {
	return j.hub.Resync(ctx, planID) // glue
}

// remind sends the members of a plan a notice each day. Users who are not connected do not get it:
// a service that has to reach them sends an e-mail too.
func (j *Jobs) remind(ctx context.Context) {
	day := time.NewTicker(24 * time.Hour)
	defer day.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-day.C:
		}
		for _, userID := range j.store.Members("demo") {
			// glue {
			notice := protocol.Event{Type: "reminder", Data: map[string]int{"tasks": len(j.store.Plan("demo"))}}
			if _, err := j.hub.Notify(ctx, userID, notice); err != nil {
				slog.ErrorContext(ctx, "notify", "user", userID, "error", err)
			}
			// } glue
		}
	}
}
