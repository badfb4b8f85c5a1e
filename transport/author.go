package transport

import (
	"net/http"

	"github.com/planrooms/planrooms/room"
)

// Headers of the host's REST API. A page of another origin needs CORS for them: the host lists the
// first two in Access-Control-Allow-Headers, and the third in Access-Control-Expose-Headers.
const (
	// HeaderClient of a request is the client ID of the tab that requests a change.
	HeaderClient = "X-Plan-Client"
	// HeaderMutation of a request is the client's own ID of the change.
	HeaderMutation = "X-Plan-Mutation"
	// HeaderPosition of a response with a plan is the position of the plan, as the String of a
	// protocol.Position. Clients read it, so the body needs no field for the position.
	HeaderPosition = "X-Plan-Position"
)

// Author returns a broadcast option that names userID as the author of the change that r requests.
// The host must have authenticated userID for r. Use it in REST handlers:
//
//	hub.BroadcastTaskUpdated(ctx, planID, task, transport.Author(r, user.ID))
//
// The tab that makes a change sends its client ID in [HeaderClient], and gets a receipt instead of
// the event. Client IDs are not secret, so Author excludes only tabs of userID. [HeaderMutation]
// becomes the mutationId of the event. Author ignores a missing or malformed header.
func Author(r *http.Request, userID string) room.BroadcastOption { return author(r).By(userID) }

// CaptureAuthor is middleware for hosts whose code broadcasts where it has no request, such as a
// service below the handlers or a subscriber of an event bus. It puts the client ID and the
// mutation ID of each request into the request's context, from where [room.AuthorFrom] takes them,
// or [room.AuthorIn] for the metadata of a message. It does not capture the user. It ignores
// malformed headers.
func CaptureAuthor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a := author(r); a != (room.Author{}) {
			r = r.WithContext(room.WithAuthor(r.Context(), a))
		}
		next.ServeHTTP(w, r)
	})
}

// author returns the author in the headers of a request. IDs may be malformed.
func author(r *http.Request) room.Author {
	return room.Author{ClientID: r.Header.Get(HeaderClient), MutationID: r.Header.Get(HeaderMutation)}
}
