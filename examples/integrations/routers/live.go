// glue: this file

package routers

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// Live is what makes the service live. End it with Hub.Shutdown, after the HTTP server.
type Live struct {
	Hub    *room.Hub
	Socket http.Handler // for GET /ws
	store  *tasks.Store
	order  sync.Mutex // held while a task is read again and broadcast
}

// NewLive returns the hub of a store and its WebSocket handler.
func NewLive(store *tasks.Store) *Live {
	hub := room.NewHub(&room.Options{Logger: slog.Default(), Authorize: func(_ context.Context, id auth.Identity, planID string) error {
		if !store.MayView(id.UserID, planID) {
			return room.ErrForbidden // also for a plan that does not exist
		}
		return nil
	}})
	return NewLiveOn(hub, store)
}

// NewLiveOn is NewLive with a hub that the caller has made.
func NewLiveOn(hub *room.Hub, store *tasks.Store) *Live {
	verifier := auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
		userID, ok := store.Login(token)
		if !ok {
			return auth.Identity{}, auth.ErrInvalidToken
		}
		return auth.Identity{UserID: userID, Name: userID}, nil
	})
	return &Live{Hub: hub, Socket: transport.NewHandler(hub, verifier, &transport.Options{Logger: slog.Default()}), store: store}
}

// Mark puts the position of the plan into the headers of an answer. Call it before the plan is
// read.
func (l *Live) Mark(ctx context.Context, h http.Header, planID string) error {
	position, err := l.Hub.Position(ctx, planID)
	if err != nil {
		return err
	}
	h.Set(transport.HeaderPosition, position.String())
	h.Set("Cache-Control", "no-store")
	return nil
}

// Changed broadcasts a task that the request r of the user has changed. Call it after the commit.
// It reads the task again, so no event has an older state than the one before.
func (l *Live) Changed(r *http.Request, userID, taskID string) {
	l.order.Lock()
	defer l.order.Unlock()
	task, err := l.store.Task(taskID)
	if err == nil {
		_, err = l.Hub.BroadcastTaskUpdated(r.Context(), task.PlanID, task,
			transport.Author(r, userID), room.Version(task.ID, task.Version))
	}
	if err != nil { // the change is saved all the same
		slog.ErrorContext(r.Context(), "broadcast", "task", taskID, "error", err)
	}
}
