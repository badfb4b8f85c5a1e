package workers

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
	"github.com/planrooms/planrooms/room" // glue
)

const topic = "rename"

// order is what a client asks a worker to do.
type order struct {
	TaskID string `json:"taskId"`
	Title  string `json:"title"`
}

// Enqueue publishes an order of a user whom the caller has verified.
func Enqueue(ctx context.Context, queue message.Publisher, userID string, o order) error {
	payload, err := json.Marshal(o)
	if err != nil {
		return err
	}
	m := message.NewMessage(watermill.NewUUID(), payload)
	m.Metadata.Set("user", userID)
	author, _ := room.AuthorIn(ctx).MarshalText() // glue: returns no error
	m.Metadata.Set("author", string(author))      // glue
	return queue.Publish(topic, m)
}

// Work handles orders until the subscriber closes their channel.
func Work(orders <-chan *message.Message, s *Service) {
	for m := range orders {
		var o order
		if err := json.Unmarshal(m.Payload, &o); err != nil {
			slog.Error("order", "error", err)
			m.Ack() // another attempt would fail too
			continue
		}
		var author room.Author                                                         // glue
		if err := author.UnmarshalText([]byte(m.Metadata.Get("author"))); err != nil { // glue
			slog.Error("author", "error", err) // glue: the change is made all the same
		} // glue
		ctx := room.WithAuthor(m.Context(), author) // glue
		switch err := s.Rename(ctx, m.Metadata.Get("user"), o.TaskID, o.Title); {
		case err == nil || errors.Is(err, tasks.ErrNotFound): // deleted, or no longer the user's
			m.Ack()
		default:
			m.Nack()
		}
	}
}
