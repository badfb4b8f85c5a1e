package room

import (
	"context"

	"github.com/planrooms/planrooms/protocol"
)

// Broadcaster is what code that publishes needs of a [Hub]. Code that takes a Broadcaster runs with
// a hub in the service, and with [Discard] in commands and tests. The constructors of package
// protocol make the events of the task methods of Hub:
//
//	b.Broadcast(ctx, planID, protocol.TaskUpdated(task), room.AuthorFrom(ctx, user.ID))
type Broadcaster interface {
	Broadcast(ctx context.Context, planID string, event protocol.Event, opts ...BroadcastOption) (protocol.Position, error)
}

// Discard is a Broadcaster without a hub, for programs that have no clients. It checks and encodes
// events as a hub with the default Options.MaxPayload does, with the same errors, and sends
// nothing. The position that it returns is zero.
//
// A nil *Hub is not such a Broadcaster: it panics, so that a service whose hub is missing by
// mistake does not lose its events silently.
var Discard Broadcaster = discard{}

type discard struct{}

func (d discard) Broadcast(_ context.Context, planID string, event protocol.Event, opts ...BroadcastOption) (protocol.Position, error) {
	var b broadcast
	if err := b.prepare(planID, opts); err != nil {
		return protocol.Position{}, err
	}
	_, err := b.encode(event, defaultMaxPayload)
	return protocol.Position{}, err
}
