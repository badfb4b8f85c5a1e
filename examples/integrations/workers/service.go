// Package workers makes changes live that are not made in the handler of a request: a worker takes
// them from a queue, here a topic of Watermill, and a command makes them in a process without
// viewers.
//
// The code that changes tasks takes a room.Broadcaster: the hub in the service, room.Discard in the
// command. The client that asked for a change travels with the message, as text in its metadata, so
// its tab gets a receipt instead of the event, also when the worker is done long after the request.
package workers

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
	"github.com/planrooms/planrooms/protocol" // glue
	"github.com/planrooms/planrooms/room"     // glue
)

// Service changes tasks. The requests, the worker and the command share it.
type Service struct {
	Store  *tasks.Store
	Events room.Broadcaster // glue

	order sync.Mutex // glue: held while a task is read again and broadcast
}

// Rename changes the title of a task.
func (s *Service) Rename(ctx context.Context, userID, taskID, title string) error {
	if _, err := s.Store.Rename(userID, taskID, title); err != nil {
		return err
	}
	s.changed(ctx, userID, taskID) // glue
	return nil
}

// Shout renames all tasks of a plan.
func (s *Service) Shout(ctx context.Context, userID, planID string) error {
	for _, t := range s.Store.Plan(planID) {
		if err := s.Rename(ctx, userID, t.ID, strings.ToUpper(t.Title)); err != nil {
			return err
		}
	}
	return nil
}

// glue {

// changed broadcasts a task as it is now. The author is in ctx if a client asked for the change.
func (s *Service) changed(ctx context.Context, userID, taskID string) {
	s.order.Lock()
	defer s.order.Unlock()
	task, err := s.Store.Task(taskID)
	if err == nil {
		_, err = s.Events.Broadcast(ctx, task.PlanID, protocol.TaskUpdated(task),
			room.AuthorFrom(ctx, userID), room.Version(task.ID, task.Version))
	}
	if err != nil { // the change is saved all the same
		slog.ErrorContext(ctx, "broadcast", "task", taskID, "error", err)
	}
}

// } glue

// Command is a command-line tool that renames the tasks of a plan. Its process has no viewers.
// Viewers of the service see such a change when they load the plan; if they have to see it at once,
// publish it on the bus of the service, as package instances does.
func Command(ctx context.Context, store *tasks.Store, userID, planID string) error {
	service := &Service{Store: store, Events: room.Discard} // glue
	return service.Shout(ctx, userID, planID)
}
