// Package instances makes a service live that runs in several processes. Each has its own hub,
// and all subscribe to one topic of the bus that the service already has, here Watermill: NATS,
// Redis or Kafka in production. The instance that handles a request publishes the change; each
// instance, that one included, broadcasts it to its own viewers.
//
// Such a bus may deliver the changes of two instances in different orders. So each message has the
// version of its task: clients keep the newest. A deletion has one too. A client that has just
// loaded the plan has seen no versions yet, so a program compares those in its data, as patchTasks
// of the browser client does.
//
// A viewer who comes back to another instance loads the plan again, since positions are those of
// one hub. The participants that a viewer sees are those of its instance. A message that an
// instance misses is missing for its viewers until they load the plan, so use a bus that delivers
// at least once.
package instances

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
	"github.com/planrooms/planrooms/protocol" // glue
	"github.com/planrooms/planrooms/room"     // glue
)

const topic = "changes"

// change is a message of the bus. A service with a bus has such a type.
type change struct {
	Type   string     `json:"type"`
	PlanID string     `json:"planId"`
	Task   tasks.Task `json:"task,omitzero"` // of task-deleted: ID and version
	UserID string     `json:"userId"`        // who made the change, or whose membership has ended
	Author string     `json:"author"`        // glue
}

// Instance is one process of the service.
type Instance struct {
	Hub     *room.Hub // glue
	store   *tasks.Store
	bus     message.Publisher
	changes sync.WaitGroup
}

// New returns an instance that handles the messages of the bus until the subscriber is closed; then
// call Wait.
func New(name string, store *tasks.Store, bus interface {
	message.Publisher
	message.Subscriber
}, hub *room.Hub) (*Instance, error) { // glue
	i := &Instance{Hub: hub, store: store, bus: bus} // glue
	messages, err := bus.Subscribe(context.Background(), topic)
	if err != nil {
		return nil, err
	}
	i.changes.Go(func() {
		for m := range messages {
			var c change
			err := json.Unmarshal(m.Payload, &c)
			if err == nil {
				err = i.live(m.Context(), c) // glue
			}
			if err != nil {
				slog.Error("change", "instance", name, "error", err) // a retry would fail, too
			}
			m.Ack()
		}
	})
	return i, nil
}

// Wait waits until the last message has been handled.
func (i *Instance) Wait() { i.changes.Wait() }

// Rename changes a task. Each instance broadcasts it.
func (i *Instance) Rename(ctx context.Context, userID, taskID, title string) error {
	t, err := i.store.Rename(userID, taskID, title)
	if err != nil {
		return err
	}
	return i.publish(ctx, change{Type: "task-updated", PlanID: t.PlanID, Task: t, UserID: userID})
}

// Delete deletes a task.
func (i *Instance) Delete(ctx context.Context, userID, taskID string) error {
	t, err := i.store.Delete(userID, taskID)
	if err != nil {
		return err
	}
	return i.publish(ctx, change{Type: "task-deleted", PlanID: t.PlanID, Task: t, UserID: userID})
}

// Remove ends the membership of a user.
func (i *Instance) Remove(ctx context.Context, planID, userID string) error {
	i.store.Remove(planID, userID)
	return i.publish(ctx, change{Type: "member-removed", PlanID: planID, UserID: userID})
}

func (i *Instance) publish(ctx context.Context, c change) error {
	author, _ := room.AuthorIn(ctx).MarshalText() // glue: returns no error
	c.Author = string(author)                     // glue
	payload, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return i.bus.Publish(topic, message.NewMessage(watermill.NewUUID(), payload))
}

// glue {

// live passes a change on to the viewers of this instance.
func (i *Instance) live(ctx context.Context, c change) (err error) {
	var author room.Author
	if err := author.UnmarshalText([]byte(c.Author)); err != nil {
		slog.Error("author", "error", err) // the change is broadcast all the same
	}
	version := room.Version(c.Task.ID, c.Task.Version)
	switch c.Type {
	case "task-updated":
		_, err = i.Hub.Broadcast(ctx, c.PlanID, protocol.TaskUpdated(c.Task), author.By(c.UserID), version)
	case "task-deleted":
		_, err = i.Hub.Broadcast(ctx, c.PlanID, protocol.TaskDeleted(c.Task.ID), author.By(c.UserID), version)
	case "member-removed": // not Revoke: a late message may be about a user who is back
		_, err = i.Hub.RecheckUser(ctx, c.UserID)
	default:
		err = fmt.Errorf("unknown change %q", c.Type)
	}
	return err
}

// } glue
