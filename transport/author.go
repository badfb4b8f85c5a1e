package transport

import (
	"net/http"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// Headers of a host's own REST requests that [Author] reads.
const (
	headerClient   = "X-Plan-Client"
	headerMutation = "X-Plan-Mutation"
)

// Author says by whom a change was made that came in r: userID, whom the host has authenticated for it. For the
// REST handlers of a host:
//
//	hub.BroadcastTaskUpdated(ctx, planID, task, transport.Author(r, user.ID))
//
// The tab that made the change names itself in X-Plan-Client and gets a receipt in place of the event. Only tabs of
// userID can be excepted in this way, since a client id is no secret. X-Plan-Mutation is passed on as the event's mutationId.
// A header that is missing or malformed is ignored.
func Author(r *http.Request, userID string) room.BroadcastOption {
	opts := []room.BroadcastOption{room.By(userID)}
	if client := r.Header.Get(headerClient); protocol.ValidClientID(client) {
		opts = append(opts, room.ExceptClient(userID, client))
	}
	if mutation := r.Header.Get(headerMutation); protocol.ValidMutationID(mutation) {
		opts = append(opts, room.Mutation(mutation))
	}
	return room.Combine(opts...)
}
