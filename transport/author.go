package transport

import (
	"net/http"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// Headers of the host's REST requests that [Author] reads.
const (
	headerClient   = "X-Plan-Client"
	headerMutation = "X-Plan-Mutation"
)

// Author returns a broadcast option that names userID as the author of the change that r requests.
// The host must have authenticated userID for r. Use it in REST handlers:
//
//	hub.BroadcastTaskUpdated(ctx, planID, task, transport.Author(r, user.ID))
//
// The tab that makes a change sends its client ID in X-Plan-Client, and gets a receipt instead of
// the event. Client IDs are not secret, so Author excludes only tabs of userID. X-Plan-Mutation
// becomes the mutationId of the event. Author ignores a missing or malformed header.
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
