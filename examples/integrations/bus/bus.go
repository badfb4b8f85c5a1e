package bus

import (
	"context"
	"sync"
)

// Kind says what has happened.
type Kind string

// The kinds of messages.
const (
	TasksAdded    Kind = "tasks added"
	TaskChanged   Kind = "task changed"
	TaskDeleted   Kind = "task deleted"
	TaskMoved     Kind = "task moved"
	ListDeleted   Kind = "list deleted"
	MemberRemoved Kind = "member removed"
	GroupChanged  Kind = "group changed"
	LinkDeleted   Kind = "link deleted"
	LoggedOut     Kind = "logged out"
)

// Message says that something has been committed.
type Message struct {
	Kind   Kind
	UserID string // who did it

	ListID  int64   // the list that is concerned; of TaskMoved the one that had the task
	TaskIDs []int64 // the tasks that are concerned
	Subject string  // the user who was removed, has left a group, or has logged out
	Session string  // the session that has ended
}

// Bus passes messages on within the process. The subscribers of a message run after Publish has
// returned, each in another goroutine, so messages can be handled in any order.
type Bus struct {
	subscribers []func(context.Context, Message) // fixed before the first Publish
	running     sync.WaitGroup
}

// Subscribe adds a subscriber. Call it before the first Publish.
func (b *Bus) Subscribe(f func(context.Context, Message)) {
	b.subscribers = append(b.subscribers, f)
}

// Publish publishes a message. The subscribers get the values of ctx, but not its end.
func (b *Bus) Publish(ctx context.Context, m Message) {
	ctx = context.WithoutCancel(ctx)
	for _, f := range b.subscribers {
		b.running.Go(func() { f(ctx, m) })
	}
}

// Wait waits until all messages have been handled. Call it while nothing is published, such as
// after the HTTP server has ended and before the hub does.
func (b *Bus) Wait() { b.running.Wait() }
